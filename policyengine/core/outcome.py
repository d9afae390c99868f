"""Truth values and outcomes: the only place that knows their tables (language standard 4.1 and 4.5).

A truth value is ``True``, ``False`` or an :class:`Unknown`. Every unknown carries its causes, and an operator joins the
causes of those operands that left it unknown. Nothing here can turn an unknown into a pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from policyengine.core.model import Origin


class CauseKind(StrEnum):
    """Why something is unknown. ``not comparable`` is ours (ADR 0004): both sides are there, and nothing relates them."""

    MISSING_FIELD = "missing field"
    ABSENT = "absent"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"
    NO_TABLE_ENTRY = "no table entry"
    NOT_COMPARABLE = "not comparable"
    ASKED = "asked"
    START_IN_FUTURE = "start in the future"
    NOT_YET_DUE = "not yet due"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for an unknown: its kind, what was looked at (a path or a phrase), and where in the evidence."""

    kind: CauseKind
    what: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The third truth value, and the value of any expression that cannot be computed; never empty of causes."""

    causes: tuple[Cause, ...]

    def __bool__(self) -> bool:
        raise TypeError("an unknown is neither true nor false; compare with `is True` or `is False`")


Truth: TypeAlias = bool | Unknown


def unknown(kind: CauseKind, what: str = "", origin: Origin | None = None) -> Unknown:
    return Unknown((Cause(kind, what, origin),))


def join(unknowns: Iterable[Unknown]) -> Unknown:
    """One unknown with the causes of all, in order, each once."""
    return Unknown(tuple(dict.fromkeys(cause for each in unknowns for cause in each.causes)))


def negate(value: Truth) -> Truth:
    return value if isinstance(value, Unknown) else not value


def all_of(values: Iterable[Truth]) -> Truth:
    """Kleene conjunction: false if one is false, else unknown if one is unknown, else true."""
    left_open: list[Unknown] = []
    for value in values:
        if value is False:
            return False
        if isinstance(value, Unknown):
            left_open.append(value)
    return join(left_open) if left_open else True


def any_of(values: Iterable[Truth]) -> Truth:
    """Kleene disjunction: true if one is true, else unknown if one is unknown, else false."""
    left_open: list[Unknown] = []
    for value in values:
        if value is True:
            return True
        if isinstance(value, Unknown):
            left_open.append(value)
    return join(left_open) if left_open else False


def only_missing_fields(value: Unknown) -> bool:
    """Whether ``, if unknown, fail`` may act: every cause is a missing field (4.1)."""
    return all(cause.kind is CauseKind.MISSING_FIELD for cause in value.causes)


def only_not_yet_due(value: Unknown) -> bool:
    """Whether the subject is *not yet due*: an open window is its only cause (4.1)."""
    return all(cause.kind is CauseKind.NOT_YET_DUE for cause in value.causes)


class Outcome(StrEnum):
    """What a rule says of one subject, and of all of them (4.5). The value is the word in JSON."""

    ERROR = "error"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_YET_DUE = "not_yet_due"
    WAIVED = "waived"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"

    @property
    def words(self) -> str:
        """As a person reads it: ``not yet due``."""
        return self.value.replace("_", " ")


WORST_FIRST: tuple[Outcome, ...] = tuple(Outcome)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several: error > fail > unknown > not yet due > waived > pass > not applicable. Of none: unknown."""
    found = set(outcomes)
    return next((each for each in WORST_FIRST if each in found), Outcome.UNKNOWN)


def outcome_of(value: Truth) -> Outcome:
    """The outcome of one subject whose requirements came to this truth value."""
    if isinstance(value, Unknown):
        return Outcome.NOT_YET_DUE if only_not_yet_due(value) else Outcome.UNKNOWN
    return Outcome.PASS if value else Outcome.FAIL
