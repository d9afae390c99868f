"""The quality system around the system: events, investigations, reviews, suppliers, backups, documents, training."""

from __future__ import annotations

from typing import Any

from policyengine.demo.people import EVERYBODY, OPERATORS, QUALITY, SUPERVISORS
from policyengine.demo.story import RELEASE, SYSTEM, day, z

INPUTS = ["inspections", "audits", "commitments", "complaints", "recalls", "monitoring", "changes", "capa", "earlier actions"]


def system() -> dict[str, Any]:
    return {
        "id": SYSTEM, "name": "Aurora MES, plant Seeburg (fictional, synthetic data)", "gxp_impact": "direct", "gamp_category": 4, "open_system": False,
        "operational_since": "2024-05-02", "gmp_critical": True, "access_model": "closed", "process_owner": SUPERVISORS[0].actor,
        "system_owner": SUPERVISORS[1].actor, "quality_contact": QUALITY[0].actor, "it_contact": EVERYBODY[-1].actor, "criticality": "high",
        "lifecycle_phase": "operation", "supplier_name": "Aurora Manufacturing Software", "version": RELEASE, "regions": ["CH", "EU", "US"],
        "data_sets": ["batch-records", "audit-trail", "recipes"], "archives": [], "audit_streams": ["mes-main"],
        "operated_by_third_party": False, "internet_facing": False, "description_id": "SD-MES-01",
    }  # fmt: skip


def quality_events() -> list[dict[str, Any]]:
    def deviation(number: int, severity: str, begin: int, closed: int | None, **more: Any) -> dict[str, Any]:
        return {
            "id": f"DEV-2026-{number:03d}", "kind": "deviation", "severity": severity, "system_id": SYSTEM, "time": z(day(begin, 9)),
            "category": "production", "assessed": True, "assessed_at": z(day(begin + 1, 9)), "impacts_assessed": ["product", "patient", "data"],
            **({"closed_at": z(day(closed, 15))} if closed else {}), **more,
        }  # fmt: skip

    capa = {
        "id": "CAPA-2026-004", "kind": "capa", "severity": "major", "system_id": SYSTEM, "time": z(day(-40, 9)), "due_on": "2026-03-25",
        "problem_statement": "Label printer of line 2 skipped a verification in three batches.", "root_cause": "Sensor cable chafed by the guard",
        "root_cause_method": "five whys", "actions": [{"kind": "corrective", "owner": "o.bucher", "due_on": "2026-03-10", "completed_on": "2026-03-06"}],
        "effectiveness_criteria_on": "2026-02-20", "completed_on": "2026-03-06", "closed_at": z(day(12, 10)), "closed_by": "k.meier",
        "effectiveness_due_on": "2026-06-30", "source_ids": ["DEV-2026-011"],
    }  # fmt: skip
    incident = {
        "id": "INC-2026-031", "kind": "incident", "severity": "minor", "system_id": SYSTEM, "time": z(day(14, 11)), "gxp": True,
        "assessed": True, "assessed_at": z(day(14, 15)), "impacts_assessed": ["product", "patient", "data"], "classification": "no impact",
        "closed_at": z(day(16, 9)), "root_cause": "Switch restarted after a power dip",
    }  # fmt: skip
    return [
        deviation(14, "minor", -20, 2), deviation(15, "major", -8, 20), deviation(16, "minor", 11, 24), deviation(17, "minor", 27, None),
        capa, incident,
    ]  # fmt: skip


def investigations() -> list[dict[str, Any]]:
    return [{"id": "INV-2026-006", "quality_event_id": "DEV-2026-015", "opened_at": z(day(-6, 9)), "concluded_at": z(day(15, 9)),
             "root_cause": "Worn seal of the mixer", "approved_by": "l.graf"}]  # fmt: skip


def reviews() -> list[dict[str, Any]]:
    """Management, access, periodic and configuration reviews; the audit-trail reviews come with the batches."""
    qa = QUALITY[0]
    common = {
        "system_id": SYSTEM,
        "reviewer_id": qa.user_id,
        "reviewer": qa.actor,
        "outcome": "satisfactory",
        "open_questions": 0,
    }
    rows: list[dict[str, Any]] = [
        {"kind": "management", "time": z(day(-60, 9)), "inputs": INPUTS, "figures_match": True, **common},
        {"kind": "management", "time": z(day(19, 9)), "inputs": INPUTS, "figures_match": True, **common},
        {"kind": "access", "subject_id": SYSTEM, "time": z(day(17, 9)), "decisions": [{"user_id": p.user_id, "decision": "keep"} for p in EVERYBODY],
         "covered_ids": [p.user_id for p in EVERYBODY], **common},
        {"kind": "periodic", "subject_id": SYSTEM, "time": "2025-11-18T09:00:00Z", "topics": ["functionality", "deviations", "incidents",
         "problems", "upgrade history", "performance", "reliability", "security", "validation status"], **common},
    ]  # fmt: skip
    for number, start in enumerate((3, 9, 16, 23), 1):
        rows.append(
            {"kind": "post_change", "subject_id": f"CHG-2026-{20 + number:03d}", "time": z(day(start + 3, 9)), **common}
        )
    return rows


def suppliers() -> list[dict[str, Any]]:
    return [
        {"name": "Aurora Manufacturing Software", "assessment": "approved", "assessed_on": "2025-06-10", "quality_agreement": True,
         "registered": True, "gxp": True, "risk": "high", "first_use_on": "2024-05-02"},
        {"name": "Seeburg Hosting", "assessment": "approved", "assessed_on": "2024-11-05", "quality_agreement": True, "registered": True,
         "gxp": True, "risk": "medium", "first_use_on": "2024-12-01"},
    ]  # fmt: skip


def backups() -> list[dict[str, Any]]:
    return [
        {"system_id": SYSTEM, "time": z(day(number, 1, 5 * position)), "result": "PASSED", "data_set": data_set,
         "covers": ["data", "metadata", "audit_trail", "configuration"], "location_separate": True, "technology": "object-store"}
        for number in range(33)
        for position, data_set in enumerate(system()["data_sets"])
    ]  # fmt: skip


def storage_tests() -> list[dict[str, Any]]:
    return [
        {"id": f"RST-2026-{position + 1:02d}", "kind": "restore", "data_set": data_set, "time": z(day(-20 + position, 10)), "phase": "routine",
         "comparison": "equal", "accessible": True, "readable": True, "trail_verified": True, "technology": "object-store"}
        for position, data_set in enumerate(system()["data_sets"])
    ]  # fmt: skip


def trainings() -> list[dict[str, Any]]:
    return [
        {"user_id": p.user_id, "person_id": p.person_id, "document_id": "SOP-MES-012", "document_version": "4", "kind": "training",
         "time": "2026-01-08T09:00:00Z", "expires_at": "2027-01-08T09:00:00Z", "never_expires": False}
        for p in (*OPERATORS, *SUPERVISORS, *QUALITY)
    ]  # fmt: skip
