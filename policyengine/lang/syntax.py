"""The syntax tree: what an author wrote, before names and types are known. Frozen; every node has the span of its text.

``parse`` makes it from text, ``check`` turns it into a plan. Here are the declarations; the conditions in them are in
``terms`` and can be named from here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from policyengine.core.diagnostic import Source, Span
from policyengine.lang.terms import (
    Adjacent,
    Aggregate,
    And,
    Call,
    Comparison,
    Comprehension,
    Consecutive,
    Contains,
    DateOf,
    Deadline,
    Distinct,
    During,
    Expr,
    If,
    InForce,
    ListLiteral,
    Literal,
    Lookup,
    Matches,
    Name,
    NoGap,
    Not,
    OneOf,
    Or,
    Path,
    Quantified,
    Reachable,
    Recorded,
    RecordLiteral,
    Recur,
    Sum,
    Value,
    Within,
)

__all__ = [
    "Adjacent", "Aggregate", "Allowed", "And", "Call", "Capa", "Clause", "Comparison", "Comprehension", "Consecutive",
    "Contains", "DateOf", "Deadline", "Define", "Distinct", "During", "Expect", "Expr", "ForEach", "Given", "Header", "If",
    "InForce", "Let", "ListLiteral", "Literal", "Lookup", "Matches", "Name", "NoGap", "Not", "OneOf", "Or", "Parameter",
    "Path", "Policy", "Quantified", "Reachable", "RecordLiteral", "Recorded", "Recur", "Reference", "Rule", "Sum", "Table",
    "Test", "Text", "TypeName", "Use", "Value", "Within", "walk",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the author's, triple quotes and escapes resolved. Holes ``{path}`` are found by the checker."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Use:
    span: Span
    id: Name
    version: str
    alias: Name | None


@dataclass(frozen=True, slots=True)
class Header:
    """``policy id version V`` and its clauses; None where a clause is not written."""

    span: Span
    id: Name
    version: str
    language: str | None = None
    title: str | None = None
    owner: str | None = None
    purpose: str | None = None
    effective_from: Literal | None = None
    effective_until: Literal | None = None
    time_zone: Text | None = None


@dataclass(frozen=True, slots=True)
class TypeName:
    """``duration``, or ``list of text`` with ``many``."""

    span: Span
    name: str
    many: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """``allowed low to high``, or ``allowed [..]`` with ``values``."""

    span: Span
    low: Literal | None
    high: Literal | None
    values: ListLiteral | None


@dataclass(frozen=True, slots=True)
class Parameter:
    span: Span
    name: Name
    type: TypeName
    value: Value
    allowed: Allowed | None
    note: Text | None


@dataclass(frozen=True, slots=True)
class Table:
    """``parameter limit: duration by patch.severity = { critical: 14 days, .. }``."""

    span: Span
    name: Name
    type: TypeName
    key: Path
    entries: RecordLiteral
    allowed: Allowed | None
    note: Text | None


@dataclass(frozen=True, slots=True)
class Let:
    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Define:
    """``parameters`` are pairs of name and type name (a record type or a plain type)."""

    span: Span
    name: Name
    parameters: tuple[tuple[Name, Name], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Reference:
    """``relation``: meets or supports."""

    span: Span
    relation: str
    framework: Name
    controls: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """``if_none``: pass, fail, unknown, not applicable, or None when left out."""

    span: Span
    variable: Name
    collection: Expr
    where: Expr | None
    if_none: str | None


@dataclass(frozen=True, slots=True)
class Clause:
    """``kind``: require, forbid, except, unknown. ``because`` for the last two, ``message`` for the first two."""

    span: Span
    kind: str
    condition: Expr
    if_unknown_fail: bool
    message: Text | None
    because: Text | None


@dataclass(frozen=True, slots=True)
class Capa:
    span: Span
    category: Text | None = None
    owner: Text | None = None
    due_in: Literal | None = None
    group_by: tuple[Path, ...] = ()
    correction: Text | None = None
    corrective: Text | None = None
    preventive: Text | None = None
    effectiveness: Text | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """``damaged`` where a clause of it could not be read."""

    span: Span
    id: Name
    title: Text
    references: tuple[Reference, ...]
    severity: Name | None
    because: Text | None
    applies: Expr | None
    loops: tuple[ForEach, ...]
    clauses: tuple[Clause, ...]
    capa: Capa | None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """``given path is value [incomplete | covering a to b]``, or ``given path from "file"`` with ``file``."""

    span: Span
    path: Path
    value: Value | None
    incomplete: bool = False
    covers_from: Literal | None = None
    covers_until: Literal | None = None
    file: Text | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """``outcome`` in words: pass, fail, unknown, not applicable, not yet due, waived, error."""

    span: Span
    rule: Name
    outcome: str
    subject: Value | None


@dataclass(frozen=True, slots=True)
class Test:
    span: Span
    title: Text
    given: tuple[Given, ...]
    at: Literal | None
    expect: tuple[Expect, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One file."""

    source: Source
    header: Header
    uses: tuple[Use, ...]
    parameters: tuple[Parameter, ...]
    tables: tuple[Table, ...]
    lets: tuple[Let, ...]
    defines: tuple[Define, ...]
    rules: tuple[Rule, ...]
    tests: tuple[Test, ...]


def walk(tree: object) -> Iterator[object]:
    """Every node of a part of the tree, parents first; nothing recurses."""
    pending = [tree]
    while pending:
        each = pending.pop()
        if isinstance(each, tuple):
            pending.extend(reversed(each))
        elif is_dataclass(each) and not isinstance(each, Span):
            yield each
            pending.extend(getattr(each, part.name) for part in reversed(fields(each)))
