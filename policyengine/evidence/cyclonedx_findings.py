"""Vulnerabilities of a CycloneDX document: one row for each vulnerability and affected component of this very document.

A statement about another version of a component says nothing of this one: it makes a row, but its analysis is not taken.
Where what is affected cannot be told, the row has no component and no analysis: a vulnerability never vanishes by its reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from policyengine.core.model import Origin, Record, Version
from policyengine.evidence.cyclonedx_components import plain
from policyengine.evidence.notes import Notes

SEVERITIES = ("none", "info", "low", "medium", "high", "critical")
METHODS = ("CVSSv4", "CVSSv31", "CVSSv3", "CVSSv2")
BANDS = ((Decimal(9), "critical"), (Decimal(7), "high"), (Decimal(4), "medium"), (Decimal("0.1"), "low"))
RESOLVED = ("resolved", "resolved_with_pedigree")
RESOLVED_ASSUMED = "a resolved vulnerability counts as resolved at the last update of its analysis"
_BOM_LINK = re.compile(r"urn:cdx:([0-9a-fA-F-]{36})/([0-9]{1,9})(?:#(.+))?")

Time = Callable[[object, str], datetime | None]


def vulnerability_rows(
    document: Mapping[str, Any], declared: Mapping[str, Record], notes: Notes, time: Time
) -> Iterator[Record]:
    """The rows. A statement that names no component of this document keeps its place: nothing says that it is not about this one."""
    for index, raw in enumerate(document.get("vulnerabilities") or ()):
        pointer = f"/vulnerabilities/{index}"
        facts = _facts(raw, pointer, notes, time)
        affected: dict[str, list[Mapping[str, Any]]] = {}
        astray = not raw.get("affects")
        for position, target in enumerate(raw.get("affects") or ()):
            ref = local_ref(target["ref"], document, declared)
            component = declared.get(ref)
            if component is None or component.type != "component":
                astray = True
                message = f"`{target['ref']}` is not a component of this document: `{facts['id']}` is kept without it"
                notes.warn(f"{pointer}/affects/{position}", message)
            else:
                affected.setdefault(ref, []).extend(target.get("versions") or [{}])
        if not raw.get("affects"):
            notes.warn(pointer, f"`{facts['id']}` names no affected component: kept without one")
        origin = Origin(notes.name, pointer)
        for ref, versions in affected.items():
            yield from _row(declared[ref], versions, facts, origin, notes)
        if astray:
            yield Record("vulnerability", _without_analysis(facts), origin)


def _row(component: Record, versions: Sequence[Mapping[str, Any]], facts: Mapping[str, object], origin: Origin,
         notes: Notes) -> Iterator[Record]:  # fmt: skip
    version = component.fields.get("version")
    stated = {status for status, applies in _statuses(versions, version) if applies is not False}
    if stated == {"unaffected"} and all(applies is not None for _, applies in _statuses(versions, version)):
        text = version.text if isinstance(version, Version) else ""
        notes.warn(origin.pointer, f"`{facts['id']}` is stated not to affect `{component.fields['name']}` {text}: no row")
        return
    fields = {**(facts if stated else _without_analysis(facts)), "component": component}
    if version is not None and "analysis_state" in fields:
        fields["analysis_version"] = version
    yield Record("vulnerability", fields, origin)


def _without_analysis(facts: Mapping[str, object]) -> dict[str, object]:
    """What somebody found out about something else clears nothing here."""
    return {name: value for name, value in facts.items() if not name.startswith("analysis_") and name != "resolved_at"}


def _statuses(versions: Sequence[Mapping[str, Any]], version: object) -> Iterator[tuple[str, bool | None]]:
    """Each stated status, and whether it is about this version (None where that cannot be told)."""
    for each in versions:
        status = str(each.get("status", "affected"))
        if "version" in each:
            applies = plain(str(each["version"])) == version.text if isinstance(version, Version) else None
            yield status, applies
        elif "range" in each:
            yield status, _in_range(str(each["range"]), version)
        else:
            yield status, True


def _in_range(text: str, version: object) -> bool | None:
    if not isinstance(version, Version):
        return None
    from univers.version_range import VersionRange

    try:
        found = VersionRange.from_string(text)  # type: ignore[no-untyped-call]
        return bool(found.version_class(version.text) in found)
    # Whatever the library raises for a version that its scheme cannot read, it could not tell.
    except Exception:
        return None


def _facts(raw: Mapping[str, Any], pointer: str, notes: Notes, time: Time) -> dict[str, object]:
    analysis, ratings = raw.get("analysis") or {}, raw.get("ratings") or ()
    facts: dict[str, object] = {
        "id": plain(raw.get("id") or "") or plain(raw.get("bom-ref") or "") or f"#{pointer}",
        "severity": _severity(ratings),
        "cvss_score": _score(ratings),
        "published": time(raw.get("published"), f"{pointer}/published"),
        "analysis_state": analysis.get("state"),
        "analysis_justification": analysis.get("justification"),
        "analysis_updated": time(analysis.get("lastUpdated"), f"{pointer}/analysis/lastUpdated"),
    }
    if analysis.get("state") in RESOLVED and facts["analysis_updated"] is not None:
        facts["resolved_at"] = facts["analysis_updated"]
        notes.assume(RESOLVED_ASSUMED)
    return {key: value for key, value in facts.items() if value is not None}


def _severity(ratings: Sequence[Mapping[str, Any]]) -> str | None:
    """The highest severity that any rating states, or that its CVSS score says against a lower word.

    Not recorded where no rating states one, or all say ``unknown``: a low score alone lets nothing off.
    """
    stated = [SEVERITIES.index(rating["severity"]) for rating in ratings if rating.get("severity") in SEVERITIES]
    return SEVERITIES[max(*stated, *map(_band, ratings), 0)] if stated else None


def _band(rating: Mapping[str, Any]) -> int:
    """The rank of a CVSS score; a score of no named method is taken for one. CVSS 2 has nothing above ``high``."""
    method = rating.get("method", METHODS[0])
    if method not in METHODS or "score" not in rating:
        return 0
    found = next((word for least, word in BANDS if Decimal(rating["score"]) >= least), "none")
    return SEVERITIES.index("high" if (method, found) == ("CVSSv2", "critical") else found)


def _score(ratings: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """The highest CVSS score of any generation: a second, lower rating takes nothing away from the first."""
    return max((Decimal(each["score"]) for each in ratings if each.get("method") in METHODS and "score" in each), default=None)


def local_ref(ref: str, document: Mapping[str, Any], declared: Mapping[str, Record]) -> str:
    """The bom-ref that a reference, or a BOM-Link to this very document and version, names; "" for another document's."""
    link = _BOM_LINK.fullmatch(ref)
    if link is None or ref in declared:
        return ref
    here = str(document.get("serialNumber", "")).removeprefix("urn:uuid:").lower()
    if link[1].lower() != here or int(link[2]) != document.get("version", 1) or not link[3]:
        return ""
    return link[3] if link[3] in declared else unquote(link[3])
