"""The first look at a policy text: its words, its forbidden characters, its limits.

Finds all mistakes of single characters in one pass and hands the parser a repaired text of the same length (comments
blanked, so that they may stand inside an operator of several words; curly quotation marks straightened), so that these
mistakes do not hide those that follow. Offsets are those of the source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from policyengine.core.diagnostic import Diagnostic, Source, Span

MAX_SOURCE_SIZE = 1024 * 1024
MAX_NESTING = 200
MAX_NAME_LENGTH = 200
MAX_PROBLEMS = 500

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>\#[^\n]*)
  | (?P<long>\"{3}[\s\S]*?\"{3})
  | (?P<open_long>\"{3}[^\n]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<open_string>"[^\n]*)
  | (?P<curly>[“”„‟«»][^“”„‟«»"\n]*[“”„‟«»"]|[‘’‚‹›][^‘’‚‹›'"\n]*[‘’‚‹›])
  | (?P<single>'[^'"\n]*')
  | (?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)
  | (?P<word>\w+)
  | (?P<symbol><=|>=|!=|==|&&|\|\||[()\[\]{}:,.=<>+\-%])
  | (?P<other>.)
    """,
    re.VERBOSE,
)
_NOT_PLAIN = re.compile(r"[^\x20-\x7e\t\n\r]")
_BAD_ESCAPE = re.compile(r'\\[^"\\n]')
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_WORDS_FOR_SYMBOLS = {
    "≥": "is at least", "≤": "is at most", "≠": "is not", "–": "-", "—": "-", "−": "-", "∧": "and", "∨": "or", "¬": "not",
    "!": "not", "&": "and", "|": "or", "…": "..",
}  # fmt: skip
_PREFIXES = frozenset("not then of + -".split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number, date, text or sign as the author sees it. ``kind``: word, moment, string, symbol."""

    kind: str
    text: str
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Scan:
    """``text`` is what to parse, ``damage`` where the problems are; ``too_large``: over a limit, nothing is parsed."""

    text: str
    words: tuple[Word, ...]
    problems: tuple[Diagnostic, ...]
    damage: tuple[Span, ...]
    too_large: bool


def scan(source: Source) -> Scan:
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_SIZE:
        return _refused(Diagnostic(
            "PE107", f"the file has {size} bytes; the limit `max source size` is {MAX_SOURCE_SIZE}",
            file=source.name, hint="divide the rules among several files",
        ))  # fmt: skip
    seen = _Seen(source)
    for match in _TOKEN.finditer(source.text):
        seen.take(match.lastgroup or "", match[0], match.start())
        seen.line += match[0].count("\n")
    seen.find_hidden()
    too_large = seen.find_limits()
    order = sorted(range(len(seen.problems)), key=lambda index: seen.damage[index].start)
    return Scan(
        "".join(seen.repaired), tuple(seen.words), tuple(seen.problems[index] for index in order),
        tuple(seen.damage[index] for index in order), too_large,
    )  # fmt: skip


def _refused(problem: Diagnostic) -> Scan:
    return Scan("", (), (problem,), (), too_large=True)


def too_many(source: Source, place: Span) -> Diagnostic:
    """What stands at the end of a list of mistakes that goes on."""
    message = f"more mistakes than the limit `max problems`, {MAX_PROBLEMS}; the rest is not listed"
    return Diagnostic.at(source, place, "PE107", message, hint="mend these first")


class _Seen:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.words: list[Word] = []
        self.repaired: list[str] = []
        self.problems: list[Diagnostic] = []
        self.damage: list[Span] = []
        self.line = 1

    def wrong(self, start: int, end: int, code: str, message: str, hint: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            span = Span(start, end)
            self.problems.append(Diagnostic.at(self.source, span, code, message, hint=hint))
            self.damage.append(span)

    def take(self, kind: str, text: str, start: int) -> None:
        if kind == "comment":
            self.repaired.append(" " * len(text))
        elif kind == "other":
            self.repaired.append(" " * len(text))
            self.foreign(text, start)
        elif kind in ("curly", "single", "open_string", "open_long"):
            self.keep("string", self.mend(kind, text, start), start)
        elif kind == "space":
            self.repaired.append(text)
        else:
            self.keep("string" if kind == "long" else kind, text, start)
            if kind == "string":
                for escape in _BAD_ESCAPE.finditer(text.replace("\\\\", "..")):
                    place = start + escape.start()
                    hint = 'a text knows `\\"`, `\\\\` and `\\n`; for a backslash write two'
                    self.wrong(place, place + 2, "PE108", f"`{escape[0]}` has no meaning in a text", hint)
            elif kind == "word" and not text.isascii():
                self.look_alike(text, start)

    def keep(self, kind: str, text: str, start: int) -> None:
        self.words.append(Word(kind, text, start, start + len(text), self.line))
        self.repaired.append(text)

    def mend(self, kind: str, text: str, start: int) -> str:
        """Reports a text that does not stand between straight double quotes, and gives one of the same length that does."""
        end = start + len(text)
        if kind == "curly":
            message = 'curly quotation marks come from a word processor; use straight ones (")'
            self.wrong(start, end, "PE105", message, f'write "{_short(text[1:-1])}"')
        elif kind == "single":
            self.wrong(start, end, "PE105", 'a text stands between double quotation marks (")', f'write "{_short(text[1:-1])}"')
        else:
            marks = "three quotation marks" if kind == "open_long" else 'a quotation mark (")'
            hint = f"end it with {marks}"
            if kind == "open_string" and re.search("[“”„]", text):
                hint = "its closing quotation mark is a curly one; use a straight one"
            self.wrong(start, end, "PE103", "this text is never closed", hint)
            text = text.rstrip("\r").ljust(len(text))
        inner = re.sub(r'["\\]', " ", text[1:-1])
        return f'"{inner}"' if len(text) > 1 else " "

    def foreign(self, text: str, start: int) -> None:
        if not _hidden(text) and text != "\ufeff":
            meant = _WORDS_FOR_SYMBOLS.get(text)
            hint = f"write `{meant}`" if meant else "outside quotation marks only letters a to z, digits and signs are used"
            if text == ";":
                hint = "clauses need no sign between them"
            elif text in "“”„‟«»‘’‚‹›":
                hint = 'use straight quotation marks (")'
            self.wrong(start, start + 1, "PE104", f"the character `{text}` does not belong here", hint)

    def look_alike(self, text: str, start: int) -> None:
        for index, letter in enumerate(text):
            if not letter.isascii() and not _hidden(letter):
                name = unicodedata.name(letter, "no name").lower()
                self.wrong(
                    start + index, start + index + 1, "PE104", f"the letter `{letter}` does not belong in a name",
                    f"it is U+{ord(letter):04X}, {name}; names have only the letters a to z",
                )  # fmt: skip
                return

    def find_hidden(self) -> None:
        """Characters that nobody sees, anywhere in the file: they could make a text read otherwise than it is judged."""
        if self.source.text.startswith("\ufeff"):
            self.repaired[0] = " " + self.repaired[0][1:]
        for match in _NOT_PLAIN.finditer(self.source.text):
            character, at = match[0], match.start()
            if _hidden(character) and not (at == 0 and character == "\ufeff"):
                name = unicodedata.name(character, "a control character").lower()
                message = f"an invisible character, U+{ord(character):04X} ({name}), stands here"
                self.wrong(at, at + 1, "PE106", message, "delete it and type the text again")

    def find_limits(self) -> bool:
        before = len(self.problems)
        for word in self.words:
            if word.kind == "word" and len(word.text) > MAX_NAME_LENGTH:
                message = f"this name has {len(word.text)} letters; the limit `max name length` is {MAX_NAME_LENGTH}"
                self.limit(Span(word.start, word.start + 40), message)
                break
        deepest = next((word for word, depth in _depths(self.words) if depth > MAX_NESTING), None)
        if deepest:
            message = f"conditions are nested deeper than the limit `max nesting`, {MAX_NESTING}"
            self.limit(Span(deepest.start, deepest.end), message)
        full = len(self.problems) >= MAX_PROBLEMS
        if full:
            self.problems.append(too_many(self.source, self.damage[-1]))
            self.damage.append(self.damage[-1])
        return full or len(self.problems) > before

    def limit(self, span: Span, message: str) -> None:
        self.problems.append(Diagnostic.at(self.source, span, "PE107", message, hint="divide it into smaller parts"))
        self.damage.append(span)


def _depths(words: list[Word]) -> Iterator[tuple[Word, int]]:
    """How deep the syntax tree can be at each word: open brackets, and chains such as `not not not` in each of them."""
    chains, total = [0], 0
    for word in words:
        if word.kind == "string" or word.kind == "moment":
            continue
        if word.text in "([{":
            chains.append(1)
            total += 1
        elif word.text in ")]}" and len(chains) > 1:
            total -= chains.pop()
        elif word.text in _PREFIXES:
            chains[-1] += 1
            total += 1
        elif word.text in ("and", "or", ",", "require", "forbid", "rule", "test", "when", "given", "expect"):
            floor = 1 if len(chains) > 1 else 0
            total -= chains[-1] - floor
            chains[-1] = floor
        yield word, total


def _hidden(character: str) -> bool:
    code = ord(character)
    return (
        (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character not in "\t\n\r")
        or character in _BLANK_LETTERS
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0100 <= code <= 0xE01EF
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:38]}.."
