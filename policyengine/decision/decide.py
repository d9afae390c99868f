"""The decision: one pure function from an evaluated run to the object that is printed, signed and replayed.

The shape is the contract of ``docs/decision.md`` and ``docs/decision.schema.json``. The same inputs, in any order, give the
same object: every list is sorted, every number is one that RFC 8785 holds exactly, and nothing is read from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policyengine.controls.gate import loosened_cells
from policyengine.core.canonical import canonical_json, digest_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import EvidenceItem, Record
from policyengine.decision.control_states import framework_counts, states_of_controls
from policyengine.decision.inputs import DecisionInputs, ParameterValue, Subject
from policyengine.decision.judgement import exit_code, is_advisory, release_decision, summary
from policyengine.decision.plain import instant, plain
from policyengine.decision.rule_entry import rule_entry
from policyengine.decision.selection import RuleKey, rules_of, select
from policyengine.decision.waiving import refuse_waivers_for_nothing, waive
from policyengine.engine.findings import RuleResult

SCHEMA_VERSION = "1"


def decide(inputs: DecisionInputs) -> dict[str, Any]:
    """The decision as JSON-plain data.

    Raises :class:`Refusal` when nothing can be decided: no rule selected (PE550), a rule twice (PE551), an unknown selection
    (PE552), a waiver for a rule that does not exist (PE821). ``ValueError`` means a caller's bug, never a user's mistake.
    """
    rules = rules_of(inputs.policies)
    chosen = select(inputs.policies, inputs.selection)
    refuse_waivers_for_nothing(inputs.waivers, rules)
    results = _results(inputs.results, chosen)
    versions: dict[str, str] = {_policy(each.plan)["id"]: _policy(each.plan)["version"] for each in inputs.policies}
    system = _system(inputs)
    waived, waivers = waive(
        inputs.waivers, results, rules, versions, (system or {}).get("id"), inputs.evaluated_at, inputs.profile
    )
    entries = [
        rule_entry(
            key,
            rules[key],
            versions[key[0]],
            results.get(key),
            waived,
            inputs.profile.gate,
            is_advisory(rules[key]["references"], inputs.frameworks),
        )
        for key in sorted(chosen)
    ]
    left_out = sorted(set(rules) - chosen)
    controls = states_of_controls(entries, [rules[key] for key in left_out], inputs.frameworks, inputs.selection.frameworks)
    profile = inputs.profile
    decision: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "decision": release_decision(entry["gate"] for entry in entries),
        "lenient": inputs.lenient,
        "evaluated_at": instant(inputs.evaluated_at),
        "engine": {"name": inputs.engine.name, "version": inputs.engine.version, "schema": inputs.engine.schema},
        "subjects": [_subject(each) for each in sorted(inputs.subjects, key=lambda s: (s.name, sorted(s.digest.items())))],
        "system": system,
        "release": plain(inputs.release) if inputs.release else None,
        "policies": sorted(
            (
                {
                    "id": _policy(each.plan)["id"],
                    "version": _policy(each.plan)["version"],
                    "title": _policy(each.plan).get("title"),
                    "digest": each.digest,
                }
                for each in inputs.policies
            ),
            key=lambda each: str(each["id"]),
        ),
        "lock_digest": inputs.lock_digest,
        "profile": {
            "id": profile.id,
            "version": profile.version,
            "digest": profile.digest,
            "completeness": profile.completeness,
        },
        "gate_table": plain(profile.gate),
        "trust": plain(inputs.trust) if inputs.trust else None,
        "parameters": _parameters(inputs.parameters),
        "selection": {"frameworks": sorted(set(inputs.selection.frameworks)), "rules": sorted(set(inputs.selection.rules))},
        "evidence": [
            _evidence(each) for each in sorted(inputs.evidence.items, key=lambda e: (e.name, e.digest, e.kind, e.format))
        ],
        "assumptions": sorted({*inputs.evidence.assumptions, *(a for result in results.values() for a in result.assumptions)}),
        "rules": entries,
        "controls": controls,
        "frameworks": framework_counts(controls, inputs.frameworks),
        "waivers": waivers,
        "relaxations": _relaxations(inputs, waivers, left_out),
        "summary": summary(entries, controls),
        "quality_drafts": [],
    }
    return _sealed(decision)


def with_quality_drafts(decision: Mapping[str, Any], drafts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The decision with the drafts made from it: ``external_id``, ``record_type``, ``rule``, ``policy``. Its ``id`` stays."""
    shown = [plain({key: draft.get(key) for key in ("external_id", "record_type", "rule", "policy")}) for draft in drafts]
    return {**decision, "quality_drafts": sorted(shown, key=lambda draft: canonical_json(draft))}


