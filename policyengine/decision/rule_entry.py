"""One rule in the decision: its outcome after waivers, its gate word, its population and its findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from policyengine.controls.gate import GateTable
from policyengine.core.model import Origin
from policyengine.core.outcome import Outcome, worst
from policyengine.decision.judgement import outcome_of_nobody, rule_effect
from policyengine.decision.plain import plain
from policyengine.decision.selection import RuleKey
from policyengine.engine.findings import Finding, ReadValue, RuleResult

DAY = 86400
QUIET = (Outcome.PASS, Outcome.NOT_APPLICABLE)
NO_RESULT = "the engine gave no result for this rule"
NO_SUBJECT = "the rule was judged for no subject, which proves nothing"
NOT_EXPLAINED = "the engine gave no finding for this subject"


def rule_entry(key: RuleKey, rule: Mapping[str, Any], version: str, result: RuleResult | None,
               waived: Mapping[tuple[str, str, str], str], table: GateTable, advisory: bool) -> dict[str, Any]:  # fmt: skip
    """The entry of ``rules``. A selected rule without result is an error; one without subject never passes."""
    row = "observation" if advisory else rule["severity"]
    told = result.findings if result else ()
    shown = [_finding(each, waived.get((*key, each.subject))) for each in told]
    shown += [_finding(each, None) for each in _unexplained(key[1], result)]
    shown.sort(key=lambda each: (each["subject"], each["outcome"], each["message"]))
    population = _population(key, result, waived)
    outcomes = {Outcome(each["outcome"]) for each in shown} | {each for each in Outcome if population[each.value]}
    outcome = worst(outcomes)
    return {
        "id": key[1], "policy": key[0], "policy_version": version, "title": rule["title"], "because": rule["because"],
        "severity": rule["severity"], "advisory": advisory, "gate_row": row, "outcome": outcome.value,
        "gate": rule_effect(row, (each.value for each in outcomes), table).value,
        "controls": _controls(rule), "population": population, "capa": _capa(rule["capa"]), "findings": shown,
    }  # fmt: skip


def _unexplained(rule: str, result: RuleResult | None) -> list[Finding]:
    """A finding for everything open that the engine did not explain; no waiver covers it."""
    if result is None:
        return [Finding(rule, Outcome.ERROR, NO_RESULT)]
    if not result.subjects and not result.findings:
        return [Finding(rule, outcome_of_nobody(result.outcome), NO_SUBJECT)]
    told = {each.subject for each in result.findings}
    missing = [Finding(subject, outcome, NOT_EXPLAINED) for subject, outcome in result.subjects
               if outcome not in QUIET and subject not in told]  # fmt: skip
    explained = worst([*(outcome for _, outcome in result.subjects), *(each.outcome for each in result.findings)])
    if result.outcome not in QUIET and worst([result.outcome, explained]) is not explained:
        missing.append(Finding(rule, result.outcome, NOT_EXPLAINED))
    return missing


def _population(key: RuleKey, result: RuleResult | None, waived: Mapping[tuple[str, str, str], str]) -> dict[str, int]:
    """Subjects by outcome, waived ones counted as waived; ``evaluated`` is all of them."""
    subjects = result.subjects if result else ()
    counts = Counter(Outcome.WAIVED if (*key, subject) in waived else outcome for subject, outcome in subjects)
    if result is not None and result.population and subjects:
        stated = {outcome: count for outcome, count in result.population.items() if count}
        if stated != Counter(outcome for _, outcome in subjects):
            raise ValueError(f"rule {'/'.join(key)}: population and subjects disagree")
    order = (
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.UNKNOWN,
        Outcome.NOT_YET_DUE,
        Outcome.NOT_APPLICABLE,
        Outcome.WAIVED,
        Outcome.ERROR,
    )
    return {"evaluated": len(subjects), **{outcome.value: counts[outcome] for outcome in order}}


def _finding(finding: Finding, waiver: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "subject": finding.subject,
        "outcome": Outcome.WAIVED.value if waiver else finding.outcome.value,
        "message": finding.message,
        "evidence": _places(finding),
        "values": _values(finding.values),
        "causes": [
            {"kind": c.kind.value.replace(" ", "_"), "what": c.what, "evidence": _place(c.origin)} for c in finding.causes
        ],
        "clauses": [{"kind": c.kind, "text": c.text, "outcome": c.outcome.value} for c in finding.clauses],
        "group": list(finding.group),
        "note": finding.note,
        "suggestions": dict(finding.suggestions),
    }
    if waiver:
        entry |= {"disposition": "risk_accepted", "verdict": finding.outcome.value, "waiver": waiver}
    shown: dict[str, Any] = plain(entry)
    return shown


def _places(finding: Finding) -> list[dict[str, str]]:
    origins = [
        *finding.origins,
        *(v.origin for v in finding.values if v.origin),
        *(c.origin for c in finding.causes if c.origin),
    ]
    return [{"name": name, "pointer": pointer} for name, pointer in sorted({(o.name, o.pointer) for o in origins})]


def _place(origin: Origin | None) -> dict[str, str] | None:
    return {"name": origin.name, "pointer": origin.pointer} if origin else None


def _values(values: tuple[ReadValue, ...]) -> dict[str, str | None]:
    """Path -> shown text. A path that was read with several values gets ``path (2)``, ``path (3)`` .. in the order read."""
    shown: dict[str, str | None] = {}
    for path, value in dict.fromkeys((each.path, each.value) for each in values):
        name, again = path, 1
        while name in shown:
            again += 1
            name = f"{path} ({again})"
        shown[name] = value
    return shown


def _controls(rule: Mapping[str, Any]) -> list[dict[str, str]]:
    triples = sorted({(each["framework"], each["control"], each["relation"]) for each in rule["references"]})
    return [{"framework": framework, "control": control, "relation": relation} for framework, control, relation in triples]


def _capa(capa: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if capa is None:
        return None
    due = capa.get("due_in")
    return {
        "category": capa.get("category"),
        "owner": capa.get("owner"),
        "due_in_days": int(due // DAY) if due is not None else None,
        "group_by": [path_of(node) for node in capa.get("group_by") or ()],
    }


def path_of(node: Mapping[str, Any]) -> str:
    """A path node of a plan in the author's words: ``signature.record_id``."""
    if node["op"] == "field":
        return f"{path_of(node['of'])}.{node['name']}"
    return str(node.get("name", node["op"]))
