"""Time (language standard 4.3): moving dates and instants, deadlines, validity, recurrence, neighbours in time.

Instants are aware ``datetime`` in UTC; a span is a ``timedelta`` or a :class:`Period` (dates only). Bounds are inclusive
unless said otherwise.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from policyengine.core.model import Period, Record
from policyengine.core.outcome import CauseKind, Truth, Unknown, all_of, any_of, join, only_missing_fields, unknown
from policyengine.engine.members import Members, Test, uncovered

Moment: TypeAlias = date | datetime
Span: TypeAlias = timedelta | Period


def shifted(moment: Any, span: Span, sign: int = 1) -> Any:
    """A date or instant moved by a span. A period clamps to the end of the month. Raises ``OverflowError``."""
    if isinstance(span, Period):
        month = moment.year * 12 + moment.month - 1 + sign * span.months
        year, index = divmod(month, 12)
        if not 1 <= year <= 9999:
            raise OverflowError("a date outside the years 1 to 9999")
        return moment.replace(year=year, month=index + 1, day=min(moment.day, monthrange(year, index + 1)[1]))
    return moment + span * sign


def deadline(value: object, span: Span, start: Moment, now: Moment, held_by: Members | None, what: str) -> Truth:
    """``value is recorded within span after start``; ``now`` is an instant for instants and today for dates.

    What is dated after ``now`` is a plan: it may still come to nothing, so it is unknown and never done.
    """
    if isinstance(start, datetime) and start > now:
        return unknown(CauseKind.START_IN_FUTURE, f"{what}: its start {_z(start)} is after the evaluation")
    end = shifted(start, span)
    if not isinstance(value, Unknown):
        return happened(bool(start <= value <= end), value, now, what)  # type: ignore[operator]
    if not only_missing_fields(value):
        return value
    until = held_by.covers_until if held_by else None
    if held_by and until and until < (end if isinstance(end, datetime) else _end_of(end, until)):
        return unknown(CauseKind.INCOMPLETE, f"{held_by.what} covers nothing after {_z(until)}", held_by.origin)
    if now <= end:
        return unknown(CauseKind.NOT_YET_DUE, f"{what} is due by {_z(end)}")
    return False


def _end_of(day: date, like: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=like.tzinfo) + timedelta(days=1)


def happened(met: Truth, moment: Any, now: Any, what: str) -> Truth:
    """What would be met by a moment after the evaluation is unknown; what is not met stays so."""
    if met is True and moment > now:
        return unknown(CauseKind.START_IN_FUTURE, f"{what}: {_z(moment)} is after the evaluation")
    return met


def within(value: Any, span: Span, relation: str, anchor: Any, now: Any, what: str) -> Truth:
    """``0 <= anchor - value <= span`` for before, the mirror for after, either for of. ``now`` as for a deadline.

    ``of`` compares two moments and does not say that anything was done: it asks nothing of ``now``.
    """
    before = shifted(anchor, span, -1) <= value <= anchor
    after = anchor <= value <= shifted(anchor, span)
    if relation == "after":
        return happened(bool(after), value, now, what)
    return bool({"before": before, "of": before or after}[relation])


def in_force(record: Record, at: Moment, what: str) -> Truth:
    """``valid_from <= at < valid_until`` (a date covers its whole day), not revoked; a missing end needs ``open_ended``."""

    def field(name: str) -> Any:
        return record.fields.get(name)

    begin, end, revoked = field("valid_from"), field("valid_until"), field("revoked_at")
    started: Truth = _missing(what, "valid_from", record) if begin is None else begin <= at
    if end is not None:
        ended: Truth = at < end if isinstance(end, datetime) else at <= end
    else:
        ended = True if field("open_ended") is True else _missing(what, "valid_until", record)
    return all_of((started, ended, revoked is None or at < revoked))


def _missing(what: str, name: str, record: Record) -> Unknown:
    return unknown(CauseKind.MISSING_FIELD, f"{what}.{name}", record.origin)


def recurs(members: Members, span: Span, begin: Any, end: Any, when: Callable[[object], Any], now: Any, strict: bool) -> Truth:
    """No interval longer than ``span`` between begin, the members' times and end (all ``datetime``, or all ``date``)."""
    if members.absent is not None:
        return members.absent
    if begin > end or begin > now:
        return unknown(CauseKind.START_IN_FUTURE, f"{members.what}: the start {_z(begin)} is after the end or the evaluation")
    certain: list[Any] = []
    possible: list[Any] = []
    doubts: list[Unknown] = [members.hole] if members.hole is not None else []
    untimed = False
    for item, member in members.items:
        moment = when(item)
        if isinstance(moment, Unknown):
            untimed = True
            doubts.append(moment)
        elif begin <= moment <= end:
            possible.append(moment)
            if member is True:
                certain.append(moment)
            else:
                doubts.append(member)
    if not any(_gaps(begin, end, certain, span)):
        return True
    if members.hole is not None or untimed:
        return join(doubts)
    seen_from = begin if members.covers_from is None else max(begin, _like(members.covers_from, begin))
    seen_until = end if members.covers_until is None else min(end, _like(members.covers_until, end))
    stated = members.covers_from is not None or members.covers_until is not None
    if stated or not (strict and members.assumed):
        for start, stop in _gaps(begin, end, possible, span):
            start, stop = max(start, seen_from), min(stop, seen_until)
            if start < stop and shifted(start, span) < stop:
                return False
    if seen_from > begin or seen_until < end or not doubts:
        what = f"{members.what} does not cover all of {_z(begin)} to {_z(end)}"
        doubts.append(unknown(CauseKind.INCOMPLETE, what, members.origin))
    return join(doubts)


