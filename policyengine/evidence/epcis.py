"""EPCIS 2.0 JSON: what happened to which items, in the vocabulary's words. Checked against the published GS1 schema.

A standard word has three spellings (bare, CBV URN, CBV URL); the bare one is kept. Items keep the identifier they came with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from policyengine.core.coerce import Mismatch, calendar_date, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, EvidenceItem, Origin, Record
from policyengine.evidence.document import Document

_SCHEMA = Path(__file__).parent / "schemas" / "epcis-2.0.schema.json"
_WORD = re.compile(
    r"(?:urn:epcglobal:cbv:(?:bizstep|disp):|https://ref\.gs1\.org/cbv/(?:BizStep|Disp)-|cbv:(?:BizStep|Disp)-)(.+)"
)
_PARTY = re.compile(r"urn:epc:id:(?:pgln|sgln):(\d{6,12})\.(\d{0,6})(?:\..*)?")
_LISTED = 20


@cache
def _validator() -> Any:
    import json

    import jsonschema_rs

    return jsonschema_rs.Draft7Validator(json.loads(_SCHEMA.read_bytes()), validate_formats=True)


def read_epcis(document: Mapping[str, Any], name: str, raw_digest: str, size: int, at: datetime) -> Document:
    """The events of an EPCIS document. Raises :class:`Refusal` PE414 (schema) or PE415 (times)."""
    problems = [
        Diagnostic("PE414", str(e.message)[:200], file=name, pointer="".join(f"/{p}" for p in e.instance_path),
                   hint="the published schema of EPCIS 2.0 was not met here")
        for e in _first(_validator().iter_errors(document))
    ]  # fmt: skip
    if problems:
        raise Refusal(*problems)
    body = document["epcisBody"]
    pointer = "/epcisBody/eventList"
    listed = body.get("eventList")
    if listed is None:
        pointer = "/epcisBody/queryResults/resultsBody/eventList"
        listed = body["queryResults"]["resultsBody"]["eventList"]
    events = tuple(_event(raw, Origin(name, f"{pointer}/{i}"), name, at) for i, raw in enumerate(listed))
    record = Record("epcis", {"events": Collection(events, origin=Origin(name, pointer))}, Origin(name))
    item = EvidenceItem(name, "epcis", f"epcis {document.get('schemaVersion', '2.0')}", raw_digest, size,
                        counts={"events": len(events)}, feeds=("epcis",))  # fmt: skip
    return Document(item, {"epcis": record})


def _first(errors: Any) -> list[Any]:
    found = []
    for error in errors:
        found.append(error)
        if len(found) == _LISTED:
            break
    return found


def _event(raw: Mapping[str, Any], origin: Origin, name: str, at: datetime) -> Record:
    try:
        error = raw.get("errorDeclaration") or {}
        fields = {
            "id": raw.get("eventID"), "type": raw["type"], "action": raw.get("action"), "biz_step": _bare(raw.get("bizStep")),
            "disposition": _bare(raw.get("disposition")), "time": timestamp(raw["eventTime"], "eventTime"),
            "record_time": timestamp(raw["recordTime"], "recordTime") if raw.get("recordTime") else None,
            "epc_list": _items(raw, "epcList", "inputEPCList", "outputEPCList"), "parent_id": raw.get("parentID"), "child_epcs": _items(raw, "childEPCs"),
            "source_owner": _owner(raw.get("sourceList"), "source"), "destination_owner": _owner(raw.get("destinationList"), "destination"),
            "time_zone_offset": raw.get("eventTimeZoneOffset"), "schema_valid": True, "lot": _ilmd(raw, "lotNumber"),
            "expiry": _expiry(_ilmd(raw, "itemExpirationDate")),
            "error_declared_at": timestamp(error["declarationTime"], "errorDeclaration/declarationTime") if error else None,
        }  # fmt: skip
    except Mismatch as problem:
        raise Refusal(
            Diagnostic("PE415", problem.message, file=name, pointer=f"{origin.pointer}/{problem.pointer}", hint=problem.hint)
        ) from None
    if fields["time"] > at:
        message = f"the event is of {fields['time'].isoformat()}, after the evaluation at {at.isoformat()}"
        raise Refusal(
            Diagnostic("PE415", message, file=name, pointer=f"{origin.pointer}/eventTime", hint="check its clock, or --at")
        )
    return Record("epcis_event", {key: value for key, value in fields.items() if value is not None}, origin)


def _bare(word: object) -> str | None:
    if not isinstance(word, str):
        return None
    found = _WORD.fullmatch(word)
    return found[1] if found else word


def _items(raw: Mapping[str, Any], *keys: str) -> tuple[str, ...] | None:
    listed = [epc for key in keys for epc in raw.get(key) or ()]
    return tuple(dict.fromkeys(listed)) or None


def _owner(listed: object, key: str) -> str | None:
    """The GLN of the owning party; of the possessing party where no owner is named. Two different ones are none."""
    parties: dict[str, set[str]] = {}
    for each in listed if isinstance(listed, list) else ():
        kind = _bare(str(each.get("type", ""))).rsplit(":", 1)[-1].rsplit("-", 1)[-1]  # type: ignore[union-attr]
        parties.setdefault(kind, set()).add(gln(str(each.get(key, ""))))
    for kind in ("owning_party", "possessing_party"):
        if kind in parties:
            found = parties[kind]
            return next(iter(found)) if len(found) == 1 else None
    return None


def gln(party: str) -> str:
    """The 13 digits of a GLN from a PGLN or SGLN URN (12 digits and their check digit); anything else as it is."""
    found = _PARTY.fullmatch(party)
    if not found or len(found[1] + found[2]) != 12:
        return party
    digits = found[1] + found[2]
    return digits + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10)


def _ilmd(raw: Mapping[str, Any], name: str) -> str | None:
    data = raw.get("ilmd")
    for key, value in (data if isinstance(data, dict) else {}).items():
        if key.rsplit(":", 1)[-1].rsplit("/", 1)[-1] == name and isinstance(value, str) and value.strip():
            return value.strip()
    return None


def _expiry(text: str | None) -> date | None:
    try:
        return calendar_date(text[:10]) if text else None
    except Mismatch:
        return None
