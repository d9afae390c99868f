"""EPCIS 2.0 JSON(-LD): documents, query documents and bare events, checked against the JSON schema of the standard.

A document that is not EPCIS at all is refused. An event that breaks the schema is kept with ``schema_valid`` false, so that a
rule can say so; one that cannot be read is named, kept out, and leaves ``epcis.events`` incomplete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from policyengine.core.canonical import sha256_of
from policyengine.core.coerce import Mismatch, Reader, calendar_date, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, Origin, Record
from policyengine.core.strict_json import load_json
from policyengine.core.vocabulary import Vocabulary
from policyengine.evidence.document import Document
from policyengine.evidence.gs1 import gln
from policyengine.evidence.packing import CapturedEvent, Facts

LISTED = 20
DOCUMENTS = {"EPCISDocument": ("epcisBody", "eventList"),
             "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody", "eventList")}  # fmt: skip
EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
_CBV = re.compile(
    r"(?:urn:epcglobal:cbv:(?:bizstep|disp):|https?://(?:ref|ns)\.gs1\.org/cbv/(?:BizStep|Disp)-|cbv:(?:BizStep|Disp)-)(\w+)"
)
_MASTER_DATA = re.compile(
    r"(?:cbvmda:|urn:epcglobal:cbv:mda:?#?|https?://(?:ref|ns)\.gs1\.org/cbv/|https?://gs1\.org/voc/|gs1:)(\w+)"
)
_FIELDS = {"eventID": "id", "type": "type", "action": "action", "eventTime": "time", "recordTime": "record_time",
           "epcList": "epc_list", "parentID": "parent_id", "childEPCs": "child_epcs",
           "eventTimeZoneOffset": "time_zone_offset"}  # fmt: skip


def is_epcis(document: object) -> bool:
    """Whether parsed JSON says it is EPCIS: by its type, never by a file name."""
    kind = document.get("type") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(kind, str):
        return False
    return kind in DOCUMENTS or (kind in EVENT_TYPES and "eventTime" in document)


def read_epcis(raw: bytes, name: str, vocabulary: Vocabulary) -> Document:
    """The events of one file. Raises ``Refusal``: PE401, PE402 (not JSON), PE440 (not EPCIS 2.0, with pointers)."""
    document: Any = load_json(raw, name)
    if not is_epcis(document):
        raise Refusal(Diagnostic("PE440", "not an EPCIS 2.0 document", file=name, hint="`type` says EPCISDocument"))
    path = DOCUMENTS.get(document["type"], ())
    faults = _faults(document, path, name)
    events: Any = document
    for key in path:
        events = events[key]
    if not path:
        events = [document]
    reader = Reader(vocabulary)
    kept: list[Record] = []
    problems: list[str] = []
    notes: list[str] = []
    for i, raw_event in enumerate(events):
        pointer = f"/{'/'.join(path)}/{i}" if path else ""
        if i in faults:
            notes.append(f"{pointer}: not as the schema wants it: {faults[i]}")
        try:
            kept.append(_event(raw_event, Origin(name, pointer), i not in faults, reader))
        except Mismatch as wrong:
            problems.append(f"{pointer}{wrong.pointer}: {wrong.message}")
    state = Completeness.INCOMPLETE if problems else Completeness.NOT_STATED
    reason = f"{len(problems)} of {len(events)} events could not be read ({problems[0]})" if problems else ""
    rest = len(problems) + len(notes) - LISTED
    warnings = (*[*problems, *notes][:LISTED], *([f"and {rest} more events"] if rest > 0 else []))
    version = document.get("schemaVersion", "2.0")
    item = EvidenceItem(name, "epcis", f"epcis {version}", sha256_of(raw), len(raw), state, reason=reason or None,
                        counts={"events": len(events), "not_read": len(problems)}, feeds=("epcis",), warnings=warnings)  # fmt: skip
    found = Collection(tuple(kept), state, origin=Origin(name), reason=reason)
    return Document(item, {"epcis": Record("epcis", {"events": found}, Origin(name))})


@cache
def _validator() -> Any:
    import jsonschema_rs

    text = (files("policyengine.evidence") / "schemas" / "epcis-2.0.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft7Validator(json.loads(text), validate_formats=True)


def _faults(document: Any, path: tuple[str, ...], name: str) -> dict[int, str]:
    """The first fault of each faulty event by its index. Faults outside events are raised."""
    faults: dict[int, str] = {}
    outside: list[Diagnostic] = []
    for error in _validator().iter_errors(_floats(document)):
        place = list(error.instance_path)
        if not path:
            faults.setdefault(0, _shortened(error.message))
        elif place[: len(path)] == list(path) and len(place) > len(path):
            faults.setdefault(int(place[len(path)]), _shortened(error.message))
        elif len(outside) < LISTED:
            pointer = "".join(f"/{part}" for part in place)
            outside.append(Diagnostic("PE440", f"not EPCIS 2.0: {_shortened(error.message)}", file=name, pointer=pointer))
    if outside:
        raise Refusal(*outside)
    return faults


def _floats(value: Any) -> Any:
    """The same data with floats, which the validator reads; only the schema's verdict is taken from it."""
    if isinstance(value, dict):
        return {key: _floats(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return value if value is None or isinstance(value, str | int | bool) else float(value)


def _shortened(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:60]} .. {message[-90:]}"


def _event(raw: Any, origin: Origin, valid: bool, reader: Reader) -> CapturedEvent:
    if not isinstance(raw, Mapping):
        raise Mismatch("", "an event is an object")
    plain: dict[str, object] = {ours: raw[theirs] for theirs, ours in _FIELDS.items() if raw.get(theirs) is not None}
    for theirs, ours in (("bizStep", "biz_step"), ("disposition", "disposition")):
        if isinstance(raw.get(theirs), str):
            plain[ours] = bare_word(raw[theirs])
    owner = _party(raw, "source", ("owning_party",))
    if owner is not None:
        plain["source_owner"] = owner
    plain["schema_valid"] = valid
    if "type" not in plain:
        raise Mismatch("/type", "not recorded")
    record = reader.record("epcis_event", plain, origin)
    facts = _facts(raw, record)
    said = {
        "lot": facts.lot,
        "expiry": facts.expiry,
        "destination_owner": facts.shipped_to,
        "error_declared_at": facts.declared_at,
    }
    fields = {**record.fields, **{name: value for name, value in said.items() if value is not None}}
    return CapturedEvent(record.type, fields, origin, facts)


def bare_word(text: str) -> str:
    """``shipping`` from any of its spellings in the Core Business Vocabulary; a word of somebody's own stays as it is."""
    found = _CBV.fullmatch(text.strip())
    return found[1] if found else text


def _facts(raw: Mapping[str, Any], record: Record) -> Facts:
    declaration = raw.get("errorDeclaration")
    declared_at, by_claim = None, False
    if isinstance(declaration, Mapping):
        recorded = record.fields.get("record_time")
        by_claim = recorded is None
        declared_at = recorded or timestamp(declaration.get("declarationTime"), "/errorDeclaration/declarationTime")
    lot, expiry = _lot_and_expiry(raw.get("ilmd"))
    to = _party(raw, "destination", ("owning_party", "possessing_party"))
    unlisted = bool(raw.get("quantityList") or raw.get("childQuantityList"))
    return Facts(declared_at, by_claim, lot, expiry, to, unlisted, _said(raw))  # type: ignore[arg-type]


def _said(raw: Mapping[str, Any]) -> str:
    """A digest of what an event says happened. Numbers count as they are written."""
    told = {key: value for key, value in raw.items() if key not in ("errorDeclaration", "recordTime")}
    return sha256_of(json.dumps(told, sort_keys=True, default=str).encode())


def _lot_and_expiry(ilmd: object) -> tuple[str | None, Any]:
    said: dict[str, str] = {}
    for key, value in ilmd.items() if isinstance(ilmd, Mapping) else ():
        named = _MASTER_DATA.fullmatch(str(key))
        if named and isinstance(value, str) and value.strip():
            said[named[1]] = value.strip()
    expiry = said.get("itemExpirationDate")
    return said.get("lotNumber"), calendar_date(expiry, "/ilmd/itemExpirationDate") if expiry else None


def _party(raw: Mapping[str, Any], side: str, kinds: tuple[str, ...]) -> str | None:
    """The GLN of the party on one side, the first of the kinds that is there; None where it cannot be told."""
    listed = raw.get(f"{side}List")
    parties = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    for kind in kinds:
        for each in parties:
            if str(each.get("type")).rpartition(":")[2].removeprefix("SDT-") == kind and isinstance(each.get(side), str):
                return gln(each[side])
    return None
