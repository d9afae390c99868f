"""What a quantifier sees of a collection: its members, which of them are only possible, and what may be missing (4.2).

Each member carries its own membership: ``True``, or the :class:`Unknown` that left a ``where`` open (a *possible member*).
``hole`` is None where the collection counts as complete, else the unknown that says what may be missing; ``absent`` is set
where there is nothing to look at: not delivered, or its bounds are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from policyengine.core.model import Collection, Completeness, Origin, Record
from policyengine.core.outcome import CauseKind, Truth, Unknown, all_of, any_of, join, negate, unknown

Membership: TypeAlias = Literal[True] | Unknown
Test: TypeAlias = Callable[[object], Truth]
Read: TypeAlias = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Members:
    items: tuple[tuple[object, Membership], ...] = ()
    hole: Unknown | None = None
    absent: Unknown | None = None
    covers_from: datetime | None = None
    covers_until: datetime | None = None
    what: str = ""
    origin: Origin | None = None
    assumed: bool = False

    @property
    def certain(self) -> Iterator[object]:
        return (item for item, member in self.items if member is True)

    @property
    def possible(self) -> tuple[Unknown, ...]:
        return tuple(member for _, member in self.items if member is not True)


def members_of(value: object, what: str, strict: bool = False) -> Members:
    """The members of a root, a field or a list value; an unknown value is an absent collection."""
    if isinstance(value, Unknown):
        return Members(absent=value, what=what)
    if isinstance(value, tuple):
        return Members(tuple((item, True) for item in value), what=what)
    if not isinstance(value, Collection) or value.state is Completeness.ABSENT:
        return Members(absent=unknown(CauseKind.ABSENT, what), what=what)
    hole: Unknown | None = None
    assumed = value.state is Completeness.NOT_STATED
    if value.state is Completeness.INCOMPLETE:
        hole = unknown(CauseKind.INCOMPLETE, f"{what}: {value.reason}" if value.reason else what, value.origin)
    elif assumed and not value.items:
        hole = unknown(CauseKind.EMPTY, f"{what} is empty, and its source does not state that it is complete", value.origin)
    elif assumed and strict:
        hole = unknown(CauseKind.INCOMPLETE, f"{what}: its source does not state that it is complete", value.origin)
    return Members(tuple((item, True) for item in value.items), hole, None, value.covers_from, value.covers_until,
                   what, value.origin, assumed)  # fmt: skip


def keep(members: Members, where: Test) -> Members:
    """``(x in C where P)``: members for which P is not false; where P is unknown, a possible member."""
    kept: list[tuple[object, Membership]] = []
    for item, member in members.items:
        wanted = where(item)
        if wanted is False:
            continue
        both = wanted if member is True else all_of((member, wanted))
        kept.append((item, both if isinstance(both, Unknown) else True))
    return replace(members, items=tuple(kept))


def some(members: Members, where: Test) -> Truth:
    if members.absent is not None:
        return members.absent
    found = any_of(where(i) if m is True else all_of((m, where(i))) for i, m in members.items)
    return any_of((found, members.hole)) if members.hole is not None else found


def every(members: Members, satisfies: Test, if_any: bool) -> Truth:
    """All members satisfy, and unless ``if_any`` there is at least one: over nothing it is unknown, never true."""
    if members.absent is not None:
        return members.absent
    met = all_of(satisfies(i) if m is True else any_of((negate(m), satisfies(i))) for i, m in members.items)
    if met is False:
        return False
    left_open = [u for u in (met, members.hole) if isinstance(u, Unknown)]
    if not if_any and not any(m is True for _, m in members.items):
        left_open += members.possible or [unknown(CauseKind.EMPTY, f"no {members.what}", members.origin)]
    return join(left_open) if left_open else True


def latest(members: Members, satisfies: Test, if_any: bool, time: str, sequence: str | None) -> Truth:
    """``every`` over the members that no later member displaces; those that only may be the newest are possible."""
    if members.absent is not None:
        return members.absent
    rows = [(item, m, _field(item, time), _field(item, sequence)) for item, m in members.items]
    newest_certain = _newest((when, seq) for _, m, when, seq in rows if m is True)
    newest_possible = _newest((when, seq) for _, _, when, seq in rows)
    undated = sum(1 for _, _, when, _ in rows if when is None)
    contenders: list[tuple[object, Membership]] = []
    for item, member, when, seq in rows:
        if _older(when, seq, newest_certain):
            continue
        doubt: list[Unknown] = [] if member is True else [member]
        if members.hole is not None:
            doubt.append(members.hole)
        rivals = undated > 0 if when is not None else undated + (newest_possible is not None) > 1
        if rivals:
            missing = next((i for i, _, t, _ in rows if t is None), item)
            doubt.append(unknown(CauseKind.MISSING_FIELD, f"{time} of a member of {members.what}", _origin(missing)))
        elif _older(when, seq, newest_possible):
            doubt += members.possible
        contenders.append((item, join(doubt) if doubt else True))
    newest = replace(members, items=tuple(contenders))
    verdict = every(newest, satisfies, if_any)
    if verdict is True and if_any and contenders and not any(m is True for _, m in contenders):
        return join(newest.possible)
    return verdict


Moment: TypeAlias = tuple[object, object]


def _newest(moments: Iterable[Moment]) -> Moment | None:
    """The latest time, and the highest sequence recorded at that time."""
    dated = [(when, seq) for when, seq in moments if when is not None]
    if not dated:
        return None
    last = max(when for when, _ in dated)  # type: ignore[type-var]
    return last, max((seq for when, seq in dated if when == last and seq is not None), default=None)  # type: ignore[type-var]


def _older(when: object, sequence: object, newest: Moment | None) -> bool:
    """Surely before the newest: by time, or at the same time by sequence where both have one."""
    if when is None or newest is None:
        return False
    if when != newest[0]:
        return bool(when < newest[0])  # type: ignore[operator]
    return sequence is not None and newest[1] is not None and bool(sequence < newest[1])  # type: ignore[operator]


def within_span(members: Members, begin: datetime, end: datetime, time: str, strict: bool) -> Members:
    """``C during A to B``: ``A <= time < B``; undated members are possible; C must cover the whole span."""

    def inside(item: object) -> Truth:
        when = _field(item, time)
        if not isinstance(when, datetime):
            return unknown(CauseKind.MISSING_FIELD, f"{time} of a member of {members.what}", _origin(item))
        return begin <= when < end

    return with_hole(keep(members, inside), uncovered(members, begin, end, strict))


def uncovered(members: Members, begin: datetime | None, end: datetime | None, strict: bool) -> Unknown | None:
    """The unknown that says that the coverage does not span begin to end (None: without limit); None where it does."""
    if members.covers_from is None and members.covers_until is None:
        if not (strict and members.assumed):
            return None
        return unknown(CauseKind.INCOMPLETE, f"{members.what}: its source does not state what time it covers", members.origin)
    if members.covers_from is not None and (begin is None or begin < members.covers_from):
        return unknown(CauseKind.INCOMPLETE, f"{members.what} covers nothing before {_z(members.covers_from)}", members.origin)
    if members.covers_until is not None and (end is None or end > members.covers_until):
        return unknown(CauseKind.INCOMPLETE, f"{members.what} covers nothing after {_z(members.covers_until)}", members.origin)
    return None


def with_hole(members: Members, hole: Unknown | None) -> Members:
    if hole is None:
        return members
    return replace(members, hole=join([members.hole, hole]) if members.hole is not None else hole)


def distinct(members: Members, read: Read) -> Members:
    """The set of values, in order of first appearance; a value that is not recorded makes it incomplete."""
    values: dict[object, Membership] = {}
    hole = members.hole
    for item, member in members.items:
        value = read(item)
        if isinstance(value, Unknown):
            hole = join([hole, value]) if hole is not None else value
        elif values.get(value) is not True:
            values[value] = member
    return replace(members, items=tuple(values.items()), hole=hole)


def consecutive(members: Members, by: Read, per: tuple[Read, ...]) -> Members:
    """Pairs of neighbours by key within each group. One possible member, missing or doubled key: all pairs are possible."""
    groups: dict[tuple[object, ...], list[tuple[object, object]]] = {}
    doubts: list[Unknown] = list(members.possible)
    for item, _ in members.items:
        key, group = by(item), tuple(read(item) for read in per)
        missing = [u for u in (key, *group) if isinstance(u, Unknown)]
        doubts += missing
        if not missing:
            groups.setdefault(group, []).append((key, item))
    pairs: list[object] = []
    for rows in groups.values():
        rows.sort(key=lambda row: row[0])  # type: ignore[arg-type, return-value]
        for (key, earlier), (next_key, later) in pairwise(rows):
            if key == next_key:
                doubts.append(unknown(CauseKind.INCOMPLETE, f"{members.what}: {key} is there twice", _origin(later)))
            pairs.append(Record("pair", {"earlier": earlier, "later": later}, _origin(later)))
    if not doubts:
        return replace(members, items=tuple((pair, True) for pair in pairs))
    doubt = join(doubts)
    return with_hole(replace(members, items=tuple((pair, doubt) for pair in pairs)), doubt)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number known only to lie between two others; ``high`` is None where nothing limits it. ``doubt`` says why."""

    low: Fraction
    high: Fraction | None
    doubt: Unknown | None = None


