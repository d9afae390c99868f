"""The syntax tree, its conditions: values, names, comparisons, quantifiers and collections as an author wrote them.

Frozen; every node has the span of its text. Words with a meaning (operators) are normalised to one spelling, so that no
later pass knows about white space or symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from policyengine.core.diagnostic import Span


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
