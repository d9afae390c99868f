"""From outcomes to effects: a rule with its waivers, its gate row, the release decision and the exit code (standard 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policyengine.controls.gate import COLUMNS, Effect, GateTable, strictest
from policyengine.core.outcome import Outcome, worst

BLOCKED, WARNED, ALLOWED = "blocked", "allowed with warnings", "allowed"
DRAFT = "draft"


def is_advisory(references: Sequence[Mapping[str, Any]], frameworks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a rule refers only to draft frameworks. Without reference, or with one to an unknown framework, it is not."""
    return bool(references) and all(frameworks.get(each["framework"], {}).get("status") == DRAFT for each in references)


def outcome_of_nobody(stated: Outcome) -> Outcome:
    """What a rule is that was judged for no subject: nothing proved, so nothing better than unknown."""
    return worst([stated, Outcome.UNKNOWN])


def rule_effect(row: str, outcomes: Iterable[str], table: GateTable) -> Effect:
    """The strictest effect of all outcomes that a rule has: a milder outcome is not hidden by a worse one."""
    return strictest([table[row][outcome] for outcome in set(outcomes) if outcome in COLUMNS])


def release_decision(effects: Iterable[str]) -> str:
    """``blocked``, ``allowed with warnings`` or ``allowed`` from the gate words of all rules."""
    found = set(effects)
    return BLOCKED if Effect.BLOCK in found else WARNED if Effect.WARN in found else ALLOWED


def exit_code(decision: Mapping[str, Any]) -> int:
    """0 allowed; 1 blocked and a blocking rule failed; 3 blocked by unknown or error only. A lenient run never gives 1 or 3."""
    if decision["decision"] != BLOCKED or decision.get("lenient"):
        return 0
    return 1 if any(rule["gate"] == Effect.BLOCK and rule["outcome"] == Outcome.FAIL for rule in decision["rules"]) else 3


def control_state(rules: Sequence[tuple[str, str]], left_out: bool = False) -> str:
    """The state of one control from (outcome, relation) of its rules.

    ``left_out``: some rule for this control was not judged in this run, so nothing better than unknown can be said. A proven
    failure outweighs an error beside it: ``not_met``.
    """
    if not rules:
        return "not_assessed"
    counted = [(outcome, relation) for outcome, relation in rules if outcome != Outcome.NOT_APPLICABLE]
    outcomes = {outcome for outcome, _ in counted}
    for outcome, state in (("fail", "not_met"), ("error", "unknown"), ("unknown", "unknown")):
        if outcome in outcomes:
            return state
    if left_out:
        return "unknown"
    if not counted:
        return "not_applicable"
    for outcome in ("not_yet_due", "waived"):
        if outcome in outcomes:
            return outcome
    return "met" if any(relation == "meets" for _, relation in counted) else "supported"


def summary(rules: Sequence[Mapping[str, Any]], controls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts of rules by outcome and gate word, and of controls by state."""
    return {
        "rules": len(rules),
        "outcomes": {outcome.value: sum(rule["outcome"] == outcome for rule in rules) for outcome in Outcome},
        "gate": {effect.value: sum(rule["gate"] == effect for rule in rules) for effect in Effect},
        "controls": {state: sum(each["state"] == state for each in controls) for state in STATES},
        "findings": sum(len(rule["findings"]) for rule in rules),
    }


STATES = ("met", "not_met", "unknown", "not_yet_due", "waived", "supported", "not_applicable", "not_assessed")