def count(members: Members) -> Bounds | Unknown:
    if members.absent is not None:
        return members.absent
    certain = sum(1 for _ in members.certain)
    doubts = [*members.possible, *([members.hole] if members.hole is not None else [])]
    high = None if members.hole is not None else Fraction(certain + len(members.possible))
    return Bounds(Fraction(certain), high, join(doubts) if doubts else None)


def share(base: Members, where: Test) -> Bounds | Unknown:
    """The part of the base, in percent. Unknown over nothing, an incomplete base, or one with possible members."""
    if base.absent is not None:
        return base.absent
    if base.hole is not None or base.possible:
        return join([*base.possible, *([base.hole] if base.hole is not None else [])])
    if not base.items:
        return unknown(CauseKind.EMPTY, f"no {base.what}", base.origin)
    part = count(keep(base, where))
    if isinstance(part, Unknown) or part.high is None:
        raise AssertionError("the part of a complete base is bounded")
    whole = Fraction(len(base.items), 100)
    return Bounds(part.low / whole, part.high / whole, part.doubt)


def compare_bounds(cmp: str, left: Bounds, right: Bounds) -> Truth:
    """A comparison of bounded numbers: unknown when the bounds straddle it."""
    doubt = join([d for d in (left.doubt, right.doubt) if d is not None] or [unknown(CauseKind.INCOMPLETE, "a count")])
    if cmp in ("eq", "ne"):
        exact = left.high == left.low and right.high == right.low
        apart = (left.high is not None and left.high < right.low) or (right.high is not None and right.high < left.low)
        same: Truth = (left.low == right.low) if exact else (False if apart else doubt)
        return same if cmp == "eq" else negate(same)
    if cmp in ("gt", "ge"):
        return compare_bounds({"gt": "lt", "ge": "le"}[cmp], right, left)
    if left.high is not None and (left.high < right.low or (cmp == "le" and left.high == right.low)):
        return True
    if right.high is not None and (left.low > right.high or (cmp == "lt" and left.low == right.high)):
        return False
    return doubt


