"""Everything a user reads about a mistake: code, severity, place, one phrase, hint.

Families (the second digit): PE1 syntax, PE2 names and types, PE3 lint, PE4 evidence, PE5 evaluation, PE6 signing and
verification, PE7 packs and library, PE8 configuration, profile and waivers. A code is never used again for another thing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

TAB = "\t"
WIDEST_EXCERPT = 200


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of character offsets into a source text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A named text. Lines and columns count from 1, in characters."""

    name: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        line_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset) + 1, offset - line_start + 1

    def line_at(self, offset: int) -> str:
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. ``file`` with ``line``/``column`` (text) or ``pointer`` (JSON); ``excerpt`` and ``width`` draw the caret.

    Of a long line the excerpt is the part around the caret; ``left_out`` characters of the line stand before it.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int = 0
    column: int = 0
    pointer: str = ""
    hint: str = ""
    note: str = ""
    excerpt: str = ""
    width: int = 1
    left_out: int = 0

    @staticmethod
    def at(source: Source, span: Span, code: str, message: str, *, hint: str = "", note: str = "",
           severity: Severity = Severity.ERROR) -> Diagnostic:  # fmt: skip
        """A diagnostic that points into a source text."""
        line, column = source.place(span.start)
        excerpt = source.line_at(span.start)
        left_out = max(0, column - 1 - WIDEST_EXCERPT // 2) if len(excerpt) > WIDEST_EXCERPT else 0
        excerpt = excerpt[left_out : left_out + WIDEST_EXCERPT]
        width = max(1, min(span.end - span.start, len(excerpt) + left_out - column + 1))
        return Diagnostic(code, message, severity, source.name, line, column, "", hint, note, excerpt, width, left_out)

    @property
    def headline(self) -> str:
        """``file:line:column: error[PE201]: message``, or with a JSON pointer: ``file: error[..] at /pointer: message``."""
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else (f"{self.file}: " if self.file else "")
        pointer = f" at {self.pointer}" if self.pointer else ""
        return shown(f"{place}{self.severity}[{self.code}]{pointer}: {self.message}")

    def render(self) -> str:
        """Headline, the source line with a caret under it, hint and note; no final newline."""
        lines = [self.headline]
        if self.excerpt:
            number = str(self.line)
            margin = " " * len(number)
            lead = "".join(TAB if c == TAB else " " for c in self.excerpt[: self.column - 1 - self.left_out])
            lines.append(f"{number} | {shown(self.excerpt, TAB)}")
            lines.append(f"{margin} | {lead}{'^' * self.width}" + (f" {shown(self.hint)}" if self.hint else ""))
        elif self.hint:
            lines.append(f"  = {shown(self.hint)}")
        if self.note:
            lines.append(f"  = {shown(self.note)}")
        return "\n".join(lines)


class Refusal(Exception):
    """Nothing was decided: carries one or more diagnostics to the door, which prints them and exits with 2."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.headline for d in diagnostics))
        self.diagnostics = diagnostics


def shown(text: str, keep: str = "") -> str:
    """Text from anywhere, safe on a terminal and in a log: control, format and bidirectional characters are escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or not _hidden(c) else f"\\u{{{ord(c):04x}}}" for c in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most likely means, or None."""
    import difflib

    folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None
