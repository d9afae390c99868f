"""Where parentheses are demanded, and the two ways to set them."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.lang.stop import Stop, Told, shortened

QUANTIFIERS = frozenset("some no every the if".split())
CONDITION_OPENERS = frozenset("require forbid when where satisfies then as be if".split())
CONDITION_CLOSERS = frozenset(
    "require forbid message because satisfies then capa except expect given rule test let define parameter use meets "
    "supports severity applies for where".split()
)


def _operand_bounds(stop: Stop) -> tuple[int, int]:
    """Indexes of the first word of the condition around the stop, and of the word after its last."""
    return next(_walk(stop, -1), stop.first) + 1, next(_walk(stop, 1), len(stop.words))


def _walk(stop: Stop, step: int) -> Iterator[int]:
    """The word before (-1) or after (1) which the condition begins or ends, at the bracket depth of the stop."""
    opening, closing = (")]}", "([{") if step < 0 else ("([{", ")]}")
    ends = CONDITION_OPENERS if step < 0 else CONDITION_CLOSERS
    depth, index = 0, stop.index + step
    while 0 <= index < len(stop.words):
        word = stop.words[index]
        bare = word.kind != "string" and not (index and stop.words[index - 1].text == ".")
        if bare and word.text in opening:
            depth += 1
        elif bare and word.text in closing:
            depth -= 1
        if depth < 0 or (depth == 0 and bare and (word.text in ends or word.text == ",")):
            yield index
            return
        index += step


def _last_joint(stop: Stop, first: int, joint: str) -> int | None:
    depth, found = 0, None
    for index in range(first, stop.index):
        text = stop.words[index].text
        depth += (text in "([{") - (text in ")]}") if stop.words[index].kind == "symbol" else 0
        if depth == 0 and text == joint and stop.words[index].kind == "word":
            found = index
    return found


def mixed(stop: Stop, text: str) -> Told | None:
    word = stop.text()
    other = {"and": "or", "or": "and"}.get(word, "")
    if not other or other.upper() not in stop.expected or word.upper() in stop.expected:
        return None
    first, end = _operand_bounds(stop)
    joint = _last_joint(stop, first, other)
    if joint is None or joint == first or stop.index + 1 >= end:
        hint = f"put the `{word}` part or the `{other}` part in parentheses"
    else:

        def piece(begin: int, last: int) -> str:
            return shortened(text[stop.words[begin].start : stop.words[last].end])

        before, middle, after = piece(first, joint - 1), piece(joint + 1, stop.index - 1), piece(stop.index + 1, end - 1)
        hint = f"write `({before} {other} {middle}) {word} {after}`, or `{before} {other} ({middle} {word} {after})`"
    return Told("PE110", stop.span(), "`and` and `or` meet without parentheses", hint)


def bare_quantifier(stop: Stop, text: str) -> Told | None:
    word, joint = stop.text(), stop.text(-1)
    if word == "is" and stop.text(1) in ("preceded", "followed"):
        first = stop.index - 1
        while first - 1 > stop.first and stop.words[first - 1].text == ".":
            first -= 2
        event = text[stop.words[first].start : stop.words[stop.index - 1].end]
        hint = f"write `({shortened(event)} is {stop.text(1)} by ..)`"
        return Told("PE111", stop.span(0, 1), "a quantifier inside a larger condition needs parentheses", hint)
    if word not in QUANTIFIERS or joint not in ("and", "or", "where", "satisfies", "not", "if") or stop.kind() != "word":
        return None
    if word == "if":
        message, hint = "an `if` inside a larger condition needs parentheses", f"write `{joint} (if .. then ..)`"
        return Told("PE111", stop.span(), message, hint)
    _, end = _operand_bounds(stop)
    head = shortened(text[stop.words[stop.index].start : stop.words[max(stop.index, end - 1)].end])
    following = stop.words[end].text if end < len(stop.words) else ""
    tail = f" {following} .." if following in ("where", "satisfies") else ""
    last = 1 if word == "the" else 0
    return Told(
        "PE111",
        stop.span(0, last),
        "a quantifier inside a larger condition needs parentheses",
        f"write `{joint} ({head}{tail})`",
    )
