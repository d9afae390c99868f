"""Which rules a run judges: those of the frameworks and ids asked for. Selecting nothing decides nothing (exit 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.decision.inputs import JudgedPolicy, Selection

RuleKey = tuple[str, str]


def rules_of(policies: tuple[JudgedPolicy, ...]) -> dict[RuleKey, Mapping[str, Any]]:
    """Every rule by (policy id, rule id). Raises :class:`Refusal` (PE551) where one stands there twice."""
    rules: dict[RuleKey, Mapping[str, Any]] = {}
    for policy in policies:
        plan: Mapping[str, Any] = policy.plan
        for rule in plan["rules"]:
            key = (plan["policy"]["id"], rule["id"])
            if key in rules:
                raise Refusal(Diagnostic("PE551", f"rule `{key[1]}` of policy `{key[0]}` is there twice",
                                         hint="give one version of each policy"))  # fmt: skip
            rules[key] = rule
    return rules


def select(policies: tuple[JudgedPolicy, ...], selection: Selection) -> frozenset[RuleKey]:
    """The rules to judge: those that match both a framework and a rule asked for, where asked.

    Raises :class:`Refusal`: PE550 when nothing is left, PE552 for a rule or framework that no policy knows.
    """
    rules = rules_of(policies)
    problems = [*_unknown_rules(rules, selection), *_unknown_frameworks(rules, selection)]
    if problems:
        raise Refusal(*problems)
    chosen = frozenset(
        key
        for key, rule in rules.items()
        if (not selection.rules or key[1] in selection.rules or "/".join(key) in selection.rules)
        and (not selection.frameworks or _frameworks(rule) & set(selection.frameworks))
    )
    if not chosen:
        found = "no policy has a rule" if not rules else "no rule answers what was selected"
        raise Refusal(Diagnostic("PE550", found, hint="nothing was decided; give a policy with `-p`, or select less narrowly"))
    return chosen


def _frameworks(rule: Mapping[str, Any]) -> set[str]:
    return {reference["framework"] for reference in rule["references"]}


def _unknown_rules(rules: Mapping[RuleKey, Mapping[str, Any]], selection: Selection) -> list[Diagnostic]:
    known = {key[1] for key in rules} | {"/".join(key) for key in rules}
    return [_unknown("rule", each, known) for each in selection.rules if each not in known]


def _unknown_frameworks(rules: Mapping[RuleKey, Mapping[str, Any]], selection: Selection) -> list[Diagnostic]:
    known = {framework for rule in rules.values() for framework in _frameworks(rule)}
    return [_unknown("framework", each, known) for each in selection.frameworks if each not in known]


def _unknown(what: str, word: str, known: set[str]) -> Diagnostic:
    close = nearest(word, sorted(known))
    claim = "is called" if what == "rule" else "answers framework"
    return Diagnostic("PE552", f"no rule of the given policies {claim} `{word}`",
                      hint=f"did you mean `{close}`?" if close else "")  # fmt: skip
