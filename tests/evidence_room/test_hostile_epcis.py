"""EPCIS through the door that every file takes: what is shipped is never less than what was packed, and gaps are told."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.files import SourceFile, read_file
from policyengine.evidence.load import Reading, load

DATA = Path(__file__).parents[1] / "evidence" / "epcis"
AT = datetime(2026, 11, 1, tzinfo=UTC)
CASE, PALLET, OTHER = (f"urn:epc:id:sscc:0614141.123456789{i}" for i in range(3))
ITEM, SECOND, THIRD = (f"urn:epc:id:sgtin:0614141.107346.{i}" for i in range(1, 4))


def event(hour: int, kind: str = "ObjectEvent", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "eventTime": f"2026-03-02T{hour:02}:00:00Z", "eventTimeZoneOffset": "+00:00", **fields}


def pack(hour: int, parent: str, *children: str, action: str = "ADD") -> dict[str, Any]:
    listed = {"childEPCs": list(children)} if children else {}
    return event(hour, "AggregationEvent", action=action, parentID=parent, bizStep="packing", **listed)


def ship(hour: int, *epcs: str, **fields: Any) -> dict[str, Any]:
    return event(hour, action="OBSERVE", epcList=list(epcs), bizStep="shipping", disposition="in_transit", **fields)


def document(*events: dict[str, Any]) -> bytes:
    return json.dumps({"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
                       "schemaVersion": "2.0", "creationDate": "2026-03-03T00:00:00Z", "epcisBody": {"eventList": list(events)}}).encode()  # fmt: skip


def epcis_of(*raws: bytes, at: datetime = AT) -> Record:
    files = [SourceFile(f"e{i}.json", raw) for i, raw in enumerate(raws)]
    found = assemble(load(files, [], Reading(at)), Context(at)).roots["epcis"]
    assert isinstance(found, Record)
    return found


def shipped(*raws: bytes, at: datetime = AT) -> tuple[list[object], Collection]:
    found = epcis_of(*raws, at=at).fields["shipped_items"]
    assert isinstance(found, Collection)
    return [each.fields["epc"] for each in found.items if isinstance(each, Record)], found


def test_published_documents_are_recognised_by_content() -> None:
    for name, events in (("AggregationEvent", 1), ("epcisDocWithAllGS1Keys", 1)):
        (read,) = load([read_file(DATA / f"{name}.json")], [], Reading(AT))
        assert (read.item.kind, read.item.format) == ("epcis", "epcis 2.0")
        assert (read.item.counts["events"], read.item.counts["not_read"]) == (events, 0)


def test_an_event_without_time_and_action_does_not_pass() -> None:
    (read,) = load([read_file(DATA / "ObjectEvent_without_action_and_eventTime.json")], [], Reading(AT))
    assert any("/epcisBody/eventList/0" in each for each in read.item.warnings)
    found = assemble([read], Context(AT)).roots["epcis"]
    assert isinstance(found, Record)
    events = found.fields["events"]
    assert isinstance(events, Collection)
    assert all(isinstance(each, Record) and each.fields["schema_valid"] is False for each in events.items)
    derived = found.fields.get("shipped_items")
    assert not isinstance(derived, Collection) or derived.state is Completeness.INCOMPLETE


@pytest.mark.parametrize("change", [
    {"type": "EPCISDocument2"}, {"epcisBody": {}}, {"epcisBody": {"eventList": None}}, {"epcisBody": {"eventList": {}}}, {"epcisBody": "x"},
    {"schemaVersion": 2}, {"@context": None},
])  # fmt: skip
def test_what_is_no_epcis_document_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        load([SourceFile("e.json", json.dumps({**json.loads(document(ship(1, ITEM))), **change}).encode())], [], Reading(AT))
    assert all(each.file == "e.json" for each in refused.value.diagnostics)


def test_unpacking_with_children_takes_those_out() -> None:
    epcs, _ = shipped(document(pack(1, CASE, ITEM, SECOND), pack(2, CASE, ITEM, action="DELETE"), ship(3, CASE)))
    assert epcs == [SECOND]


def test_unpacking_without_children_takes_everything_out() -> None:
    epcs, found = shipped(document(pack(1, CASE, ITEM, SECOND), pack(2, CASE, action="DELETE"), ship(3, CASE)))
    assert epcs == []
    assert found.state is Completeness.INCOMPLETE
    assert CASE in found.reason


def test_repacking_moves_an_item() -> None:
    moved = (pack(1, CASE, ITEM, SECOND), pack(2, CASE, ITEM, action="DELETE"), pack(3, OTHER, ITEM))
    assert shipped(document(*moved, ship(4, OTHER)))[0] == [ITEM]
    assert shipped(document(*moved, ship(4, CASE)))[0] == [SECOND]
    assert shipped(document(pack(1, CASE, ITEM), pack(2, PALLET, CASE), ship(3, PALLET)))[0] == [ITEM]


def test_the_order_of_files_and_events_changes_nothing() -> None:
    first, second, third = pack(1, CASE, ITEM, SECOND), pack(2, CASE, SECOND, action="DELETE"), ship(3, CASE)
    expected = shipped(document(first, second, third))[0]
    assert shipped(document(third, second, first))[0] == expected == [ITEM]
    assert shipped(document(third), document(second), document(first))[0] == expected


def test_packing_after_shipping_was_not_shipped() -> None:
    assert shipped(document(pack(1, CASE, ITEM), ship(2, CASE), pack(3, CASE, THIRD)))[0] == [ITEM]


def test_a_shipped_container_of_unknown_content_leaves_the_list_open() -> None:
    epcs, found = shipped(document(pack(1, CASE, ITEM), ship(2, CASE, OTHER)))
    assert epcs == [ITEM]
    assert found.state is Completeness.INCOMPLETE
    assert OTHER in found.reason


def test_many_levels_that_share_their_content_end() -> None:
    layers = [f"urn:epc:id:sscc:0614141.1{i:09}" for i in range(60)]
    events = [pack(1, layers[i], layers[i + 1]) for i in range(59)]
    epcs, found = shipped(document(*events, pack(2, layers[59], layers[0]), ship(3, layers[0])))
    assert epcs == []
    assert isinstance(found, Collection)


def test_what_is_dated_after_the_evaluation_has_not_happened() -> None:
    raw = document(pack(1, CASE, ITEM), ship(3, CASE), ship(9, SECOND))
    epcs, found = shipped(raw, at=datetime(2026, 3, 2, 5, tzinfo=UTC))
    assert epcs == [ITEM]
    assert found.state is Completeness.INCOMPLETE
    assert "1 event is dated after the evaluation, first at e0.json /epcisBody/eventList/2" in found.reason
    assert shipped(raw)[1].state is not Completeness.INCOMPLETE


def test_shipping_by_quantity_alone_leaves_the_list_open() -> None:
    quantity = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200}]
    epcs, found = shipped(document(ship(2, ITEM, quantityList=quantity)))
    assert epcs == [ITEM]
    assert found.state is Completeness.INCOMPLETE


@pytest.mark.parametrize(("party", "number"), [
    ("urn:epc:id:pgln:0614141.00777", "0614141007776"), ("https://id.gs1.org/417/0614141007776", "0614141007776"),
    ("https://id.gs1.org/417/0614141007775", None), ("urn:epc:id:pgln:0614141.0077", None), ("somebody", None),
])  # fmt: skip
def test_a_party_has_a_gln_with_its_check_digit_or_none(party: str, number: str | None) -> None:
    to = [{"type": "urn:epcglobal:cbv:sdt:owning_party", "destination": party}]
    _, found = shipped(document(ship(2, ITEM, destinationList=to)))
    (row,) = found.items
    assert isinstance(row, Record)
    assert row.fields.get("shipped_to") == number
