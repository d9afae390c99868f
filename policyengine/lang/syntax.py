"""The syntax tree: what an author wrote, before names and types are known. Frozen; every node has the span of its text.

``parse`` makes it from text, ``check`` turns it into a plan. Words with a meaning (operators, outcomes) are normalised to
one spelling, so that no later pass knows about white space or symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from policyengine.core.diagnostic import Source, Span


@dataclass(frozen=True, slots=True)
class Name:
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """``kind``: text int decimal percent duration date timestamp bool. ``text`` is the value itself, unescaped."""

    span: Span
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ListLiteral:
    span: Span
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class RecordLiteral:
    """``{ name: value, .. }`` as in tests and tables."""

    span: Span
    pairs: tuple[tuple[Name, Value], ...]


Value: TypeAlias = Literal | ListLiteral | RecordLiteral


@dataclass(frozen=True, slots=True)
class Path:
    """``a.b.c``; the first name is a variable, parameter, let or root."""

    span: Span
    names: tuple[Name, ...]

    @property
    def text(self) -> str:
        return ".".join(name.text for name in self.names)


@dataclass(frozen=True, slots=True)
class Lookup:
    """``limit for finding.severity``."""

    span: Span
    table: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Call:
    """``settled(finding)`` or ``gxp.done_by(a, b)``."""

    span: Span
    function: Path
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class And:
    span: Span
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    span: Span
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    span: Span
    operand: Expr


@dataclass(frozen=True, slots=True)
class If:
    span: Span
    condition: Expr
    consequence: Expr


@dataclass(frozen=True, slots=True)
class Comparison:
    """``operator``: is, is not, at least, at most, more than, less than, before, after, on or before, on or after.

    The symbols are normalised: = != >= <= > <. ``operator_span`` is where it stands.
    """

    span: Span
    operator: str
    left: Expr
    right: Expr
    ignoring_case: bool
    operator_span: Span


@dataclass(frozen=True, slots=True)
class OneOf:
    span: Span
    value: Expr
    collection: Expr
    negated: bool
    ignoring_case: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    span: Span
    value: Expr
    negated: bool


@dataclass(frozen=True, slots=True)
class Contains:
    span: Span
    value: Expr
    member: Expr


@dataclass(frozen=True, slots=True)
class Matches:
    span: Span
    value: Expr
    pattern: Expr


@dataclass(frozen=True, slots=True)
class Deadline:
    """``value is recorded within span_of after start``."""

    span: Span
    value: Expr
    within: Expr
    start: Expr


@dataclass(frozen=True, slots=True)
class Within:
    """``value is within span_of before|after|of anchor``."""

    span: Span
    value: Expr
    within: Expr
    relation: str
    anchor: Expr


@dataclass(frozen=True, slots=True)
class InForce:
    span: Span
    record: Expr
    at: Expr


@dataclass(frozen=True, slots=True)
class Reachable:
    """``component is reachable from origin``; ``direct`` for ``is a direct dependency of``."""

    span: Span
    component: Expr
    origin: Expr
    direct: bool


@dataclass(frozen=True, slots=True)
class Recur:
    """``collection recur at least every interval from begin to end``."""

    span: Span
    collection: Expr
    interval: Expr
    begin: Expr
    end: Expr


@dataclass(frozen=True, slots=True)
class NoGap:
    span: Span
    value: Path
    collection: Expr


@dataclass(frozen=True, slots=True)
class Quantified:
    """``quantifier``: some, no, every, the latest. ``satisfies`` is None for some and no."""

    span: Span
    quantifier: str
    variable: Name
    collection: Expr
    where: Expr | None
    if_any: bool
    satisfies: Expr | None


@dataclass(frozen=True, slots=True)
class Adjacent:
    """``event is preceded|followed [within D] by variable in collection [where ..]``."""

    span: Span
    event: Expr
    direction: str
    within: Expr | None
    variable: Name
    collection: Expr
    where: Expr | None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``function``: count share sum smallest largest earliest latest. ``value`` is None for count and share."""

    span: Span
    function: str
    value: Path | None
    collection: Expr


@dataclass(frozen=True, slots=True)
class Sum:
    """``left + right`` or ``left - right``."""

    span: Span
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class DateOf:
    span: Span
    value: Expr


@dataclass(frozen=True, slots=True)
class Comprehension:
    """``(variable in collection where condition)``."""

    span: Span
    variable: Name
    collection: Expr
    where: Expr | None


@dataclass(frozen=True, slots=True)
class Distinct:
    span: Span
    value: Path
    collection: Expr


@dataclass(frozen=True, slots=True)
class During:
    span: Span
    collection: Path
    begin: Expr
    end: Expr


@dataclass(frozen=True, slots=True)
class Consecutive:
    """``consecutive (e in C where P) by e.sequence per e.record.id``."""

    span: Span
    collection: Comprehension
    by: Path
    per: tuple[Path, ...]


Expr: TypeAlias = (
    Literal | ListLiteral | Path | Lookup | Call | And | Or | Not | If | Comparison | OneOf | Recorded | Contains | Matches
    | Deadline | Within | InForce | Reachable | Recur | NoGap | Quantified | Adjacent | Aggregate | Sum | DateOf
    | Comprehension | Distinct | During | Consecutive
)  # fmt: skip


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
