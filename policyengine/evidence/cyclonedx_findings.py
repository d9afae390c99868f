"""Vulnerabilities of a CycloneDX document: one row for each vulnerability and affected component of this very document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from policyengine.core.model import Origin, Record

_SEVERITIES = ("none", "info", "low", "medium", "high", "critical")
_METHODS = ("CVSSv4", "CVSSv31", "CVSSv3", "CVSSv2")
_BOM_LINK = re.compile(r"urn:cdx:([0-9a-fA-F-]{36})/(\d+)#(.+)")


def vulnerability_rows(raw: Mapping[str, Any], by_ref: Mapping[str, Record], name: str,
                       time: Callable[[object, str], datetime | None]) -> tuple[tuple[Record, ...], tuple[str, ...]]:  # fmt: skip
    """The rows, and a warning for each statement that names no component of this document (it is not used)."""
    rows: list[Record] = []
    warnings: list[str] = []
    for index, each in enumerate(raw.get("vulnerabilities") or ()):
        pointer = f"/vulnerabilities/{index}"
        shared = _facts(each, pointer, time)
        affected = each.get("affects") or ()
        if not affected:
            warnings.append(f"{pointer}: {each.get('id', 'a vulnerability')} names no affected component")
        for position, target in enumerate(affected):
            component = by_ref.get(_local_ref(target.get("ref", ""), raw))
            if component is None or component.type != "component":
                warnings.append(f"{pointer}/affects/{position}: `{target.get('ref')}` is not a component of this document")
                continue
            version = component.fields.get("version")
            stated = {"analysis_version": version} if version is not None and "analysis_state" in shared else {}
            rows.append(Record("vulnerability", {**shared, **stated, "component": component}, Origin(name, pointer)))
    return tuple(rows), tuple(warnings)


def _facts(each: Mapping[str, Any], pointer: str, time: Callable[[object, str], datetime | None]) -> dict[str, Any]:
    analysis = each.get("analysis") or {}
    ratings = each.get("ratings") or ()
    facts: dict[str, Any] = {
        "id": (each.get("id") or each.get("bom-ref") or pointer).strip(),
        "severity": _severity(ratings),
        "cvss_score": _score(ratings),
        "published": time(each.get("published"), f"{pointer}/published"),
        "analysis_state": analysis.get("state"),
        "analysis_justification": analysis.get("justification"),
        "analysis_updated": time(analysis.get("lastUpdated") or analysis.get("firstIssued"), f"{pointer}/analysis/lastUpdated"),
    }
    if analysis.get("state") in ("resolved", "resolved_with_pedigree"):
        facts["resolved_at"] = facts["analysis_updated"]
    return {key: value for key, value in facts.items() if value is not None}


def _severity(ratings: Any) -> str | None:
    """The highest severity that any rating states; not recorded where all of them say unknown."""
    ranks = [_SEVERITIES.index(rating["severity"]) for rating in ratings if rating.get("severity") in _SEVERITIES]
    return _SEVERITIES[max(ranks)] if ranks else None


def _score(ratings: Any) -> Decimal | None:
    for method in _METHODS:
        scores = [r["score"] for r in ratings if r.get("method") == method and isinstance(r.get("score"), int | Decimal)]
        if scores:
            return Decimal(max(scores))
    return None


def _local_ref(ref: str, raw: Mapping[str, Any]) -> str:
    """The bom-ref inside this document that a plain reference or a BOM-Link to this document names."""
    link = _BOM_LINK.fullmatch(ref)
    if link is None:
        return ref
    here = str(raw.get("serialNumber", "")).removeprefix("urn:uuid:").lower()
    return link[3] if link[1].lower() == here and int(link[2]) == raw.get("version", 1) else ""
