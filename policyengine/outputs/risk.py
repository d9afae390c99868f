"""The proposed risk class: harm and probability read from a matrix, each input with value, source and one line of why.

Not a product of numbers: the matrix is a table. An unknown impact counts as direct, an unknown recurrence as likely, and
nothing here ever proposes probability 1. Detectability may raise the class by one and is left to QA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HARM = {("direct", "critical"): 4, ("direct", "major"): 3, ("indirect", "critical"): 3, ("indirect", "major"): 2}
FEW_PERCENT = 5


def risk_class(harm: int, probability: int) -> str:
    """``high``, ``medium`` or ``low`` from harm 1-4 and probability 1-4."""
    if (harm == 4 and probability >= 2) or (harm == 3 and probability >= 3) or (harm == 2 and probability == 4):
        return "high"
    if (harm == 1 and probability <= 3) or (harm == 2 and probability == 1):
        return "low"
    return "medium"


def harm_of(impact: str | None, severity: str) -> int:
    """Severity of harm 1-4 from the system's GxP impact and the rule's severity."""
    return _HARM.get((impact if impact in ("indirect", "none") else "direct", severity), 1)


def probability_of(failed: int, decided: int, recurred: bool | None) -> tuple[int, str]:
    """Probability 2-4 and why. ``recurred`` is None where no earlier decisions are given."""
    if decided < 1 or failed < 1:
        return 3, "how often it fails is unknown, which counts as 3"
    share = f"{failed} of {decided} failed"
    if failed == decided and decided > 1:
        return 4, f"{share}, which is all of them"
    if recurred:
        return 3, f"{share}, and it failed before"
    if recurred is None:
        return 3, f"{share}; no earlier decisions given, so whether it failed before is unknown, which counts as 3"
    if failed * 100 < FEW_PERCENT * decided:
        return 2, f"{share}, which is under {FEW_PERCENT} %, for the first time"
    return 3, f"{share}, which is {FEW_PERCENT} % or more"


def proposed_risk(
    impact: str | None, severity: str, failed: int, decided: int, recurred: bool | None, of_rule: int = 0
) -> dict[str, Any]:
    """The ``risk`` of a draft. Every input stays visible; QA's own class and reason are empty.

    ``failed`` counts the subjects of this draft, ``of_rule`` all that failed the rule: where nothing holds, no single draft of it
    is rare.
    """
    harm = harm_of(impact, severity)
    everything = 0 < failed < of_rule == decided
    probability, why = probability_of(of_rule if everything else failed, decided, recurred)
    stated = impact in ("direct", "indirect", "none")
    return {
        "class": risk_class(harm, probability),
        "harm": {
            "value": harm,
            "source": "matrix of GxP impact and rule severity",
            "rationale": f"{impact if stated else 'direct'} impact and {severity} severity give {harm}",
        },
        "probability": {"value": probability, "source": "counts of this decision", "rationale": why},
        "detectability": {"value": None, "source": "QA", "rationale": "not assessed; it may raise the class by one, never lower it"},
        "inputs": [
            _input("gxp_impact", impact if stated else None, "evidence: system inventory" if stated else "not recorded",
                   "as the inventory states" if stated else "unknown impact counts as direct"),
            _input("rule_severity", severity, "policy", "as the policy states"),
            _input("failed_of_decided", f"{failed} of {decided}", "this decision", "subjects that failed, of those decided"),
            _input("recurrence", recurred, "earlier decisions",
                   "no earlier decisions given" if recurred is None else "as the earlier decisions show"),
        ],
        "qa_class": None,
        "qa_reason": None,
    }  # fmt: skip


def _input(name: str, value: object, source: str, rationale: str) -> Mapping[str, object]:
    return {"name": name, "value": value, "source": source, "rationale": rationale}
