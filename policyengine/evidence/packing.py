"""What EPCIS events mean together: corrections folded, packing replayed in time order, shipped items and identifiers derived.

Done over all documents at once, because commissioning, packing and shipping are often in different files. The packing in
force at the time is what expands a shipped container; a rule over the result cannot prove the packing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from policyengine.core.model import Collection, Completeness, Record
from policyengine.evidence.gs1 import is_item, item_id


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says beside the fields that rules can name. ``declared_at``: when an error declaration took effect.

    ``said``: a digest of all that it says, but for the declaration and its time of record, which an event repeated as an
    error does not share.
    """

    declared_at: datetime | None = None
    declared_by_claim: bool = False
    lot: str | None = None
    expiry: date | None = None
    shipped_to: str | None = None
    unlisted: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class CapturedEvent(Record):
    """An ``epcis_event`` with the facts that only this module reads. ``facts.unlisted``: it moves quantities without EPCs."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Derived:
    events: Collection
    shipped_items: Collection | None
    roots: Mapping[str, Collection]
    notes: tuple[str, ...]


def derived_from_epcis(events: Collection, at: datetime) -> Derived:
    """Events in force at a time, and what follows from them. Nothing is derived from rows that are no EPCIS documents' events."""
    kept, notes = _without_declared_errors(_until(events, at), at)
    captured = [event for event in kept.items if isinstance(event, CapturedEvent)]
    if not captured or len(captured) < len(kept.items):
        return Derived(kept, None, {}, notes)
    replay = _Replay()
    dated = [event for event in captured if isinstance(event.fields.get("time"), datetime)]
    for event in sorted(dated, key=_moment):
        replay.see(event)
    reasons = [kept.reason] if kept.state is Completeness.INCOMPLETE else []
    if len(dated) < len(captured):
        reasons.append(f"{len(captured) - len(dated)} events have no time")
    shipped = _derived(kept, replay.shipped, [*reasons, *replay.holes])
    identifiers = _derived(kept, list(replay.identifiers.values()), [*reasons, *replay.unnamed])
    return Derived(kept, shipped, {"product_identifiers": identifiers}, notes)


def _until(events: Collection, at: datetime) -> Collection:
    """What is dated after the evaluation has not happened: it is left out, and the rest does not claim to be whole."""
    later = [each for each in events.items if isinstance(each, Record) and _dated_after(each, at)]
    if not later:
        return events
    first = later[0].origin
    place = f", first at {first.name} {first.pointer}" if first else ""
    reason = f"{len(later)} event{' is' if len(later) == 1 else 's are'} dated after the evaluation{place}"
    kept = tuple(each for each in events.items if not (isinstance(each, Record) and _dated_after(each, at)))
    return replace(events, items=kept, state=Completeness.INCOMPLETE, reason="; ".join(r for r in (events.reason, reason) if r))


def _dated_after(event: Record, at: datetime) -> bool:
    moment = event.fields.get("time")
    return isinstance(moment, datetime) and moment > at


def _without_declared_errors(events: Collection, at: datetime) -> tuple[Collection, tuple[str, ...]]:
    """The declared event and the declaration go together, from the time on at which the declaration was recorded."""
    declared, notes = _declared(events)
    if not declared:
        return events, ()
    originals = {_same(e) for e in _captured(events) if not e.facts.declared_at}
    disputed = _disputed(events, originals)
    kept: list[object] = []
    dropped = 0
    for event in events.items:
        key = _same(event) if isinstance(event, CapturedEvent) else None
        if isinstance(event, CapturedEvent) and key in disputed:
            continue
        if isinstance(event, CapturedEvent) and key in declared:
            in_force = declared[key] <= at
            # Before it takes effect, a declaration without its original beside it still says what happened.
            repeats = event.facts.declared_at is not None and key in originals
            if in_force or repeats:
                dropped += in_force and not repeats
                continue
            originals.add(key)
        kept.append(event)
    if dropped:
        notes.append(f"epcis.events: {dropped} left out, declared to be in error")
    return _doubted(replace(events, items=tuple(kept)), disputed.values()), tuple(dict.fromkeys(notes))


def _captured(events: Collection) -> list[CapturedEvent]:
    return [event for event in events.items if isinstance(event, CapturedEvent)]


def _declared(events: Collection) -> tuple[dict[object, datetime], list[str]]:
    """What is declared to be in error, from when on, and what is taken for granted in that."""
    declared: dict[object, datetime] = {}
    notes: list[str] = []
    for event in _captured(events):
        if event.facts.declared_at:
            key = _same(event)
            declared[key] = min(declared.get(key, event.facts.declared_at), event.facts.declared_at)
            if event.facts.declared_by_claim:
                notes.append("epcis.events: an error declaration without record time is taken from the time it claims")
    return declared, notes


def _disputed(events: Collection, originals: set[object]) -> dict[object, object]:
    """Declarations that name an event without repeating it, or from another file, with its id: they take nothing back."""
    named = {event.fields.get("id") for event in _captured(events) if not event.facts.declared_at} - {None}
    return {
        _same(event): event.fields["id"]
        for event in _captured(events)
        if event.facts.declared_at and event.fields.get("id") in named and _same(event) not in originals
    }


