"""Wordings that the grammar accepts but that cannot mean what their author thinks: found in the words, before any types.

``is "x" or "y"``, and ``every day`` as an interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.lang.scan import MAX_PROBLEMS, Word, too_many
from policyengine.lang.stop import shortened

UNITS = frozenset("second minute hour day week month year".split())
NEXT_TO_LITERAL = frozenset("is contains matches recur = != == < > <= >= + -".split())


def odd_wordings(source: Source, words: Sequence[Word]) -> Iterator[Diagnostic]:
    for number, problem in enumerate(_each(source, words)):
        if number == MAX_PROBLEMS:
            yield too_many(source, Span(words[-1].start, words[-1].end))
            return
        yield problem


def _each(source: Source, words: Sequence[Word]) -> Iterator[Diagnostic]:
    for index, word in enumerate(words):
        before = words[index - 1].text if index else ""
        after = words[index + 1].text if index + 1 < len(words) else ""
        span = Span(word.start, word.end)
        if word.text in UNITS and before == "every" and index > 1 and words[index - 2].text == "least":
            example = "`26 hours` leaves room for a late start" if word.text == "day" else "give it some room for a late start"
            yield Diagnostic.at(
                source, span, "PE131", f"`every {word.text}` is not a length of time", hint=f"write `1 {word.text}`; {example}"
            )
        elif before in ("or", "and") and word.kind == "string" and index > 3 and after not in NEXT_TO_LITERAL:
            yield from _second_choice(source, words, index)


def _second_choice(source: Source, words: Sequence[Word], index: int) -> Iterator[Diagnostic]:
    """``is "x" or "y"``: the second text would be a condition of its own."""
    first = words[index - 2]
    negated = words[index - 3].text == "not"
    operator = words[index - 4 if negated else index - 3].text
    if first.kind != "string" or operator not in ("is", "=", "!=", "or", "and"):
        return
    word = "is not one of" if negated or operator == "!=" else "is one of"
    yield Diagnostic.at(
        source, Span(words[index - 1].start, words[index].end), "PE130",
        f"`{words[index - 1].text}` joins conditions, and a text alone is none",
        hint=f"write `{word} [{shortened(first.text, 30)}, {shortened(words[index].text, 30)}]`",
    )  # fmt: skip