def longest_gap(begin: Any, end: Any, moments: Iterable[Any], span: Span) -> tuple[Any, Any] | None:
    """The first interval longer than the span, for explanations."""
    return next(iter(_gaps(begin, end, list(moments), span)), None)


def _gaps(begin: Any, end: Any, moments: list[Any], span: Span) -> list[tuple[Any, Any]]:
    points = [begin, *sorted(moments), end]
    return [(a, b) for a, b in pairwise(points) if shifted(a, span) < b]


def _like(instant: datetime, moment: Moment) -> Any:
    return instant if isinstance(moment, datetime) else instant.date()


def adjacent(direction: str, event: object, at: datetime, sequence: object, span: timedelta | None, members: Members,
             where: Test, time: str, member_sequence: str | None, now: datetime, strict: bool) -> Truth:  # fmt: skip
    """``event is preceded|followed [within span] by x in C where P`` for an event at an instant.

    An event is not next to itself; equal times are ordered by ``sequence`` when both have it.
    """
    if members.absent is not None:
        return members.absent
    before = direction == "preceded"
    limit = None if span is None else at - span if before else at + span

    def near(item: object) -> Truth:
        if not isinstance(item, Record) or item is event or _same(item, event):
            return False
        moment = item.fields.get(time)
        if not isinstance(moment, datetime):
            return unknown(CauseKind.MISSING_FIELD, f"{time} of a member of {members.what}", item.origin)
        own = item.fields.get(member_sequence) if member_sequence else None
        if moment == at and own is not None and sequence is not None:
            return happened(bool(own < sequence if before else own > sequence), moment, now, members.what)  # type: ignore[operator]
        low, high = (limit, at) if before else (at, limit)
        close = (low is None or low <= moment) and (high is None or moment <= high)
        return happened(close, moment, now, members.what)

    def met(item: object) -> Truth:
        close = near(item)
        return False if close is False else all_of((close, where(item)))

    found = any_of(met(i) if m is True else all_of((m, met(i))) for i, m in members.items)
    if found is True:
        return True
    doubts = [u for u in (found, members.hole) if isinstance(u, Unknown)]
    if before:
        gap = uncovered(members, limit, at, strict)
        return join([*doubts, gap]) if gap is not None else (join(doubts) if doubts else False)
    if at > now:
        return join([*doubts, unknown(CauseKind.START_IN_FUTURE, f"the start {_z(at)} is after the evaluation")])
    seen_until = now if limit is None else min(limit, now)
    gap = uncovered(members, at, seen_until, strict)
    if gap is not None:
        doubts.append(gap)
    if limit is None or limit >= now:
        due = f"due by {_z(limit)}" if limit else "no limit is set"
        doubts.append(unknown(CauseKind.NOT_YET_DUE, f"followed by {members.what}: {due}"))
    return join(doubts) if doubts else False


def _same(item: Record, event: object) -> bool:
    key = item.fields.get("id")
    return isinstance(event, Record) and key is not None and event.type == item.type and event.fields.get("id") == key


def _z(moment: Moment) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(moment, datetime) else moment.isoformat()
