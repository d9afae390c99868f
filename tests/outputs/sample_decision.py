"""A decision as `policyengine gate --format json` prints it, made up for the tests of outputs."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from policyengine.controls.gate import DEFAULT_GATE
from policyengine.decision.control_states import framework_counts
from policyengine.decision.decide import decision_id
from policyengine.decision.judgement import summary
from policyengine.decision.plain import plain

AT = "2026-03-09T06:00:00Z"
TITLES = {"21-cfr-part-11": {"11.10(g)": "Authority checks", "11.10(e)": "Audit trails"}}


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def finding(subject: str, outcome: str = "fail", message: str = "", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "subject": subject,
        "outcome": outcome,
        "message": message or f"{subject} does not hold",
        "causes": [],
        "values": {},
        "clauses": [],
        "group": [],
        "suggestions": {},
        "note": "",
        "evidence": [],
    }
    return made | more


def rule(id_: str, severity: str, outcome: str, findings: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("pass", "fail", "unknown", "not_yet_due", "not_applicable", "waived", "error"), 0)
    for each in findings:
        counts[each["outcome"]] += 1
    counts["pass"] = more.pop("passed", 0)
    made: dict[str, Any] = {
        "id": id_,
        "title": f"Rule {id_} holds",
        "because": "",
        "policy": "p11-records",
        "policy_version": "1.0.0",
        "severity": severity,
        "gate": "none" if outcome in ("pass", "not_applicable") else ("block" if severity in ("critical", "major") else "warn"),
        "outcome": outcome,
        "advisory": False,
        "gate_row": severity,
        "capa": None,
        "controls": [{"framework": "21-cfr-part-11", "control": "11.10(e)", "relation": "meets"}],
        "population": {"evaluated": sum(counts.values()), **counts},
        "findings": findings,
    }
    return made | more


def decision_with(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A decision with these rules and nothing else of interest."""
    return sample_decision() | {"rules": list(rules), "waivers": [], "relaxations": []} | more


