"""Whether a decision agrees with itself: everything derived in it is derived again from its own rules table.

A signature says who spoke, not that the sums are right. This finds a decision whose verdict, gate words, counts or control
states do not follow from its findings, whoever signed it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from policyengine.controls.gate import COLUMNS, DEFAULT_GATE, ROWS, Effect, GateTable
from policyengine.core.outcome import Outcome, worst
from policyengine.decision.decide import decision_id
from policyengine.decision.judgement import control_state, exit_code, is_advisory, release_decision, rule_effect, summary

_QUIET = {"pass", "not_applicable"}


def contradictions(decision: Mapping[str, Any]) -> list[str]:
    """One phrase for each place where a decision that fits its schema contradicts itself; empty when it holds together."""
    return [*_gate_table(decision), *_rules(decision), *_waivers(decision), *_controls(decision), *_sums(decision)]


def _gate_table(decision: Mapping[str, Any]) -> Iterator[str]:
    shown = {each["what"] for each in decision["relaxations"] if each["kind"] == "gate_loosened"}
    for row in ROWS:
        for column in COLUMNS:
            now, default = Effect(decision["gate_table"][row][column]), DEFAULT_GATE[row][column]
            if now.strictness >= default.strictness:
                continue
            if row == "critical" or column == "error":
                yield f"the gate table loosens {row}/{column}, which no profile may"
            elif f"{row}/{column}" not in shown:
                yield f"the gate table loosens {row}/{column}, and no relaxation says so"


def _rules(decision: Mapping[str, Any]) -> Iterator[str]:
    table: GateTable = {row: {c: Effect(e) for c, e in cells.items()} for row, cells in decision["gate_table"].items()}
    frameworks = {each["id"]: each for each in decision["frameworks"]}
    versions = {each["id"]: each["version"] for each in decision["policies"]}
    keys = [(rule["policy"], rule["id"]) for rule in decision["rules"]]
    if keys != sorted(set(keys)):
        yield "the rules are not sorted, or one is there twice"
    for rule in decision["rules"]:
        name = f"rule {rule['policy']}/{rule['id']}"
        if versions.get(rule["policy"]) != rule["policy_version"]:
            yield f"{name}: its policy version is not among the policies"
        if rule["advisory"] != is_advisory(rule["controls"], frameworks):
            yield f"{name}: `advisory` does not follow from the frameworks it refers to"
        if rule["gate_row"] != ("observation" if rule["advisory"] else rule["severity"]):
            yield f"{name}: gate row `{rule['gate_row']}` does not follow from its severity"
        yield from _outcome(rule, name, table)


def _outcome(rule: Mapping[str, Any], name: str, table: GateTable) -> Iterator[str]:
    population = rule["population"]
    counts = {outcome.value: population[outcome.value] for outcome in Outcome}
    if population["evaluated"] != sum(counts.values()):
        yield f"{name}: its population adds up to {sum(counts.values())}, not {population['evaluated']}"
    told = Counter(finding["outcome"] for finding in rule["findings"])
    for outcome, count in counts.items():
        if outcome not in _QUIET and told[outcome] < count:
            yield f"{name}: {count} subjects are `{outcome}`, and {told[outcome]} findings say so"
    outcomes = {outcome for outcome, count in counts.items() if count} | set(told)
    if rule["outcome"] != worst(Outcome(each) for each in outcomes):
        yield f"{name}: outcome `{rule['outcome']}` does not follow from its findings"
    if rule["gate"] != rule_effect(rule["gate_row"], outcomes, table):
        yield f"{name}: gate `{rule['gate']}` does not follow from the gate table"


def _waivers(decision: Mapping[str, Any]) -> Iterator[str]:
    granted = {(w["id"], w["rule"], subject) for w in decision["waivers"] if w["applied"] for subject in w["applied_to"]}
    used = set()
    for rule in decision["rules"]:
        for finding in rule["findings"]:
            if (finding["outcome"] == "waived") != ("waiver" in finding):
                yield f"rule {rule['policy']}/{rule['id']}: `{finding['subject']}` is waived without waiver, or the other way round"
            if "waiver" in finding:
                used.add((finding["waiver"], rule["id"], finding["subject"]))
    for waiver, rule_id, subject in sorted(used - granted):
        yield f"rule {rule_id}: `{subject}` is waived by `{waiver}`, which does not say so"
    for waiver, rule_id, subject in sorted(granted - used):
        yield f"waiver `{waiver}` applies to `{subject}` of rule {rule_id}, which is not waived"
    shown = {each["what"] for each in decision["relaxations"] if each["kind"] == "waiver_applied"}
    for waiver in sorted({str(each["id"]) for each in decision["waivers"] if each["applied"]} - shown):
        yield f"waiver `{waiver}` applies, and no relaxation says so"


def _controls(decision: Mapping[str, Any]) -> Iterator[str]:
    answers: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for rule in decision["rules"]:
        for each in rule["controls"]:
            answers[each["framework"], each["control"]].append((rule["outcome"], each["relation"]))
    some_left_out = any(each["kind"] == "rule_not_selected" for each in decision["relaxations"])
    states = {(each["framework"], each["control"]): each["state"] for each in decision["controls"]}
    for framework, control in sorted(set(answers) - set(states)):
        yield f"control {framework} {control} is not listed"
    for (framework, control), state in sorted(states.items()):
        given = answers.get((framework, control), ())
        if state not in {control_state(given), control_state(given, some_left_out)}:
            yield f"control {framework} {control}: state `{state}` does not follow from its rules"
    for each in decision["frameworks"]:
        counts = Counter(state for (framework, _), state in states.items() if framework == each["id"])
        if any(counts[state] != count for state, count in each["counts"].items()):
            yield f"framework {each['id']}: its counts do not follow from the controls"


def _sums(decision: Mapping[str, Any]) -> Iterator[str]:
    verdict = release_decision(rule["gate"] for rule in decision["rules"])
    if decision["decision"] != verdict:
        yield f"the decision is `{decision['decision']}`, its rules say `{verdict}`"
    if not decision["rules"]:
        yield "no rule was judged"
    if decision["exit_code"] != exit_code(decision):
        yield f"exit code {decision['exit_code']} does not follow from the rules"
    if decision["lenient"] != any(each["kind"] == "lenient" for each in decision["relaxations"]):
        yield "`lenient` and the relaxations disagree"
    if decision["summary"] != summary(decision["rules"], decision["controls"]):
        yield "the summary does not follow from rules and controls"
    if decision["id"] != decision_id(decision):
        yield f"id `{decision['id']}` is not that of this content"
