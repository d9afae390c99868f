"""What every report says of a decision in the same words: the verdict sentence, what blocks, what warns, what was relaxed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RULES_NAMED = 3
NEEDS_ATTENTION = ("error", "fail", "unknown", "not_yet_due", "waived")


def verdict_word(decision: Mapping[str, Any]) -> str:
    """``blocked``, ``allowed with warnings`` or ``allowed``."""
    return str(decision["decision"]).replace("_", " ")


def release_words(decision: Mapping[str, Any]) -> str:
    """``4.2.0 of MES-01``, or what the decision has of it."""
    release, system = (decision.get("release") or {}).get("id"), (decision.get("system") or {}).get("id")
    if release and system:
        return f"{release} of {system}"
    if release or system:
        return str(release or system)
    names = [str(each["name"]) for each in decision.get("subjects") or ()]
    return ", ".join(names[:3]) if names else "a release that is not named"


def counted(number: int, singular: str, plural: str = "") -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def blocking(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rules whose gate says block: errors and failures first, then unknowns, each in the order of the decision."""
    order = {"error": 0, "fail": 0}
    return sorted(
        (rule for rule in decision["rules"] if rule.get("gate") == "block"), key=lambda rule: order.get(rule["outcome"], 1)
    )


def worst_first(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rules that block before those that only warn or are recorded; otherwise in the given order."""
    order = {"block": 0, "warn": 1}
    return sorted(rules, key=lambda rule: order.get(rule["gate"], 2))


def warning(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [rule for rule in decision["rules"] if rule.get("gate") == "warn"]


def why_words(decision: Mapping[str, Any]) -> str:
    """``9 rules failed, 1 unknown``: of the blocking rules, or that none blocks."""
    rules = blocking(decision)
    counts = {word: sum(rule["outcome"] == word for rule in rules) for word in ("fail", "error", "unknown")}
    other = len(rules) - sum(counts.values())
    parts = []
    if counts["fail"]:
        parts.append(f"{counted(counts['fail'], 'rule')} failed")
    if counts["error"]:
        parts.append(f"{counts['error']} could not be evaluated")
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} unknown" if parts else f"{counted(counts['unknown'], 'rule')} unknown")
    if other:
        parts.append(f"{other} blocking otherwise")
    return ", ".join(parts) or "no rule blocks"


def scope_words(decision: Mapping[str, Any]) -> str:
    """``42 rules, 18 evidence files``."""
    files = counted(len(decision.get("evidence") or ()), "evidence file")
    return f"{counted(len(decision['rules']), 'rule')}, {files}"


def clauses_of(rule: Mapping[str, Any]) -> list[str]:
    return [f"{each['framework']} {each['control']}" for each in rule.get("controls") or ()]


def count_words(rule: Mapping[str, Any]) -> str:
    """``2 of 118 failed``; an unknown is never called a failure."""
    population, parts = rule["population"], list[str]()
    evaluated = population["evaluated"]
    for key, words in (
        ("fail", "failed"),
        ("unknown", "unknown"),
        ("error", "in error"),
        ("not_yet_due", "not yet due"),
        ("waived", "waived"),
    ):
        if population[key]:
            parts.append(f"{population[key]} of {evaluated} {words}" if not parts else f"{population[key]} {words}")
    return ", ".join(parts) or f"{str(rule['outcome']).replace('_', ' ')}, {counted(evaluated, 'subject')}"


def worst_finding(rule: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first finding with the outcome of the rule, else the first one."""
    findings = rule.get("findings") or ()
    return next((each for each in findings if each["outcome"] == rule["outcome"]), next(iter(findings), None))


def relaxation_words(decision: Mapping[str, Any]) -> list[str]:
    """What was relaxed for this decision, one phrase each: the kind, what it concerns, and the detail.

    Rules that were not selected are one phrase once they are many; the decision names each.
    """
    relaxed = decision.get("relaxations") or ()
    left_out = [each["what"] for each in relaxed if each["kind"] == "rule_not_selected"]
    many = len(left_out) > RULES_NAMED
    words = [f"{each['kind'].replace('_', ' ')}, {each['what']}: {each['detail']}" for each in relaxed
             if not (many and each["kind"] == "rule_not_selected")]  # fmt: skip
    if many:
        words.append(
            f"{len(left_out)} rules not selected, {', '.join(left_out[:RULES_NAMED])} and others: not judged in this run"
        )
    return words


def refused_waivers(decision: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every waiver that did not count: its id, or its file where the id could not be read, and why."""
    return [
        (str(each["id"] or each["file"]), str(each["reason"])) for each in decision.get("waivers") or () if not each["applied"]
    ]


def reading_troubles(decision: Mapping[str, Any]) -> list[str]:
    """What of the evidence could not be read or is not whole, a phrase each. A refused signature is another matter."""
    return [f"{each['name']}: {said}" for each in decision.get("evidence") or () for said in dict.fromkeys(_troubles(each))]


def _troubles(item: Mapping[str, Any]) -> list[str]:
    reason = [item["reason"]] if item["reason"] and item["verified"] is not False else []
    return [*reason, *(each for each in item["warnings"] if "not be read" in each)]


def open_findings(decision: Mapping[str, Any], outcome: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every (rule, finding) with this outcome, also of rules that came out worse because of another subject."""
    return [(rule, each) for rule in worst_first(decision["rules"]) for each in rule["findings"] if each["outcome"] == outcome]


def waived_findings(decision: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any], str]]:
    """Every (rule, finding, verdict beneath) that a waiver covers."""
    return [(rule, each, str(each.get("verdict") or "not recorded")) for rule, each in open_findings(decision, "waived")]
