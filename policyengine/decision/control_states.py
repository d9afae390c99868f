"""Controls and frameworks: the state of every clause, and counts of states; never a percentage (language standard 4.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.decision.judgement import STATES, control_state

ControlKey = tuple[str, str]


def states_of_controls(entries: Sequence[Mapping[str, Any]], left_out: Sequence[Mapping[str, Any]],
                       frameworks: Mapping[str, Mapping[str, Any]], selected: Sequence[str]) -> list[dict[str, Any]]:  # fmt: skip
    """Every control that a judged rule names, and every clause of the frameworks in question, sorted.

    The frameworks in question are the selected ones; without selection, those that a judged rule names. ``left_out`` are the
    plan rules that were not judged: a control one of them names is never called met on the word of the others.
    """
    answers: dict[ControlKey, list[tuple[str, str]]] = defaultdict(list)
    named_by: dict[ControlKey, list[str]] = defaultdict(list)
    for entry in entries:
        for reference in entry["controls"]:
            key = (reference["framework"], reference["control"])
            answers[key].append((entry["outcome"], reference["relation"]))
            named_by[key].append(f"{entry['policy']}/{entry['id']}")
    unjudged = {(each["framework"], each["control"]) for rule in left_out for each in rule["references"]}
    in_question = set(selected) or {framework for framework, _ in answers}
    clauses = {(framework, control) for framework in in_question for control in _controls(frameworks, framework)}
    return [
        {
            "framework": framework,
            "control": control,
            "state": control_state(answers.get((framework, control), ()), (framework, control) in unjudged),
            "title": _controls(frameworks, framework).get(control, {}).get("title"),
            "automation": _controls(frameworks, framework).get(control, {}).get("automation"),
            "rules": sorted(set(named_by.get((framework, control), ()))),
        }
        for framework, control in sorted(clauses | set(answers))
    ]


def framework_counts(
    controls: Sequence[Mapping[str, Any]], frameworks: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One entry for each framework: id, status and title (null without a catalogue), and how many controls are in which state."""
    return [
        {
            "id": framework,
            "status": frameworks.get(framework, {}).get("status"),
            "title": frameworks.get(framework, {}).get("title"),
            "counts": {state: sum(c["framework"] == framework and c["state"] == state for c in controls) for state in STATES},
        }
        for framework in sorted({each["framework"] for each in controls})
    ]


def _controls(frameworks: Mapping[str, Mapping[str, Any]], framework: str) -> Mapping[str, Any]:
    controls: Mapping[str, Any] = frameworks.get(framework, {}).get("controls", {})
    return controls
