"""What lives between the grammar and the syntax tree: clauses that wait for their declaration, and readings of tokens.

``build`` makes them bottom up, ``assemble`` takes the pieces of a declaration and finds the doubles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from policyengine.core.diagnostic import Span
from policyengine.lang import syntax as s

Children = list[Any]

ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class Parenthesised:
    """A condition with its parentheses; lives only until the node around it is built."""

    span: Span
    inner: Any


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause of a header, rule, capa or test: the word that opens it, where that stands, and what it says."""

    span: Span
    key: str
    key_span: Span
    value: Any


@dataclass(frozen=True, slots=True)
class Pieces:
    """A declaration made of pieces. ``kind``: header, rule, test. ``damaged`` where some of them could not be read."""

    span: Span
    kind: str
    items: tuple[Any, ...]
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """What a test says about the completeness of a given list."""

    span: Span
    incomplete: bool
    covers_from: s.Literal | None
    covers_until: s.Literal | None


def words(text: str) -> str:
    """White space folded to one space."""
    return " ".join(text.split())


def unescaped(token_text: str) -> str:
    return re.sub(r"\\.", lambda match: ESCAPES.get(match[0], match[0]), token_text[1:-1])


def folded(token_text: str) -> str:
    """A long text: lines joined by one space, an empty line kept as the end of a paragraph."""
    paragraphs = re.split(r"\n[ \t\r]*\n", token_text[3:-3])
    return "\n\n".join(filter(None, map(words, paragraphs)))


def is_token(child: Any) -> bool:
    return hasattr(child, "start_pos")


def span_of(child: Any) -> Span:
    span: Span = Span(child.start_pos, child.end_pos) if is_token(child) else child.span
    return span


def whole_span(children: Children) -> Span:
    return Span(span_of(children[0]).start, span_of(children[-1]).end)


def opened(child: Any) -> Any:
    return child.inner if isinstance(child, Parenthesised) else child


def nodes_of(children: Children) -> list[Any]:
    return [opened(child) for child in children if not is_token(child)]


def tokens_of(children: Children, *kinds: str) -> list[Any]:
    return [child for child in children if is_token(child) and (not kinds or child.type in kinds)]


def following(children: Children, kind: str) -> Any:
    """What follows the token of this kind, or None if there is no such token."""
    for index, child in enumerate(children):
        if is_token(child) and child.type == kind:
            return opened(children[index + 1])
    return None


def name_of(token: Any) -> s.Name:
    return s.Name(span_of(token), str(token))


def text_of(token: Any) -> s.Text:
    return s.Text(span_of(token), unescaped(token))


def piece_of(children: Children, value: Any, key: str = "") -> Piece:
    return Piece(whole_span(children), key or str(children[0]), span_of(children[0]), value)


def first_of(children: Children, kind: type) -> Any:
    return next((child for child in children if isinstance(child, kind)), None)
