"""Reads on after a mistake: declaration by declaration, and inside a header, rule or test clause by clause.

Every clause opens with a word of its own, so a damaged one ends where the next begins. The healthy ones are parsed apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.lang.first_wordings import BINDERS, UNDERSCORES
from policyengine.lang.pieces import Piece, Pieces
from policyengine.lang.scan import MAX_PROBLEMS, Scan, Word, too_many
from policyengine.lang.stop import Stop
from policyengine.lang.syntax import Name
from policyengine.lang.wording import explained

OPENERS = {
    "header": ("title", "owner", "purpose", "effective", "time zone", "language"),
    "rule": (
        "meets", "supports", "severity", "applies when", "require", "forbid", "unknown when", "except when", "capa",
    ),
    "test": ("given", "at", "expect"),
}  # fmt: skip
UNREAD_VERSION = "0"
DECLARATIONS = frozenset("use parameter let define rule test".split())


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a piece of text stopped making sense, and the kinds of word that could have stood there."""

    at: int
    expected: frozenset[str]


class Fragment:
    """The words from ``first`` to before ``last``, and the text from the first of them to where the next one begins."""

    __slots__ = ("begin", "end", "first", "last")

    def __init__(self, scan: Scan, first: int, last: int) -> None:
        self.first, self.last = first, last
        length = len(scan.text)
        self.begin = scan.words[first].start if first < len(scan.words) else length
        self.end = scan.words[last].start if last < len(scan.words) else length


Reader = Callable[[str, int, int], Any]


def recovered(source: Source, scan: Scan, read: Reader) -> tuple[list[Any], list[Diagnostic], frozenset[str]]:
    """The healthy declarations, all syntax errors, and the names of the declarations that are lost; over a limit, none.

    ``read(start, begin, end)`` parses a piece of the text with that start of the grammar and gives its value or a ``Failure``.
    """
    found: list[Any] = []
    problems: list[Diagnostic] = []
    lost: set[str] = set()
    told: set[str] = set()
    bounds = [0, *declaration_starts(scan.words), len(scan.words)]
    for number, (first, last) in enumerate(pairwise(bounds)):
        fragment = Fragment(scan, first, last)
        kind = "header" if number == 0 else scan.words[first].text
        value, failures = _declaration(scan, fragment, kind, read)
        if value is not None:
            found.append(value)
        elif kind != "header" and first + 1 < last:
            lost |= _names_of(scan, fragment, kind)
        for problem in _explanations(source, scan, failures):
            if problem.message == UNDERSCORES:
                if kind == "test" and problem.hint in told:
                    continue
                told.add(problem.hint)
            problems.append(problem)
        if len(problems) >= MAX_PROBLEMS:
            problems.append(too_many(source, Span(fragment.end - 1, fragment.end)))
            return [], problems, frozenset()
    return found, problems, frozenset(lost)


def declaration_starts(words: Sequence[Word]) -> Iterator[int]:
    """The words that open a declaration, also where what follows is damaged; not the same words as names of fields."""
    for index, word in enumerate(words):
        if not index or word.kind != "word" or word.text not in DECLARATIONS or words[index - 1].text == ".":
            continue
        following = words[index + 1 : index + 3]
        clear = len(following) < 2 or _opens(word.text, following[0], following[1])
        if clear or (word.line > words[index - 1].line and _is_opener(words, index)):
            yield index


def _opens(keyword: str, first: Word, second: Word) -> bool:
    if keyword == "test":
        return first.kind == "string"
    if keyword == "rule":
        return first.kind == "word" and (second.kind == "string" or second.text in "-.")
    if keyword == "use":
        return first.kind == "word" and second.text in ("version", "-", ".")
    return first.kind == "word" and second.text == {"let": "be", "parameter": ":", "define": "("}[keyword]


def _is_opener(words: Sequence[Word], index: int) -> bool:
    before = words[index - 1].text if index else ""
    after = words[index + 1].text if index + 1 < len(words) else ""
    joined = index + 1 < len(words) and words[index].end == words[index + 1].start
    return before not in (".", "{") and after not in (":", ",", "]", "}", ")") and not (joined and after in (".", "-"))


