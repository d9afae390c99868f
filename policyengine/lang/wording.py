"""What an author reads about a syntax error.

The wordings that people try first get a message of their own that says what to write instead; everything else is told
in a few human words, never in terms of the grammar.
"""

from __future__ import annotations

from policyengine.core.diagnostic import Diagnostic, Source, Span, nearest
from policyengine.lang.first_wordings import FIRST_WORDINGS
from policyengine.lang.parentheses import CONDITION_CLOSERS
from policyengine.lang.stop import RESERVED, Stop, shortened

RULE_ORDER = (
    "order in a rule: references, severity, because; applies when; for each; require, forbid, unknown when, except when; capa"
)
RULE_WORDS = frozenset("meets supports severity because applies for require forbid except unknown capa".split())
TERMINAL_WORDS = (
    (("RPAR",), "`)`"),
    (("RSQB",), "`]`"),
    (("RBRACE",), "`}`"),
    (("POLICY",), "`policy`"),
    (("VERSION_WORD",), "`version`"),
    (("VERSION",), "a version number"),
    (("ID",), "an id such as `my-rule`"),
    (("SEVERITY",), "critical, major, minor or observation"),
    (("NONE_RESULT",), "pass, fail, unknown or not applicable"),
    (("OUTCOME",), "an outcome such as `pass` or `not yet due`"),
    (("NAME", "FIELD"), "a name"),
    (("INT", "BOOL"), "a value"),
    (("STRING", "LONG_STRING"), 'a text in quotation marks (")'),
    (("DURATION",), "a length of time such as `30 days`"),
    (("DATE", "TIMESTAMP"), "a date"),
    (("IS", "ORDER", "IS_RECORDED"), "a comparison such as `is`"),
    *(((word.upper(),), f"`{word}`") for word in "and or in be as".split()),
    (("COLON",), "`:`"),
    (("EQUAL",), "`=`"),
    *(((word.upper(),), f"`{word}`") for word in "then satisfies to from by of after before because when where".split()),
    (("LPAR",), "`(`"),
    (("LBRACE",), "`{`"),
    (("DUE",), "`due in`"),
    (("GROUP",), "`group by`"),
    (("ZONE",), "`zone`"),
    (("EXPECT",), "`expect`"),
    (("GIVEN",), "`given`"),
    (("REQUIRE", "FORBID"), "a clause such as `require`"),
    (("COMMA",), "`,`"),
    (("RULE", "TEST"), "the next `rule` or `test`"),
)
VALUE_STARTS = ("NAME", "INT", "STRING")
VALUES = frozenset("INT BOOL STRING LONG_STRING DURATION DATE TIMESTAMP".split())
OUTCOMES = ("pass", "fail", "unknown", "not applicable", "not yet due", "waived", "error")
MAX_EXPECTED = 5


def explained(source: Source, stop: Stop) -> Diagnostic:
    """The diagnostic of one syntax error."""
    if stop.index >= len(stop.words):
        return _at_end(source, stop)
    for wording in FIRST_WORDINGS:
        told = wording(stop, source.text)
        if told:
            return Diagnostic.at(source, told.span, told.code, told.message, hint=told.hint)
    if stop.ended and stop.index > stop.first:
        before, after = shortened(stop.text(-1), 24), shortened(stop.text(), 24)
        message = f"something is missing between `{before}` and `{after}`; expected {_listed(stop.expected)}"
        return Diagnostic.at(source, stop.span(-1, -1), "PE101", message, hint=f"write {_listed(stop.expected)} after this")
    return _unexpected(source, stop)


def _at_end(source: Source, stop: Stop) -> Diagnostic:
    if not stop.words:
        return Diagnostic.at(
            source, Span(0, 0), "PE102", "the file holds no policy", hint="begin with `policy my-rules version 1.0.0`"
        )
    last = stop.words[-1]
    message = f"the file ends too early; expected {_listed(stop.expected)}"
    return Diagnostic.at(
        source, Span(last.start, last.end), "PE102", message, hint=f"write {_listed(stop.expected)} after this"
    )


def _unexpected(source: Source, stop: Stop) -> Diagnostic:
    word = stop.words[stop.index]
    start = max(word.start, stop.at)
    found = "this text" if word.kind == "string" else f"`{shortened(source.text[start : word.end])}`"
    keyword = _meant(stop)
    if keyword:
        hint = f"did you mean `{keyword}`?"
    elif word.text in RULE_WORDS and "REQUIRE" in stop.expected:
        hint = RULE_ORDER
    elif word.text in RESERVED and word.kind == "word" and "NAME" in stop.expected:
        hint = f"`{word.text}` is a word of the language; only after a dot it may be a name"
    elif "SEVERITY" in stop.expected:
        hint = f"write {_listed(frozenset(['SEVERITY']))}"
    elif "OUTCOME" in stop.expected or "NONE_RESULT" in stop.expected:
        hint = _outcome(word.text, stop.expected)
    elif word.text == stop.text(-1):
        hint = f"leave out one `{shortened(word.text, 30)}`"
    elif {"AND", "OR"} <= stop.expected and word.kind != "symbol":
        hint = "join two conditions with `and` or `or`, or begin the next clause"
    else:
        hint = f"leave it out, or write {_listed(stop.expected)} before it"
    message = f"{found} does not belong here; expected {_listed(stop.expected)}"
    return Diagnostic.at(source, Span(start, word.end), "PE101", message, hint=hint)


def _outcome(word: str, expected: frozenset[str]) -> str:
    known = OUTCOMES if "OUTCOME" in expected else OUTCOMES[:4]
    close = next((each for each in known if word.startswith(each)), None) or nearest(word.replace("_", " "), known)
    return f"did you mean `{close}`?" if close else f"write {', '.join(known[:-1])} or {known[-1]}"


def _meant(stop: Stop) -> str | None:
    """The keyword that a misspelt word stands for, among those that could stand here."""
    word = stop.text()
    if stop.kind() != "word" or len(word) < 3 or word in RESERVED | RULE_WORDS | CONDITION_CLOSERS:
        return None
    possible = [name.removesuffix("_WORD").replace("_", " ").lower() for name in sorted(stop.expected) if name.isupper()]
    close = nearest(word, [keyword for keyword in possible if keyword.isalpha() and keyword not in _NOT_KEYWORDS])
    return close if close != word else None


_NOT_KEYWORDS = frozenset(
    "name id int string bool decimal percent literal timestamp duration order pick lpar rpar lsqb rsqb lbrace rbrace comma "
    "colon equal dot plus minus outcome field".split()
)


def _listed(expected: frozenset[str]) -> str:
    phrases: list[str] = []
    if expected.issuperset(VALUE_STARTS):
        phrases.append("a name or a value")
        expected -= VALUES | {"NAME", "LPAR"}
    elif expected.issuperset(("INT", "STRING")):
        phrases.append("a value")
        expected -= VALUES
    phrases += [phrase for terminals, phrase in TERMINAL_WORDS if expected.intersection(terminals)]
    phrases = phrases[:MAX_EXPECTED] or ["nothing more"]
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"
