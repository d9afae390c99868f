"""Which record a finding becomes: the triage table, evaluated top-down, first match wins. It cites the row that matched.

Rows 3 (overdue evidence), 4 (three in 90 days) and 5 (trend, recurrence) look at earlier decisions; one run has none, so
they say so instead of guessing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policyengine.outputs.site import Site

NO_HISTORY = "no earlier decisions given"
_QUIET = {"pass", "not_applicable", "not_yet_due", "waived"}
_PHASE_OF_LIFECYCLE = {"concept": "development", "project": "development", "operation": "operation", "retirement": "operation"}


@dataclass(frozen=True, slots=True)
class Phase:
    """The phase that the triage uses, and who stated it. ``stated`` is False when it only counts as operation."""

    name: str
    stated: bool
    source: str


@dataclass(frozen=True, slots=True)
class Triage:
    """``row`` of the table, the ``record_type`` (None: no draft), and ``reason``: the row in words with the facts that matched."""

    row: int
    record_type: str | None
    reason: str
    linked: tuple[str, ...] = ()


def phase_of(decision: Mapping[str, Any], site: Site) -> Phase:
    """The site's word first, then the evidence of the system; when nothing states it, operation (so a draft is made)."""
    if site.phase is not None:
        return Phase(site.phase, True, "site")
    lifecycle = (decision.get("system") or {}).get("lifecycle_phase")
    if lifecycle in _PHASE_OF_LIFECYCLE:
        return Phase(_PHASE_OF_LIFECYCLE[lifecycle], True, f"evidence: the system's lifecycle phase is {lifecycle}")
    return Phase("operation", False, "not stated, counts as operation")


def triage(rule: Mapping[str, Any], finding: Mapping[str, Any], decision: Mapping[str, Any], site: Site) -> Triage:
    """The first matching row for one finding."""
    outcome, severity = finding["outcome"], rule["severity"]
    phase = phase_of(decision, site)
    if (quiet := _row_1(rule, finding)) is not None:
        return quiet
    if outcome == "error":
        return Triage(
            2, None, "row 2: the rule could not be evaluated; an incident for the operator of the engine, and the gate blocks"
        )
    if outcome == "unknown":
        days = _days(site.evidence_days)
        return Triage(
            3,
            "evidence_request",
            f"row 3: the outcome is unknown, so evidence is asked for, due in {days}; overdue: {NO_HISTORY}",
        )
    if phase.stated and phase.name in ("development", "pre_release") and _gate_blocked(rule, decision):
        words = phase.name.replace("_", " ")
        return Triage(
            4, None, f"row 4: the phase is stated as {words} ({phase.source}) and the gate blocked it; repeats: {NO_HISTORY}"
        )
    # Row 5 (trend alarm, recurrence) cannot match in one run: there are no earlier decisions to compare with.
    if why := _why_row_6(rule, severity, phase, site):
        return Triage(6, "capa", f"row 6: {why}; row 5: {NO_HISTORY}", ("deviation",))
    if severity == "major":
        return Triage(7, "deviation", f"row 7: the severity is major; row 5: {NO_HISTORY}")
    if expired := expired_waiver(decision, rule, finding):
        return Triage(7, "deviation", f"row 7: waiver {expired} has expired; row 5: {NO_HISTORY}")
    return Triage(8, "correction", f"row 8: the severity is {severity}; trend: {NO_HISTORY}")


def expired_waiver(decision: Mapping[str, Any], rule: Mapping[str, Any], finding: Mapping[str, Any]) -> str | None:
    """The id of a waiver that named this subject and is no longer in force."""
    for waiver in decision.get("waivers", ()):
        if (
            waiver.get("applied")
            or not names(waiver, rule, finding)
            or not str(waiver.get("reason") or "").startswith("expired")
        ):
            continue
        return str(waiver["id"])
    return None


def names(waiver: Mapping[str, Any], rule: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    """Whether a waiver is for this rule and, where it lists subjects, for this one."""
    if waiver.get("rule") != rule["id"] or waiver.get("policy") not in (None, rule["policy"]):
        return False
    subjects = waiver.get("subjects")
    return not subjects or finding["subject"] in subjects


def _row_1(rule: Mapping[str, Any], finding: Mapping[str, Any]) -> Triage | None:
    outcome = finding["outcome"]
    if outcome in _QUIET or finding.get("disposition") in ("waived", "risk_accepted"):
        word = "waived" if finding.get("disposition") else str(outcome).replace("_", " ")
        return Triage(1, None, f"row 1: the outcome is {word}")
    if rule["severity"] in ("observation", "info"):
        return Triage(1, None, "row 1: the severity is observation")
    if rule.get("advisory"):
        return Triage(1, None, "row 1: the rule refers only to draft regulations")
    return None


def _why_row_6(rule: Mapping[str, Any], severity: str, phase: Phase, site: Site) -> str:
    if severity == "critical":
        return "the severity is critical"
    if {rule["id"], f"{rule['policy']}/{rule['id']}"} & site.statutory_rules:
        return "a statutory clock was missed"
    category = (rule.get("capa") or {}).get("category")
    if site.has_flag(category, "data_integrity") and phase.name in ("released", "operation"):
        return f"the category is data integrity and the phase is {phase.name}" + ("" if phase.stated else " (not stated)")
    return ""


def _gate_blocked(rule: Mapping[str, Any], decision: Mapping[str, Any]) -> bool:
    return decision["decision"] == "blocked" and rule.get("gate") == "block"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
