"""Where a text stopped making sense, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyengine.core.diagnostic import Span
from policyengine.lang.scan import Word

RESERVED = frozenset(
    "after and as at be because before by consecutive contains count date distinct due during earliest every except "
    "expect false for forbid from given if in is largest latest least less let matches more most no none not null "
    "of on or per recorded recur require satisfies share smallest some sum than the then to true unknown when where "
    "within".split()
)


@dataclass(frozen=True, slots=True)
class Stop:
    """The word at which a text stopped making sense: ``words[index]``, or the end of the file if there is none.

    ``at`` is the exact character, ``expected`` the terminals that could have stood there, ``first`` the word that opened
    the damaged clause and ``last`` the one that opens the next.
    """

    words: Sequence[Word]
    index: int
    at: int
    expected: frozenset[str]
    first: int
    last: int

    @property
    def ended(self) -> bool:
        """Whether the clause itself is over, and what stopped the reading is the first word of the next."""
        return self.index >= self.last

    def text(self, step: int = 0) -> str:
        """The word at this distance, or nothing. A quoted text is given with its quotation marks."""
        index = self.index + step
        return self.words[index].text if 0 <= index < len(self.words) else ""

    def kind(self, step: int = 0) -> str:
        index = self.index + step
        return self.words[index].kind if 0 <= index < len(self.words) else ""

    def span(self, first: int = 0, last: int = 0) -> Span:
        """From the word at one distance to the end of the word at another."""
        return Span(self.words[self.index + first].start, self.words[min(self.index + last, len(self.words) - 1)].end)


@dataclass(frozen=True, slots=True)
class Told:
    """A message of its own for a mistake."""

    code: str
    span: Span
    message: str
    hint: str = ""


def shortened(text: str, limit: int = 48) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else f"{folded[: limit - 3].rsplit(' ', 1)[0]} .."