def _part_starts(words: Sequence[Word], fragment: Fragment, kind: str) -> Iterator[int]:
    for index in range(fragment.first + 1, fragment.last):
        if words[index].kind != "word" or words[index - 1].text in ("policy", "rule", "expect") or not _is_opener(words, index):
            continue
        if kind == "rule" and is_loop(words, index):
            yield index
            continue
        for opener in OPENERS[kind]:
            first, _, second = opener.partition(" ")
            if words[index].text != first or (second and (index + 1 >= fragment.last or words[index + 1].text != second)):
                continue
            if opener != "at" or (index + 1 < fragment.last and words[index + 1].kind == "moment"):
                yield index


def is_loop(words: Sequence[Word], index: int) -> bool:
    """Whether a ``for each`` begins here, also one that is written in other words: ``for every``, ``x in list``."""
    here, *after = [word.text for word in words[index : index + 4]] or [""]
    if here == "for":
        return (
            after[:1] in (["each"], ["every"])
            or after[1:2] == ["in"]
            or (after[:1] in (["all"], ["any"]) and after[2:] == ["in"])
        )
    begins_line = index > 0 and words[index].line > words[index - 1].line
    return begins_line and after[:1] == ["in"] and words[index].kind == "word" and words[index - 1].text not in BINDERS


def _declaration(scan: Scan, fragment: Fragment, kind: str, read: Reader) -> tuple[Any, list[tuple[Fragment, Failure]]]:
    whole = read("header" if kind == "header" else "declaration", fragment.begin, fragment.end)
    if not isinstance(whole, Failure):
        return whole, []
    if kind not in OPENERS:
        return None, [(fragment, whole)]
    bounds = [fragment.first, *_part_starts(scan.words, fragment, kind), fragment.last]
    items: list[Any] = []
    failures: list[tuple[Fragment, Failure]] = []
    usable = True
    for first, last in pairwise(bounds):
        part = Fragment(scan, first, last)
        value = read(f"{kind}_head" if first == fragment.first else f"{kind}_part", part.begin, part.end)
        if isinstance(value, Failure):
            if not failures and value.at == whole.at:
                value = whole
            failures.append((part, value))
            loop = is_loop(scan.words, first)
            usable = usable and first != fragment.first and not loop
        else:
            items += value if isinstance(value, list) else [value]
    if kind == "header" and not usable:
        usable = _named_header(scan, items)
    pieces = Pieces(Span(fragment.begin, items[-1].span.end), kind, tuple(items), damaged=True) if usable and items else None
    return pieces, failures or [(fragment, whole)]


def _named_header(scan: Scan, items: list[Any]) -> bool:
    """Where only the version is damaged, the id still names the policy."""
    words = scan.words
    if len(words) < 2 or words[0].text != "policy" or words[1].kind != "word":
        return False
    name = _id_at(scan, 1)
    span = Span(words[1].start, words[1].start + len(name))
    items.insert(0, Piece(Span(words[0].start, span.end), "policy", span, (Name(span, name), UNREAD_VERSION)))
    return True


def _names_of(scan: Scan, fragment: Fragment, kind: str) -> set[str]:
    """What a lost declaration would have been called; a used policy by its id, or by the name after ``as``."""
    name = _id_at(scan, fragment.first + 1)
    if kind != "use":
        return {name}
    words = scan.words[fragment.first : fragment.last]
    return {name.replace("-", "_")} | {after.text for word, after in pairwise(words) if word.text == "as"}


def _explanations(source: Source, scan: Scan, failures: list[tuple[Fragment, Failure]]) -> Iterator[Diagnostic]:
    for part, failure in failures:
        if any(part.begin <= span.start < part.end for span in scan.damage):
            continue
        index = bisect_right(scan.words, failure.at, key=lambda word: word.start) - 1
        if index < 0 or scan.words[index].end <= failure.at:
            index += 1
        yield explained(source, Stop(scan.words, index, failure.at, failure.expected, part.first, part.last))


def _id_at(scan: Scan, index: int) -> str:
    """The name or hyphenated id that begins at a word."""
    end = index
    while (
        end + 1 < len(scan.words)
        and scan.words[end].end == scan.words[end + 1].start
        and scan.words[end + 1].text[0] not in '":('
    ):
        end += 1
    return scan.text[scan.words[index].start : scan.words[end].end]
