"""What follows from EPCIS events: which stand after error declarations, and which items left the plant in which container.

The packing is a fold over the events in time order. ``shipped_items`` is expanded from it, so no rule over them can prove it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from policyengine.core.model import Collection, Completeness, Record

MAX_PACKING_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Derived:
    """``events`` without those declared in error; ``roots`` are further collections; ``notes`` go to the assumptions."""

    events: Collection
    shipped_items: Collection | None
    roots: Mapping[str, Collection] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def derived_from_epcis(events: Collection, at: datetime) -> Derived:
    """Fold the events that stand at an instant."""
    records = [each for each in events.items if isinstance(each, Record)]
    void = {each.fields.get("id") for each in records if _declared(each, at)} - {None}
    standing = [each for each in records if each.fields.get("id") not in void and not _declared(each, at)]
    kept = replace(events, items=tuple(standing))
    shipped, unknown_containers = _shipped(sorted(standing, key=_moment))
    state, reason = events.state, events.reason
    if unknown_containers:
        state = Completeness.INCOMPLETE
        reason = f"the content of {', '.join(sorted(unknown_containers)[:3])} was never recorded"
    items = replace(kept, items=tuple(shipped), state=state, reason=reason)
    dropped = len(records) - len(standing)
    notes = (f"epcis.events: {dropped} events are void by an error declaration",) if dropped else ()
    return Derived(kept, items, {}, notes)


def _declared(event: Record, at: datetime) -> bool:
    declared = event.fields.get("error_declared_at")
    return isinstance(declared, datetime) and declared <= at


def _moment(event: Record) -> tuple[datetime, str]:
    moment = event.fields["time"]
    if not isinstance(moment, datetime):
        raise AssertionError("the reader gives every event a time")
    return moment, str(event.fields.get("id", ""))


def _shipped(events: Sequence[Record]) -> tuple[list[Record], set[str]]:
    inside: dict[str, dict[str, None]] = {}
    lots: dict[str, Record] = {}
    shipped: list[Record] = []
    unknown_containers: set[str] = set()
    for event in events:
        fields = event.fields
        parent, children = fields.get("parent_id"), _texts(fields.get("child_epcs"))
        if fields["type"] == "AggregationEvent" and isinstance(parent, str):
            held = inside.setdefault(parent, {})
            if fields.get("action") == "ADD":
                held.update(dict.fromkeys(children))
            elif fields.get("action") == "DELETE":
                for child in children or tuple(held):
                    held.pop(child, None)
        if "lot" in fields:
            lots.update(dict.fromkeys(_texts(fields.get("epc_list")), event))
        if fields.get("biz_step") == "shipping":
            for epc in _texts(fields.get("epc_list")) or ((parent,) if isinstance(parent, str) else ()):
                for item, container in _content(epc, None, inside, unknown_containers, 0):
                    shipped.append(_shipped_item(item, container, event, lots.get(item)))
    return shipped, unknown_containers


def _content(epc: str, container: str | None, inside: Mapping[str, Mapping[str, None]], unknown_containers: set[str],
             depth: int) -> list[tuple[str, str | None]]:  # fmt: skip
    """The single items in something, each with the container that holds it."""
    if inside.get(epc) and depth < MAX_PACKING_DEPTH:
        return [found for child in inside[epc] for found in _content(child, epc, inside, unknown_containers, depth + 1)]
    if ":sscc:" in epc:
        unknown_containers.add(epc)
        return []
    return [(epc, container)]


def _shipped_item(epc: str, container: str | None, event: Record, commissioned: Record | None) -> Record:
    facts = commissioned.fields if commissioned is not None else {}
    fields = {"epc": epc, "container": container, "shipped": event, "shipped_to": event.fields.get("destination_owner"),
              "lot": facts.get("lot"), "expiry": facts.get("expiry")}  # fmt: skip
    return Record("shipped_item", {key: value for key, value in fields.items() if value is not None}, event.origin)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, tuple) else ()
