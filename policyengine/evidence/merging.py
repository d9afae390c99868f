"""Several files that feed one root become one collection: no surer than its least sure part, covering no more than all do.

Sources are told apart by the streams and systems that their rows name. Within one source, spans of time that meet are
joined; across sources only the time that all of them cover is covered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from policyengine.core.model import Collection, Completeness, Record
from policyengine.core.vocabulary import Vocabulary

# One advisory has a row for each package that it affects.
ROWS_SHARE_IDS = frozenset({"advisory"})
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """What one evidence item, named, brings to a collection."""

    name: str
    collection: Collection


@dataclass(frozen=True, slots=True)
class Merged:
    collection: Collection
    notes: tuple[str, ...] = ()


def merge(parts: Sequence[Part], what: str, vocabulary: Vocabulary) -> Merged:
    """One collection from the parts, in their order. ``notes`` say how the time covered was narrowed.

    Complete only if all parts are; incomplete if one is, if one is empty without stating that it is complete, if an id
    is in two of them, or if they cover no common time; absent if all are.
    """
    delivered = [part for part in parts if part.collection.state is not Completeness.ABSENT]
    if len(parts) == 1 or not delivered:
        return Merged(parts[0].collection)
    reasons = [f"`{part.name}`: {part.collection.reason or 'stated by its source'}" for part in delivered
               if part.collection.state is Completeness.INCOMPLETE]  # fmt: skip
    if len(delivered) < len(parts):
        reasons.append("a part of it was not delivered")
    reasons += [f"`{part.name}` is empty and does not state that it is complete" for part in delivered
                if part.collection.state is Completeness.NOT_STATED and not part.collection.items]  # fmt: skip
    items = tuple(item for part in delivered for item in part.collection.items)
    doubled = _doubled_id(items, vocabulary)
    if doubled:
        reasons.append(doubled)
    begin, until, notes, apart = _coverage(delivered, what)
    if apart:
        reasons.append(apart)
    state = Completeness.NOT_STATED
    if reasons:
        state = Completeness.INCOMPLETE
    elif all(part.collection.state is Completeness.COMPLETE for part in delivered):
        state = Completeness.COMPLETE
    first = delivered[0].collection
    return Merged(
        replace(first, items=items, state=state, covers_from=begin, covers_until=until, reason="; ".join(reasons)), notes
    )


def _doubled_id(items: Iterable[object], vocabulary: Vocabulary) -> str:
    first: dict[tuple[object, ...], Record] = {}
    for item in items:
        if not isinstance(item, Record) or item.type in ROWS_SHARE_IDS or item.type not in vocabulary.types:
            return ""
        declared = vocabulary.types[item.type]
        if declared.key_fields[:1] != ("id",) or not declared.fields["id"].always:
            return ""
        key = tuple(item.fields.get(name) for name in declared.key_fields)
        earlier = first.setdefault(key, item)
        if earlier is not item:
            places = " and ".join(f"{r.origin.name} {r.origin.pointer}" for r in (earlier, item) if r.origin)
            return f"`{', '.join(map(str, key))}` is there twice ({places})"
    return ""


def _sources(collection: Collection) -> frozenset[object]:
    """The streams, or where rows name none, the systems that the rows come from."""
    named: set[object] = set()
    for item in collection.items:
        if isinstance(item, Record):
            source = item.fields.get("stream_id") or item.fields.get("system_id")
            if source is not None:
                named.add(source)
    return frozenset(named)


def _coverage(parts: Sequence[Part], what: str) -> tuple[datetime | None, datetime | None, tuple[str, ...], str]:
    """From, until, notes, and a reason where no common time is left."""
    stated = [part for part in parts if part.collection.covers_from or part.collection.covers_until]
    if not stated:
        return None, None, (), ""
    notes: list[str] = []
    if len(stated) < len(parts):
        silent = next(part.name for part in parts if part not in stated)
        notes.append(f"{what}: `{silent}` does not state what time it covers; what the other sources state is taken")
    groups: dict[frozenset[object], list[tuple[datetime, datetime]]] = {}
    for part in stated:
        span = (part.collection.covers_from or _ALWAYS, part.collection.covers_until or _FOR_EVER)
        groups.setdefault(_sources(part.collection), []).append(span)
    nameless = groups.pop(frozenset(), [])
    if nameless and len(groups) <= 1:
        groups = {next(iter(groups), frozenset()): nameless + [span for spans in groups.values() for span in spans]}
    elif nameless:
        groups[frozenset()] = nameless
    begin, until = _ALWAYS, _FOR_EVER
    for spans in groups.values():
        joined = _joined(spans)
        if len(joined) > 1:
            gap = f"{_words(joined[-2][1])} to {_words(joined[-1][0])}"
            notes.append(f"{what}: nothing covers {gap}; taken as covered only from {_words(joined[-1][0])}")
        begin, until = max(begin, joined[-1][0]), min(until, joined[-1][1])
    if begin >= until:
        return None, None, tuple(notes), "its sources cover no common time"
    if len(groups) > 1:
        notes.append(f"{what}: covered only where all its sources are, from {_words(begin)} to {_words(until)}")
    return begin if begin != _ALWAYS else None, until if until != _FOR_EVER else None, tuple(notes), ""


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for begin, until in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((begin, until))
    return joined


def _words(instant: datetime) -> str:
    if instant in (_ALWAYS, _FOR_EVER):
        return "ever"
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
