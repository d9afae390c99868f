"""Small evaluated runs for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from policyengine.core.model import EvidenceItem, EvidenceSet, Record
from policyengine.core.outcome import Outcome, worst
from policyengine.decision.inputs import DecisionInputs, EngineFacts, JudgedPolicy, Subject
from policyengine.engine.findings import Finding, RuleResult

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEX = "ab" * 32
QUIET = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def rule(name: str = "r1", severity: str = "critical", references: tuple[tuple[str, str, str], ...] = (("meets", "part-11", "11.10(e)"),),
         capa: Mapping[str, Any] | None = None) -> dict[str, Any]:  # fmt: skip
    return {
        "id": name, "title": f"Title of {name}", "severity": severity, "because": None, "applies": None, "loops": [], "clauses": [],
        "capa": capa, "references": [{"relation": r, "framework": f, "control": c} for r, f, c in references],
    }  # fmt: skip


def policy(*rules: dict[str, Any], name: str = "p", version: str = "1.0.0") -> JudgedPolicy:
    plan = {"policy": {"id": name, "version": version, "title": "Title"}, "rules": list(rules)}
    return JudgedPolicy(plan, "sha256:" + "cd" * 32)


def result(*subjects: tuple[str, Outcome], name: str = "r1", of: str = "p", stated: Outcome | None = None) -> RuleResult:
    findings = tuple(Finding(s, o, f"{s} is {o.words}") for s, o in sorted(subjects) if o not in QUIET)
    return RuleResult(of, name, stated or worst(o for _, o in subjects), subjects, findings)


def evidence(system: str | None = "MES-01") -> EvidenceSet:
    roots = {"system": Record("system", {"id": system, "gxp_impact": "direct"})} if system else {}
    items = (EvidenceItem("mes.cdx.json", "sbom", "cyclonedx 1.6", "sha256:" + "11" * 32, 10),
             EvidenceItem("trail.csv", "audit_trail", "csv", "sha256:" + "22" * 32, 20))  # fmt: skip
    return EvidenceSet(roots, items)


def inputs(
    policies: tuple[JudgedPolicy, ...] | None = None, results: tuple[RuleResult, ...] = (), **more: Any
) -> DecisionInputs:
    given: dict[str, Any] = {
        "evidence": evidence(), "evaluated_at": AT, "engine": EngineFacts("0.1.0", "sha256:" + "ee" * 32),
        "subjects": (Subject("mes-4.2.0.tar", {"sha256": HEX}),),
    }  # fmt: skip
    return DecisionInputs(policies or (policy(rule()),), results, **{**given, **more})