def sample_decision() -> dict[str, Any]:
    """A blocked release with every kind of outcome."""
    duties_values = {
        "signature.signer.person_id": "P-0231",
        "version.author.person_id": "P-0231",
        "signature.signer.user_id": "jdoe2",
    }
    duties = rule(
        "sig-duties", "critical", "fail",
        [
            finding(
                record, message=f"{record} was approved by its author P-0231", values=duties_values,
                clauses=[
                    {"kind": "require", "text": "signature.valid and signature.record_digest is recorded", "outcome": "pass"},
                    {"kind": "require", "text": "version.author.person_id is not signature.signer.person_id", "outcome": "fail"},
                ],
                evidence=[{"name": "signatures-2026-03.jsonl", "pointer": pointer}], group=["jdoe2"],
                suggestions={"containment": "suspend the second account jdoe2", "correction": "independent approval of the record"},
            )
            for record, pointer in (("B-1042", "/340"), ("B-1043", "/512"))
        ],
        passed=116, title="Nobody approves what they wrote, under any of their accounts",
        because="An approval is worth something only when a second person gave it",
        capa={"category": "Data integrity", "owner": "Production QA", "due_in_days": 20, "group_by": ["signature.signer.user_id"]},
        controls=[{"framework": "21-cfr-part-11", "control": "11.10(g)", "relation": "meets"}],
    )  # fmt: skip
    hashes = rule(
        "components-hashed", "major", "fail",
        [finding("pkg:npm/left-pad@1.3.0", message="left-pad has no strong digest", values={"component.digests": None},
                 clauses=[{"kind": "require", "text": "component.digests is recorded", "outcome": "fail"}],
                 evidence=[{"name": "mes.cdx.json", "pointer": "/components/17"}])],
        passed=211, title="Every component has a strong digest", policy="supply-chain", policy_version="2.1.0",
        because="A component without digest can be exchanged unseen",
        controls=[{"framework": "21-cfr-part-11", "control": "11.10(a)", "relation": "supports"}],
    )  # fmt: skip
    reviewed = rule(
        "at-review", "major", "unknown",
        [finding("MES-01", "unknown", "nobody can say when the audit trail was reviewed",
                 causes=[{"kind": "absent", "what": "reviews", "evidence": None}],
                 clauses=[{"kind": "require", "text": "reviews recur at least every 30 days", "outcome": "unknown"}])],
        title="The audit trail is reviewed at the defined interval",
        controls=[{"framework": "eu-annex-11-2011", "control": "9", "relation": "meets"}],
    )  # fmt: skip
    planned = rule(
        "restore-tested", "minor", "not_yet_due",
        [finding("MES-01", "not_yet_due", "the restore test is due by 2026-04-30",
                 causes=[{"kind": "not yet due", "what": "restore test by 2026-04-30", "evidence": None}])],
        title="A restore was tested within a year", controls=[{"framework": "eu-annex-11-2011", "control": "7.2", "relation": "meets"}],
    )  # fmt: skip
    waived = rule(
        "training", "major", "waived",
        [finding("P-0099", "waived", "P-0099 was not trained on MES 4.2", verdict="fail", disposition="risk_accepted", waiver="W-7")],
        passed=40, title="Users are trained before they work", gate="warn",
    )  # fmt: skip
    fine = rule("at-complete", "critical", "pass", [], passed=118, title="Each GxP change records who, what, when and why")
    made: dict[str, Any] = deepcopy({
        "schema_version": "1",
        "decision": "blocked",
        "evaluated_at": AT,
        "engine": {"name": "policyengine", "version": "0.1.0", "schema": digest("e")},
        "subjects": [{"name": "mes-4.2.0.tar.gz", "digest": {"sha256": "a" * 64}}],
        "system": {"id": "MES-01", "name": "Manufacturing execution, line 1", "version": "4.2.0", "gxp_impact": "direct", "lifecycle_phase": "operation"},
        "release": {"id": "4.2.0"},
        "profile": {"id": "basel-site", "version": "3", "digest": digest("f"), "completeness": "stated"},
        "selection": {"frameworks": [], "rules": []},
        "relaxations": [{"kind": "waiver_applied", "what": "W-7", "detail": "rule training: P-0099"}],
        "policies": [
            {"id": "p11-records", "version": "1.0.0", "title": None, "digest": digest("1")},
            {"id": "supply-chain", "version": "2.1.0", "title": None, "digest": digest("2")},
        ],
        "parameters": [{"policy": "p11-records", "name": "review_interval", "value": "30 days", "source": "profile"}],
        "evidence": [
            {"name": "mes.cdx.json", "kind": "sbom", "format": "cyclonedx 1.6", "digest": digest("b"), "size": 40960,
             "completeness": "complete", "verified": None, "signer": None, "reason": None, "counts": {"components": 212}, "feeds": [], "warnings": []},
            {"name": "signatures-2026-03.jsonl", "kind": "events", "format": "jsonl", "digest": digest("c"), "size": 81920,
             "completeness": "not_stated", "verified": True, "signer": "mes-export", "reason": None, "counts": {"rows": 118}, "feeds": [], "warnings": []},
            {"name": "build.intoto.json", "kind": "attestation", "format": "in-toto 1", "digest": digest("d"), "size": 2048,
             "completeness": "not_stated", "verified": False, "signer": None, "reason": "no trusted key signed it", "counts": {}, "feeds": [], "warnings": []},
        ],
        "assumptions": ["signatures: the source does not state completeness; counted as complete"],
        "rules": [duties, hashes, reviewed, planned, waived, fine],
        "controls": [
            {"framework": "21-cfr-part-11", "control": "11.10(a)", "state": "not_met", "title": None, "automation": None, "rules": []},
            {"framework": "21-cfr-part-11", "control": "11.10(e)", "state": "met", "title": None, "automation": None, "rules": []},
            {"framework": "21-cfr-part-11", "control": "11.10(g)", "state": "not_met", "title": None, "automation": None, "rules": []},
            {"framework": "eu-annex-11-2011", "control": "7.2", "state": "not_yet_due", "title": None, "automation": None, "rules": []},
            {"framework": "eu-annex-11-2011", "control": "9", "state": "unknown", "title": None, "automation": None, "rules": []},
        ],
        "waivers": [
            {"id": "W-7", "rule": "training", "subjects": ["P-0099"], "applied": True,
             "reason": "in force until 2026-04-01T00:00:00Z", "file": "W-7.dsse", "digest": digest("7"), "signer": "qa-key",
             "applied_to": ["P-0099"]},
        ],
    })  # fmt: skip
    made |= {
        "exit_code": 1,
        "lenient": False,
        "lock_digest": None,
        "gate_table": plain(DEFAULT_GATE),
        "trust": None,
        "frameworks": framework_counts(made["controls"], {}),
        "quality_drafts": [],
        "summary": summary(made["rules"], made["controls"]),
    }
    return {"id": decision_id(made), **made}