def judged_digest(decision: Mapping[str, Any]) -> str:
    """``sha256:..`` of what was judged: the decision without its ``id`` and without the drafts that cite it."""
    return digest_of({key: value for key, value in decision.items() if key not in ("id", "quality_drafts")})


def decision_id(decision: Mapping[str, Any]) -> str:
    """``dec-`` and the first 20 hex digits of :func:`judged_digest`."""
    return "dec-" + judged_digest(decision).removeprefix("sha256:")[:20]


def _sealed(decision: dict[str, Any]) -> dict[str, Any]:
    decision["exit_code"] = exit_code(decision)
    clean: dict[str, Any] = plain(decision)
    return {"id": decision_id(clean), **clean}


def _policy(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    policy: Mapping[str, Any] = plan["policy"]
    return policy


def _results(results: tuple[RuleResult, ...], chosen: frozenset[RuleKey]) -> dict[RuleKey, RuleResult]:
    by_key: dict[RuleKey, RuleResult] = {}
    for result in results:
        key = (result.policy, result.rule)
        if key in by_key:
            raise ValueError(f"two results for rule {'/'.join(key)}")
        by_key[key] = result
    if strangers := sorted(set(by_key) - chosen):
        raise ValueError(f"a result for a rule that was not selected: {'/'.join(strangers[0])}")
    return by_key


def _subject(subject: Subject) -> dict[str, Any]:
    return {"name": subject.name, "digest": dict(sorted(subject.digest.items()))}


def _system(inputs: DecisionInputs) -> dict[str, Any] | None:
    record = inputs.evidence.roots.get("system")
    if not isinstance(record, Record):
        return None
    names = ("id", "name", "version", "gxp_impact", "lifecycle_phase")
    facts = {name: getattr(value, "text", value) for name in names if (value := record.fields.get(name)) is not None}
    shown: dict[str, Any] = plain({name: facts.get(name) for name in names})
    return shown


def _parameters(parameters: tuple[ParameterValue, ...]) -> list[dict[str, Any]]:
    shown = [{"name": p.name, "value": plain(p.value), "source": p.source, "policy": p.policy or None} for p in parameters]
    for each in shown:
        if each["source"] not in ("default", "profile", "flag"):
            raise Refusal(Diagnostic("PE553", f"parameter `{each['name']}` comes from `{each['source']}`, which is no source"))
    return sorted(shown, key=lambda each: (str(each["policy"] or ""), str(each["name"])))


def _evidence(item: EvidenceItem) -> dict[str, Any]:
    return {
        "name": item.name, "kind": item.kind, "format": item.format, "digest": item.digest, "size": item.size,
        "completeness": item.completeness.value, "verified": item.verified, "signer": item.signer, "reason": item.reason,
        "counts": dict(sorted(item.counts.items())), "feeds": sorted(item.feeds), "warnings": list(item.warnings),
    }  # fmt: skip


def _relaxations(inputs: DecisionInputs, waivers: list[dict[str, Any]], left_out: list[RuleKey]) -> list[dict[str, str]]:
    """What made this run milder than the policies and defaults alone; shown before any verdict."""
    found = [("lenient", "--lenient", "the exit code is 0 whatever was decided")] if inputs.lenient else []
    found += [("gate_loosened", f"{row}/{column}", f"the profile turns `{default.value}` into `{now.value}`")
              for row, column, default, now in loosened_cells(inputs.profile.gate)]  # fmt: skip
    found += [("rule_not_selected", "/".join(key), "not judged in this run") for key in left_out]
    found += [("waiver_applied", w["id"], f"rule {w['rule']}: {', '.join(w['applied_to'])}") for w in waivers if w["applied"]]
    return [{"kind": kind, "what": what, "detail": detail} for kind, what, detail in sorted(found)]
