"""The wordings that people try first, each with a message that says what to write instead.

A function gives its message if the stop is its case, else None; the first one that speaks is heard.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from policyengine.core.diagnostic import nearest
from policyengine.lang.parentheses import bare_quantifier, mixed
from policyengine.lang.stop import RESERVED, Stop, Told, shortened

ORDER_WORDS = {
    **dict.fromkeys("greater bigger larger higher".split(), "more than"),
    **dict.fromkeys("smaller fewer lower".split(), "less than"),
    **dict.fromkeys("earlier older".split(), "before"),
    **dict.fromkeys("later newer".split(), "after"),
}
NOT_CONDITIONS = frozenset(
    "meets supports severity because applies for require forbid except unknown capa message if and or when where".split()
)
UNDERSCORES = "an id is written with hyphens, not with underscores"
BINDERS = frozenset("each every some no latest by ( let parameter define as".split())


def _else(stop: Stop, _: str) -> Told | None:
    if stop.text() != "else":
        return None
    hint = "write two `if` conditions, the second as `if not (..) then ..`"
    return Told("PE120", stop.span(), "there is no `else`: it would hide the case of missing evidence", hint)


def _unless(stop: Stop, _: str) -> Told | None:
    if stop.text() != "unless":
        return None
    return Told(
        "PE121", stop.span(), "there is no `unless`", 'write `if not (..) then ..`, or a clause `except when .. because ".."`'
    )


def _must_be(stop: Stop, _: str) -> Told | None:
    if stop.text() not in ("must", "should", "shall"):
        return None
    last = 1 if stop.text(1) in ("be", "not") else 0
    return Told("PE122", stop.span(0, last), f"`{stop.text()}` is not needed: `require` says it", "write `is`")


def _between(stop: Stop, _: str) -> Told | None:
    if stop.text(-1) != "between" or stop.text(-2) != "is":
        return None
    return Told("PE123", stop.span(-2, -1), "there is no `is between`", "write `x is at least .. and x is at most ..`")


def _there_is(stop: Stop, _: str) -> Told | None:
    if stop.text(-1) not in ("is", "are") or stop.text(-2) != "there" or stop.text() not in ("some", "no", "a", "an", "any"):
        return None
    word = "no" if stop.text() == "no" else "some"
    return Told("PE124", stop.span(-2, 0), "`there is` is not needed", f"write `{word} x in .. where ..`")


def _no_later_than(stop: Stop, _: str) -> Told | None:
    for first in (0, -1, -2):
        if stop.text(first) in ("no", "not") and stop.text(first + 1) in ("later", "earlier"):
            words = "on or before" if stop.text(first + 1) == "later" else "on or after"
            message = f"there is no `{stop.text(first)} {stop.text(first + 1)} than`"
            return Told("PE125", stop.span(first, first + 2), message, f"write `is {words}`")
    if stop.text() == "than" and stop.text(-2) == "is" and stop.text(-1) in ORDER_WORDS:
        return Told(
            "PE125", stop.span(-1, 0), f"there is no `{stop.text(-1)} than`", f"write `is {ORDER_WORDS[stop.text(-1)]}`"
        )
    return None


def _at_least(stop: Stop, _: str) -> Told | None:
    phrase = f"{stop.text()} {stop.text(1)}"
    if phrase not in ("at least", "at most", "more than", "less than") or stop.text(-1) == "is" or not stop.text(2).isdecimal():
        return None
    hint = f"write `count of (x in .. where ..) is {phrase} {shortened(stop.text(2))}`"
    return Told("PE126", stop.span(0, 2), f"`{phrase}` compares numbers; it does not count members", hint)


def _exactly(stop: Stop, _: str) -> Told | None:
    word, number = (-1, 0) if stop.text(-1) in ("least", "most", "than", "exactly") else (-2, -1)
    phrase = {"least": "at least ", "most": "at most ", "than": f"{stop.text(word - 1)} than ", "exactly": ""}.get(
        stop.text(word)
    )
    if phrase is None or not stop.text(number).isdecimal() or stop.text(word - 1) == "is" or stop.text(word - 2) == "is":
        return None
    hint = f"write `count of (x in .. where ..) is {phrase}{shortened(stop.text(number))}`"
    return Told("PE126", stop.span(word, number), "members are counted with `count of`", hint)


def _all(stop: Stop, _: str) -> Told | None:
    word = stop.text(-1)
    if word not in ("all", "each", "any") or stop.kind() != "word" or stop.text(-2) in ("for", "are"):
        return None
    meant = "`some x in .. where ..`" if word == "any" else "`every x in .. satisfies ..`"
    return Told("PE127", stop.span(-1, 0), f"there is no `{word} x`", f"write {meant}")


def _without_is(stop: Stop, _: str) -> Told | None:
    word = stop.text()
    if "IS" not in stop.expected:
        return None
    if word in ("within", "preceded", "followed") and stop.text(-1) != "is":
        return Told("PE128", stop.span(), f"`{word}` needs an `is` before it", f"write `is {word}`")
    if word in ("before", "after") and stop.text(-1) != "is":
        return Told("PE128", stop.span(), f"`{word}` needs an `is` before it", f"write `is {word}`")
    if word in ("equals", "equal"):
        return Told("PE128", stop.span(), f"there is no `{word}`", "write `is`")
    if word in ("in", "has", "exists"):
        hint = {
            "in": "write `is one of`, or `contains` the other way round",
            "has": "write `contains`",
            "exists": "write `is recorded`",
        }
        return Told("PE128", stop.span(), f"`{word}` is not a comparison", hint[word])
    return None


def _none_then(stop: Stop, _: str) -> Told | None:
    if "NONE_RESULT" not in stop.expected or stop.text() != "then":
        return None
    return Told("PE129", stop.span(), "`then` is not written here", "drop it: `if there are none pass`")


def _if_any(stop: Stop, _: str) -> Told | None:
    first = 1 if stop.text() == "," else 0
    if stop.text(first) != "if" or stop.text(first + 1) not in ("any", "there", "none", "no"):
        return None
    if stop.text(first + 1) in ("none", "no"):
        hint = "write `, if there are none, pass`"
    else:
        hint = "write `, if there are any, satisfies ..`; it stands in `every` and `the latest` only"
    return Told("PE132", stop.span(first, first + 1), f"`if {stop.text(first + 1)}` can be read in two ways", hint)


def _satisfies_clause(stop: Stop, _: str) -> Told | None:
    if stop.text() == "satisfy":
        return Told("PE127", stop.span(), "there is no `satisfy`", "write `every x in .. satisfies ..`")
    if stop.text() != "satisfies" or "SATISFIES" in stop.expected:
        return None
    return Told(
        "PE133", stop.span(), "`satisfies` belongs to `every` and `the latest`", "for a clause of a regulation write `meets`"
    )


def _recorded_within(stop: Stop, _: str) -> Told | None:
    texts = [word.text for word in stop.words[max(stop.first, stop.index - 12) : stop.index]]
    if "AFTER" not in stop.expected or "BEFORE" in stop.expected or "recorded" not in texts:
        return None
    hint = "write `x is recorded within 30 days after y`"
    step = -1 if stop.ended else 0
    return Told(
        "PE134", stop.span(step, step), "`is recorded within` needs the moment from which it counts, with `after`", hint
    )


def _length_of(stop: Stop, _: str) -> Told | None:
    if stop.text(-1) not in ("length", "size", "number") or stop.text() != "of":
        return None
    if stop.text(-1) == "number":
        return Told("PE135", stop.span(-1, 0), "there is no `number of`", "write `count of (x in ..)`")
    hint = 'compare the text with a pattern, such as `x matches "????-*"`; count members with `count of`'
    return Told("PE135", stop.span(-1, 0), f"there is no `{stop.text(-1)} of`", hint)


def _reserved(stop: Stop, _: str) -> Told | None:
    word = stop.text()
    if stop.kind() != "word" or word not in RESERVED or "NAME" not in stop.expected or stop.ended:
        return None
    if word in ("null", "none", "unknown") and stop.text(-1) in ("is", "not", "=", "!="):
        negated = stop.text(-1) in ("not", "!=")
        hint = f"write `{'is recorded' if negated else 'is not recorded'}`"
        return Told("PE137", stop.span(), f"there is no value `{word}`", hint)
    if stop.text(-1) in BINDERS and stop.text(1) in ("in", "be", ":", "("):
        message = f"`{word}` is a word of the language and cannot be a name"
        return Told("PE112", stop.span(), message, f"choose another name, such as `this_{word}`")
    return None


def _programmers_signs(stop: Stop, _: str) -> Told | None:
    halves = stop.text(-1) + stop.text()
    turned = {"=<": "<=", "=>": ">=", "<>": "is not"}.get(halves)
    if turned:
        return Told("PE136", stop.span(-1, 0), f"`{halves}` is not a word of the language", f"write `{turned}`")
    meant = {"==": "is", "&&": "and", "||": "or"}.get(stop.text())
    if stop.text() == "=" and stop.text(-1) == "=":
        meant = "is"
    if not meant:
        return None
    return Told("PE136", stop.span(), f"`{stop.text()}` is not a word of the language", f"write `{meant}`")


def _spelling_of_names(stop: Stop, text: str) -> Told | None:
    word = stop.words[stop.index]
    if stop.at > word.start and "_" in word.text and text[word.start : stop.at].isalnum():
        hint = f"write `{shortened(re.sub('-+', '-', word.text.replace('_', '-').lower()).strip('-'))}`"
        return Told("PE113", stop.span(), UNDERSCORES, hint)
    small = word.text.lower()
    if word.kind == "word" and word.text.isidentifier() and small != word.text:
        named = stop.at > word.start or ("NAME" in stop.expected and small not in RESERVED)
        message = "names are written in small letters" if named else "the words of the language are written in small letters"
        return Told("PE113", stop.span(), message, f"write `{shortened(small)}`")
    return None


def _for_every(stop: Stop, _: str) -> Told | None:
    if stop.text() == "for" and stop.text(1) in ("every", "all", "any"):
        return Told("PE127", stop.span(0, 1), f"there is no `for {stop.text(1)}`", "write `for each`")
    if stop.text() == "for" and stop.text(2) == "in":
        return Told("PE127", stop.span(), "`for` alone begins nothing", f"write `for each {shortened(stop.text(1))} in ..`")
    if "FOR_EACH" in stop.expected and stop.text(1) == "in" and stop.kind() == "word" and stop.text() not in RESERVED:
        hint = f"write `for each {shortened(stop.text())} in ..`"
        return Told("PE127", stop.span(0, 1), "`for each` is missing", hint)
    return None


def _length_of_time(stop: Stop, _: str) -> Told | None:
    glued = re.fullmatch(r"(\d+)((?:second|minute|hour|day|week|month|year)s?)", stop.text())
    if stop.kind() != "word" or glued is None:
        return None
    hint = f"write `{shortened(f'{glued[1]} {glued[2]}')}`"
    return Told("PE101", stop.span(), "a length of time is a number, a space and a unit", hint)


def _no_require(stop: Stop, _: str) -> Told | None:
    """A condition where a clause should begin, on a line of its own and with a field or a message."""
    if "REQUIRE" not in stop.expected or stop.kind() != "word" or stop.text(-1) == "." or stop.text() in NOT_CONDITIONS:
        return None
    here = stop.words[stop.index]
    if here.line == stop.words[stop.index - 1].line or stop.words[stop.first].text in ("require", "forbid"):
        return None
    rest = [word.text for word in stop.words[stop.index + 1 : stop.last]]
    if (rest[:1] != ["."] and "message" not in rest) or nearest(here.text, NOT_CONDITIONS):
        return None
    return Told("PE101", stop.span(), "`require` or `forbid` is missing", "write one of them before this condition")


def _no_header(stop: Stop, _: str) -> Told | None:
    if "POLICY" not in stop.expected:
        return None
    hint = "begin with `policy my-rules version 1.0.0`"
    return Told("PE101", stop.span(), "a policy file begins with `policy`, its id and its version", hint)


FIRST_WORDINGS: tuple[Callable[[Stop, str], Told | None], ...] = (
    _no_header, mixed, _reserved, _there_is, _no_later_than, _none_then, _if_any, bare_quantifier, _else, _unless, _must_be,
    _between, _at_least, _exactly, _all, _recorded_within, _without_is, _satisfies_clause, _length_of, _programmers_signs,
    _spelling_of_names, _for_every, _length_of_time, _no_require,
)  # fmt: skip
