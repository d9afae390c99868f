"""Packs that left the plant: identifiers, events, partners, transactions, and requests to verify them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from policyengine.demo.story import AT, day, z
from policyengine.evidence.gs1 import gln

COMPANY = "0399999"
SELLER = gln(f"urn:epc:id:pgln:{COMPANY}.00001")
PARTNERS = tuple(
    (f"urn:epc:id:pgln:{COMPANY}.{number}", name)
    for number, name in (
        ("10001", "Seeblick Wholesale (fictional)"),
        ("20001", "Hafen Distribution (fictional)"),
        ("30001", "Talbach Wholesale (fictional)"),
    )
)
LOTS = (("SB2603A", "2028-02-29"), ("SB2603B", "2028-03-31"))
PACKS_PER_CASE, CASES, ENDED_LICENCE_CASE = 12, 4, 3
NEVER_COMMISSIONED = f"urn:epc:id:sgtin:{COMPANY}.012345.90007"


def _pack(serial: int) -> str:
    return f"urn:epc:id:sgtin:{COMPANY}.012345.{10000 + serial}"


def _case(number: int) -> str:
    return f"urn:epc:id:sscc:{COMPANY}.{1000000000 + number}"


def _gtin14() -> str:
    digits = "0" + COMPANY + "12345"
    total = sum(int(d) * (3 if position % 2 == 0 else 1) for position, d in enumerate(digits))
    return digits + str(-total % 10)


def packs_of(case: int, defects: bool = True) -> list[str]:
    """The EPCs of the packs in one case."""
    packs = [_pack(case * PACKS_PER_CASE + i) for i in range(PACKS_PER_CASE)]
    if case == 2 and defects:  # Defect: one pack in this case was never commissioned.
        packs[5] = NEVER_COMMISSIONED
    return packs


def epcis(defects: bool = True) -> dict[str, Any]:
    """EPCIS 2.0: commissioning by lot, packing by case, shipping of each case."""
    events: list[dict[str, Any]] = []

    def event(kind: str, moment: Any, **more: Any) -> None:
        events.append({"type": kind, "eventID": f"urn:uuid:00000000-0000-4000-8000-{len(events) + 1:012d}", "eventTime": z(moment),
                       "recordTime": z(moment + timedelta(minutes=1)), "eventTimeZoneOffset": "+01:00",
                       "readPoint": {"id": f"urn:epc:id:sgln:{COMPANY}.00001.0"}, **more})  # fmt: skip

    for number, (lot, expiry) in enumerate(LOTS):
        made = [p for case in (2 * number, 2 * number + 1) for p in packs_of(case, defects) if p != NEVER_COMMISSIONED]
        event("ObjectEvent", day(20 + number, 9), action="ADD", bizStep="commissioning", disposition="active", epcList=made,
              ilmd={"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": expiry})  # fmt: skip
    for case in range(CASES):
        event("AggregationEvent", day(22, 9 + case), action="ADD", bizStep="packing", disposition="in_progress", parentID=_case(case),
              childEPCs=packs_of(case, defects))  # fmt: skip
    for case in range(CASES):
        party = PARTNERS[(case % 2) if case != ENDED_LICENCE_CASE else 2][0]
        event("ObjectEvent", day(26, 9 + case), action="OBSERVE", bizStep="shipping", disposition="in_transit", epcList=[_case(case)],
              sourceList=[{"type": "owning_party", "source": f"urn:epc:id:pgln:{COMPANY}.00001"}],
              destinationList=[{"type": "owning_party", "destination": party}])  # fmt: skip
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"cbvmda": "urn:epcglobal:cbv:mda:"}],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": z(AT - timedelta(hours=5)),
        "epcisBody": {"eventList": events},
    }  # fmt: skip


def trading_partners(defects: bool = True) -> list[dict[str, Any]]:
    rows = [
        {"gln": gln(party), "name": name, "role": "wholesaler", "authorised_from": "2025-01-01", "authorised_until": "2027-12-31",
         "licence_kind": "wholesale_licence", "states": ["NJ", "NY", "PA"], "checked_on": "2026-03-20", "annual_report_on": "2026-01-31"}
        for party, name in PARTNERS
    ]  # fmt: skip
    if defects:
        rows[2]["authorised_until"] = "2026-03-15"  # Defect: the licence of this partner had ended when the case was shipped.
    rows.append({"gln": SELLER, "name": "Rheintal Biologics", "role": "manufacturer", "authorised_from": "2020-01-01",
                 "authorised_until": "2027-12-31", "licence_kind": "establishment_registration", "states": ["NJ"], "checked_on": "2026-03-20"})  # fmt: skip
    return rows


def product_identifiers(defects: bool = True) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for case in range(CASES):
        lot, expiry = LOTS[case // 2]
        rows += [
            {"epc": epc, "gtin": _gtin14(), "gtin_valid": True, "serial": epc.rsplit(".", 1)[1], "serial_valid": True, "lot": lot,
             "expiry": expiry, "manufactured_on": "2026-03-20", "disposition": "active"}
            for epc in packs_of(case, defects)
        ]  # fmt: skip
    return rows


def serial_batches() -> list[dict[str, Any]]:
    return [{"id": lot, "issued": 30, "commissioned": 24, "destroyed": 2, "sampled": 1, "returned": 3} for lot, _ in LOTS]


def transactions(defects: bool = True) -> list[dict[str, Any]]:
    statement = ["authorized", "received_from_authorized", "received_information_and_statement", "no_suspect_or_illegitimate",
                 "verification_systems", "no_false_information", "no_altered_history"]  # fmt: skip
    rows = []
    for case in range(CASES):
        moved = day(26, 9 + case)
        rows.append({
            "id": f"TX-2026-{case + 1:03d}", "kind": "transaction", "date": "2026-03-26", "transferred_at": z(moved), "shipped_on": "2026-03-26",
            "product_name": "Seeburgin", "strength": "5 mg", "dosage_form": "tablet", "ndc": "99999-123-45", "container_size": "30 tablets",
            "number_of_containers": PACKS_PER_CASE, "lot": LOTS[case // 2][0], "epcs": packs_of(case, defects), "seller_gln": SELLER,
            "buyer_gln": gln(PARTNERS[(case % 2) if case != ENDED_LICENCE_CASE else 2][0]), "seller_address": "Seeburg, CH", "buyer_address": "Newark, NJ, US",
            "ship_from_state": "NJ", "ship_to_state": "NJ", "information_sent_at": z(moved - timedelta(minutes=20)),
            "statement_sent_at": z(moved - timedelta(minutes=20)), "statement_by": SELLER, "statement_assertions": statement, "format": "epcis",
            "packing_complete": True, "retained_until": "2032-12-31", "history_provided": False,
        })  # fmt: skip
    return rows


def verification_requests() -> list[dict[str, Any]]:
    def request(number: int, moment: Any, serial: int) -> dict[str, Any]:
        item = product_identifiers()[serial]
        return {"id": f"VRS-{number:03d}", "time": z(moment), "kind": "verification", "from_role": "wholesaler",
                "item": {k: item[k] for k in ("epc", "gtin", "serial", "lot", "expiry")}}  # fmt: skip

    return [request(1, day(28, 10), 1), request(2, day(29, 10), 14), request(3, AT - timedelta(hours=3), 20)]


def verification_replies(defects: bool = True) -> list[dict[str, Any]]:
    def reply(number: int, moment: Any, serial: int) -> dict[str, Any]:
        item = product_identifiers()[serial]
        return {"request_id": f"VRS-{number:03d}", "time": z(moment), "verified": True, "complete": True,
                **{k: item[k] for k in ("gtin", "serial", "lot", "expiry")}}  # fmt: skip

    second = day(30, 14) if defects else day(29, 12)  # Defect: the second answer came after 28 hours.
    return [reply(1, day(28, 10, 2), 1), reply(2, second, 14)]
