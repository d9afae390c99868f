"""EPCIS: documents of others are read, faults stay with their event, corrections and packing are replayed in time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.document import Document
from policyengine.evidence.epcis import bare_word, is_epcis, read_epcis
from policyengine.evidence.gs1 import gln, item_id

FILES = Path(__file__).parent / "epcis"
AT = datetime(2026, 4, 1, tzinfo=UTC)
PACK = "urn:epc:id:sgtin:0614141.107346.{}"
CASE, PALLET = "urn:epc:id:sscc:0614141.1000000001", "urn:epc:id:sscc:0614141.1000000002"


def event(kind: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "eventTime": f"2026-03-02T{hour:02}:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "ADD", **more}


def made(*serials: int, hour: int = 1, **more: Any) -> dict[str, Any]:
    ilmd = {"cbvmda:lotNumber": "L1", "cbvmda:itemExpirationDate": "2028-01-31"}
    return event("ObjectEvent", hour, bizStep="commissioning", epcList=[PACK.format(s) for s in serials], ilmd=ilmd, **more)


def packed(parent: str, *children: str, hour: int = 2, action: str = "ADD", **more: Any) -> dict[str, Any]:
    return event("AggregationEvent", hour, bizStep="packing", parentID=parent, childEPCs=list(children), **more) | {
        "action": action
    }


def sent(*epcs: str, hour: int = 5, **more: Any) -> dict[str, Any]:
    to = [{"type": "owning_party", "destination": "urn:epc:id:pgln:0614141.00777"}]
    return event("ObjectEvent", hour, bizStep="shipping", epcList=list(epcs), destinationList=to, **more) | {
        "action": "OBSERVE"
    }


def document(*events: dict[str, Any], name: str = "e.json") -> Document:
    whole = {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
             "schemaVersion": "2.0", "creationDate": "2026-03-03T00:00:00Z", "epcisBody": {"eventList": list(events)}}  # fmt: skip
    return read_epcis(json.dumps(whole).encode(), name, vocabulary())


def roots(*documents: Document, at: datetime = AT) -> dict[str, Any]:
    evidence = assemble(documents, Context(at))
    epcis: Any = evidence.roots["epcis"]
    return {**evidence.roots, **epcis.fields, "notes": evidence.assumptions}


def shipped(*documents: Document) -> Collection:
    found = roots(*documents)["shipped_items"]
    assert isinstance(found, Collection)
    return found


def events_of(document: Document) -> Collection:
    epcis: Any = document.roots["epcis"]
    found = epcis.fields["events"]
    assert isinstance(found, Collection)
    return found


@pytest.mark.parametrize("name", ["ObjectEvent_with_error_declaration", "AggregationEvent_with_digitalLink", "TransactionEvent",
                                  "TransformationEvent", "AssociationEvent", "ObjectEvent_all_possible_fields"])  # fmt: skip
def test_documents_of_others_are_valid(name: str) -> None:
    read = read_epcis((FILES / f"{name}.json").read_bytes(), name, vocabulary())
    rows = [row for row in events_of(read).items if isinstance(row, Record)]
    assert rows
    assert all(row.fields["schema_valid"] is True and "time" in row.fields for row in rows)
    assert read.item.counts["not_read"] == 0


def test_a_fault_stays_with_its_event() -> None:
    for name in ("ObjectEvent_with_invalid_action", "ObjectEvent_with_invalid_eventTime_format"):
        read = read_epcis((FILES / f"{name}.json").read_bytes(), name, vocabulary())
        assert read.item.counts == {"events": 1, "not_read": 1}
        assert events_of(read).state is Completeness.INCOMPLETE
    read = read_epcis((FILES / "ObjectEvent_with_non_standard_bizStep.json").read_bytes(), "n", vocabulary())
    assert [row.fields["schema_valid"] for row in events_of(read).items] == [False]  # type: ignore[attr-defined]
    mixed = document(made(1), event("ObjectEvent", 2, epcList=["x y"]), packed(CASE, PACK.format(1)))
    assert [row.fields["schema_valid"] for row in events_of(mixed).items] == [True, False, True]  # type: ignore[attr-defined]
    assert "/epcisBody/eventList/1" in mixed.item.warnings[0]


@pytest.mark.parametrize("raw", [
    (FILES / "EPCISDocument_without_context.json").read_bytes(),
    b'{"type": "EPCISDocument", "@context": "https://x.example", "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": {}}}',
    b'{"type": "EPCISDocument", "@context": "https://x.example", "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": []}',
    b'{"type": "EPCISQueryDocument", "@context": "https://x.example", "epcisBody": {"queryResults": null}}',
    b'{"type": "Thing"}', b"[]", b"null",
])  # fmt: skip
def test_what_is_not_epcis_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal, match="PE440"):
        read_epcis(raw, "e.json", vocabulary())


def test_epcis_is_known_by_its_content() -> None:
    assert is_epcis({"type": "EPCISDocument"})
    assert not is_epcis({"type": "ObjectEvent"})
    assert not is_epcis([{"type": "EPCISDocument"}])
    assert not is_epcis({"type": ["EPCISDocument"]})


@pytest.mark.parametrize("text", ["shipping", "urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping",
                                  "https://ns.gs1.org/cbv/BizStep-shipping", "cbv:BizStep-shipping"])  # fmt: skip
def test_a_step_has_one_spelling(text: str) -> None:
    assert bare_word(text) == "shipping"


def test_words_of_others_stay() -> None:
    assert bare_word("https://acme.example/bizstep/shipping") == "https://acme.example/bizstep/shipping"


def test_gs1_keys() -> None:
    urn = item_id("urn:epc:id:sgtin:0614141.107346.2017")
    link = item_id("https://id.gs1.org/01/10614141073464/21/2017")
    assert urn == link
    assert urn is not None
    assert urn.gtin == "10614141073464"
    wrong = item_id("https://id.example.com/01/10614141073465/21/2017?x=1")
    assert wrong is not None
    assert not wrong.gtin_valid
    short = item_id("urn:epc:id:sgtin:0614141.10734.2017")
    assert short is not None
    assert not short.gtin_valid
    assert item_id(CASE) is None
    assert gln("urn:epc:id:pgln:0614141.00777") == gln("https://id.gs1.org/417/0614141007776") == "0614141007776"
    assert gln("urn:epc:id:sgln:0614141.00777.0") == "0614141007776"
    assert gln("urn:epc:id:pgln:0614141.0777") is None
    assert gln("0614141007770") is None


def test_items_of_a_shipped_pallet_over_several_files() -> None:
    parts = [document(made(1, 2), name="made.json"), document(sent(PALLET), name="sent.json"),
             document(packed(CASE, PACK.format(1), PACK.format(2)), packed(PALLET, CASE, hour=3), name="packed.json")]  # fmt: skip
    found = shipped(*parts)
    assert found.state is Completeness.NOT_STATED
    items = [row.fields for row in found.items]  # type: ignore[attr-defined]
    assert [row["epc"] for row in items] == [PACK.format(1), PACK.format(2)]
    assert {row["container"] for row in items} == {PALLET}
    assert {row["shipped_to"] for row in items} == {"0614141007776"}
    assert {(row["lot"], row["expiry"]) for row in items} == {("L1", date(2028, 1, 31))}
    assert items[0]["shipped"].fields["biz_step"] == "shipping"
    identifiers = roots(*parts)["product_identifiers"].items
    assert [(row.fields["gtin"], row.fields["gtin_valid"]) for row in identifiers] == [("10614141073464", True)] * 2


def test_only_what_was_inside_at_the_time_was_shipped() -> None:
    found = shipped(document(
        made(1, 2, 3),
        packed(CASE, *(PACK.format(i) for i in (1, 2))),
        packed(CASE, PACK.format(1), hour=3, action="DELETE"),
        sent(CASE),
        packed(CASE, PACK.format(3), hour=6),
    ))  # fmt: skip
    assert [row.fields["epc"] for row in found.items] == [PACK.format(2)]  # type: ignore[attr-defined]
    emptied = shipped(document(made(1), packed(CASE, PACK.format(1)), packed(CASE, hour=3, action="DELETE"), sent(CASE)))
    assert emptied.items == ()
    assert emptied.state is Completeness.INCOMPLETE


def test_a_container_of_unknown_content_is_a_hole() -> None:
    found = shipped(document(made(1), sent(CASE, PACK.format(1))))
    assert [row.fields["epc"] for row in found.items] == [PACK.format(1)]  # type: ignore[attr-defined]
    assert "container" not in found.items[0].fields  # type: ignore[attr-defined]
    assert found.state is Completeness.INCOMPLETE
    assert found.reason == f"`{CASE}` was shipped, and nothing says what it held"


def test_packing_in_circles_ends() -> None:
    found = shipped(document(packed(CASE, PALLET), packed(PALLET, CASE, hour=3), sent(CASE)))
    assert found.items == ()


def test_an_event_that_could_not_be_read_keeps_what_is_derived_incomplete() -> None:
    broken = made(2) | {"eventTime": "yesterday"}
    found = shipped(document(made(1), packed(CASE, PACK.format(1)), broken, sent(CASE)))
    assert found.state is Completeness.INCOMPLETE


def test_an_error_declaration_acts_from_its_record_time_on() -> None:
    original = sent(PACK.format(1), eventID="urn:uuid:1")
    declared = original | {
        "recordTime": "2026-03-20T00:00:00Z",
        "errorDeclaration": {"declarationTime": "2026-03-01T00:00:00Z"},
    }
    whole = document(made(1), original, declared)
    before, after = roots(whole, at=datetime(2026, 3, 19, tzinfo=UTC)), roots(whole)
    assert [row.fields.get("id") for row in before["events"].items] == [None, "urn:uuid:1"]
    assert "error_declared_at" not in before["events"].items[1].fields
    assert len(before["shipped_items"].items) == 1
    assert [row.fields.get("id") for row in after["events"].items] == [None]
    assert after["shipped_items"].items == ()
    assert any("declared to be in error" in note for note in after["notes"])


@pytest.mark.parametrize(
    "change", [{"epcList": [PACK.format(9)]}, {"eventTime": "2026-03-02T05:00:01Z"}, {"destinationList": []}]
)
def test_a_declaration_that_does_not_repeat_the_event_takes_nothing_back(change: dict[str, Any]) -> None:
    original = sent(PACK.format(1), eventID="urn:uuid:1")
    declared = original | {"errorDeclaration": {"declarationTime": "2026-03-20T00:00:00Z"}} | change
    found = roots(document(made(1), original, declared))
    assert [row.fields["epc"] for row in found["shipped_items"].items] == [PACK.format(1)]
    assert found["events"].state is found["shipped_items"].state is Completeness.INCOMPLETE
    assert "`urn:uuid:1`" in found["events"].reason
    assert len(found["events"].items) == 2


def test_a_declaration_in_another_file_takes_nothing_back() -> None:
    original = sent(PACK.format(1), eventID="urn:uuid:1")
    declared = original | {"errorDeclaration": {"declarationTime": "2026-03-20T00:00:00Z"}}
    found = roots(document(made(1), original), document(declared, name="z.json"))
    assert len(found["shipped_items"].items) == 1
    assert found["events"].state is Completeness.INCOMPLETE
    assert "`urn:uuid:1`" in found["events"].reason


def test_a_declaration_alone_says_what_happened_until_it_acts() -> None:
    claimed = document(made(1), sent(PACK.format(1)) | {"errorDeclaration": {"declarationTime": "2026-03-20T00:00:00Z"}})
    assert len(roots(claimed, at=datetime(2026, 3, 19, tzinfo=UTC))["shipped_items"].items) == 1
    after = roots(claimed)
    assert after["shipped_items"].items == ()
    assert any("the time it claims" in note for note in after["notes"])