def certain_values(members: Members, read: Read) -> list[object] | Unknown:
    """All values, or the unknown that keeps one of them, or the collection itself, from being certain."""
    if members.absent is not None:
        return members.absent
    values = [read(item) for item, _ in members.items]
    doubts = [*members.possible, *(v for v in values if isinstance(v, Unknown))]
    if members.hole is not None:
        doubts.append(members.hole)
    if not doubts and not values:
        doubts.append(unknown(CauseKind.EMPTY, f"no {members.what}", members.origin))
    return join(doubts) if doubts else values


def no_gap(members: Members, read: Read) -> Truth:
    """Integers run without hole or double. A certain double is false at once; a hole may be filled by what is missing."""
    if members.absent is not None:
        return members.absent
    values = [(read(item), member) for item, member in members.items]
    numbers = [v for v, m in values if m is True and isinstance(v, int)]
    if len(set(numbers)) != len(numbers):
        return False
    doubts = [*members.possible, *(v for v, _ in values if isinstance(v, Unknown))]
    if members.hole is not None:
        doubts.append(members.hole)
    if doubts:
        return join(doubts)
    if not numbers:
        return unknown(CauseKind.EMPTY, f"no {members.what}", members.origin)
    return max(numbers) - min(numbers) + 1 == len(numbers)


def first_break(numbers: Iterable[int]) -> str | None:
    """Where a run of integers breaks, for explanations: the first missing or doubled one."""
    previous: int | None = None
    for number in sorted(numbers):
        if previous is not None and number == previous:
            return f"{number} is there twice"
        if previous is not None and number != previous + 1:
            missing = f"{previous + 1}" if number == previous + 2 else f"{previous + 1} to {number - 1}"
            return f"{missing} missing"
        previous = number
    return None


def _field(item: object, name: str | None) -> object:
    return item.fields.get(name) if name and isinstance(item, Record) else None


def _origin(item: object) -> Origin | None:
    return item.origin if isinstance(item, Record) else None


def _z(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