def _doubted(events: Collection, ids: Iterable[object]) -> Collection:
    """Nobody can tell which of the two is right, so the list does not claim to be whole."""
    named = sorted({f"`{each}`" for each in ids})
    if not named:
        return events
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    reason = f"an error declaration does not repeat the event {', '.join(named[:3])}{more} of its own file: not taken back"
    reasons = "; ".join(each for each in (events.reason, reason) if each)
    return replace(events, state=Completeness.INCOMPLETE, reason=reasons)


def _same(event: CapturedEvent) -> object:
    """What an event and its error declaration have in common (EPCIS 2.0): the file, and all that they say happened.

    The id alone is no proof: with it anybody's declaration would erase anybody's event.
    """
    return event.origin.name if event.origin else "", event.facts.said


def _moment(event: Record) -> tuple[object, str, str]:
    origin = event.origin
    return event.fields["time"], origin.name if origin else "", (origin.pointer if origin else "").rjust(40)


def _derived(events: Collection, items: Iterable[object], reasons: Iterable[str]) -> Collection:
    why = list(dict.fromkeys(reasons))
    more = f" and {len(why) - 3} more" if len(why) > 3 else ""
    state = Completeness.INCOMPLETE if why else events.state
    return replace(events, items=tuple(items), state=state, reason="; ".join(why[:3]) + more)


class _Replay:
    def __init__(self) -> None:
        self.children: dict[str, dict[str, None]] = {}
        self.parent: dict[str, str] = {}
        self.born: dict[str, Facts] = {}
        self.shipped: list[Record] = []
        self.identifiers: dict[str, Record] = {}
        self.holes: list[str] = []
        self.unnamed: list[str] = []

    def see(self, event: CapturedEvent) -> None:
        kind, action, step = (event.fields.get(name) for name in ("type", "action", "biz_step"))
        if kind == "AggregationEvent" and action in ("ADD", "DELETE"):
            self.pack(event, str(action))
        elif kind == "ObjectEvent" and action == "ADD" and step == "commissioning":
            self.commission(event)
        if step == "shipping" and action != "DELETE" and kind in ("ObjectEvent", "AggregationEvent", "TransactionEvent"):
            self.ship(event)

    def pack(self, event: CapturedEvent, action: str) -> None:
        parent = event.fields.get("parent_id")
        if not isinstance(parent, str):
            return
        held = self.children.setdefault(parent, {})
        if event.facts.unlisted:
            self.holes.append(f"`{parent}` holds quantities without serial numbers")
        if action == "ADD":
            for child in _texts(event, "child_epcs"):
                self.children.get(self.parent.get(child, ""), {}).pop(child, None)
                held[child] = None
                self.parent[child] = parent
            return
        for child in _texts(event, "child_epcs") or tuple(held):
            if held.pop(child, "") is None:
                self.parent.pop(child, None)

    def commission(self, event: CapturedEvent) -> None:
        for epc in _texts(event, "epc_list"):
            self.born[epc] = event.facts
            found = item_id(epc)
            if found is None:
                continue
            fields: dict[str, object] = {"epc": epc, "gtin": found.gtin, "gtin_valid": found.gtin_valid,
                                         "serial": found.serial, "serial_valid": found.serial_valid}  # fmt: skip
            self.identifiers[epc] = Record("identifier", _with_lot(fields, event.facts), event.origin)
        if event.facts.unlisted:
            self.unnamed.append("quantities without serial numbers were commissioned")

    def ship(self, event: CapturedEvent) -> None:
        if event.facts.unlisted:
            self.holes.append("quantities without serial numbers were shipped")
        named = _texts(event, "epc_list")
        if event.fields.get("type") != "ObjectEvent" and isinstance(event.fields.get("parent_id"), str):
            named = (str(event.fields["parent_id"]), *named)
        for epc in named:
            top = self.outermost(epc)
            for leaf in self.leaves(epc):
                fields: dict[str, object] = {"epc": leaf, "shipped": event}
                if top != leaf:
                    fields["container"] = top
                if event.facts.shipped_to:
                    fields["shipped_to"] = event.facts.shipped_to
                self.shipped.append(Record("shipped_item", _with_lot(fields, self.born.get(leaf, Facts())), event.origin))

    def outermost(self, epc: str) -> str:
        seen = {epc}
        while (above := self.parent.get(epc)) is not None and above not in seen:
            seen.add(above)
            epc = above
        return epc

    def leaves(self, epc: str) -> Iterator[str]:
        """Items inside, in the order of packing. A container that nothing says the content of is a hole, not an item."""
        todo, seen = [epc], {epc}
        while todo:
            each = todo.pop()
            held = self.children.get(each)
            if held:
                below = [child for child in held if child not in seen]
                seen.update(below)
                todo += reversed(below)
            elif is_item(each):
                yield each
            else:
                self.holes.append(f"`{each}` was shipped, and nothing says what it held")


def _texts(event: Record, name: str) -> tuple[str, ...]:
    value = event.fields.get(name)
    return value if isinstance(value, tuple) else ()


def _with_lot(fields: dict[str, object], facts: Facts) -> dict[str, object]:
    if facts.lot is not None:
        fields["lot"] = facts.lot
    if facts.expiry is not None:
        fields["expiry"] = facts.expiry
    return fields
