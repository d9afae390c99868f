"""Waivers meet findings: which ones apply, to which subjects, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from policyengine.controls.profile import Profile
from policyengine.controls.waivers import LoadedWaiver, WaivedRule, applies
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.outcome import Outcome
from policyengine.decision.plain import plain
from policyengine.decision.selection import RuleKey
from policyengine.engine.findings import RuleResult


def refuse_waivers_for_nothing(waivers: tuple[LoadedWaiver, ...], rules: Mapping[RuleKey, Any]) -> None:
    """Raises :class:`Refusal` for waivers whose rule does not exist (PE821) or whose id is there twice (PE822)."""
    problems: list[Diagnostic] = []
    seen: dict[str, str] = {}
    for loaded in waivers:
        waiver = loaded.waiver
        if waiver is None:
            continue
        names = {key[1] for key in rules if waiver.policy in ("", key[0])}
        if waiver.rule not in names:
            close = nearest(waiver.rule, sorted(names))
            hint = (
                f"did you mean `{close}`? a waiver names one rule by its exact id"
                if close
                else "a waiver names one rule by its exact id"
            )
            where = f" in policy `{waiver.policy}`" if waiver.policy else ""
            problems.append(Diagnostic("PE821", f"waiver `{waiver.id}` is for rule `{waiver.rule}`, which does not exist{where}",
                                       file=loaded.file, pointer="/rule", hint=hint))  # fmt: skip
        if waiver.id in seen:
            problems.append(
                Diagnostic("PE822", f"waiver `{waiver.id}` is also in {seen[waiver.id]}", file=loaded.file, pointer="/id")
            )
        seen[waiver.id] = loaded.file
    if problems:
        raise Refusal(*problems)


def waive(waivers: tuple[LoadedWaiver, ...], results: Mapping[RuleKey, RuleResult], rules: Mapping[RuleKey, Mapping[str, Any]],
          versions: Mapping[str, str], system: str | None, at: datetime, profile: Profile
          ) -> tuple[dict[tuple[str, str, str], str], list[dict[str, Any]]]:  # fmt: skip
    """Which subjects are waived, (policy, rule, subject) -> waiver id, and the ``waivers`` list of the decision."""
    waived: dict[tuple[str, str, str], str] = {}
    shown: list[dict[str, Any]] = []
    for loaded in sorted(waivers, key=lambda each: (each.waiver.id if each.waiver else "", each.file, each.digest)):
        applied, reason = _apply(loaded, results, rules, versions, system, at, profile, waived)
        shown.append(_entry(loaded, applied, reason))
    return waived, shown


def _apply(loaded: LoadedWaiver, results: Mapping[RuleKey, RuleResult], rules: Mapping[RuleKey, Mapping[str, Any]],
           versions: Mapping[str, str], system: str | None, at: datetime, profile: Profile,
           waived: dict[tuple[str, str, str], str]) -> tuple[list[str], str]:  # fmt: skip
    waiver = loaded.waiver
    if waiver is None or loaded.problem:
        return [], loaded.problem or "nothing in it could be read"
    keys = [key for key in rules if key[1] == waiver.rule and waiver.policy in ("", key[0])]
    if len(keys) > 1:
        return [], f"rule `{waiver.rule}` stands in several policies: name the `policy`"
    key = keys[0]
    rule = WaivedRule(key[0], key[1], rules[key]["severity"])
    result = results.get(key)
    if result is None:
        return [], "its rule was not selected"
    applied: list[str] = []
    reason = ""
    found = _outcomes(((each.subject, each.outcome) for each in result.findings), waiver.subjects)
    judged = _outcomes(result.subjects, waiver.subjects)
    for subject in waiver.subjects or ("",):
        outcomes = found.get(subject, []) or judged.get(subject, [])
        accepted, why = applies(loaded, rule, versions[key[0]], system, subject, (outcomes or ["fail"])[0], at, profile)
        if accepted and subject not in found:
            accepted, why = False, f"`{subject}` has no finding to waive"
        elif accepted and (len(found[subject]) > 1 or judged.get(subject) != found[subject]):
            accepted, why = False, f"`{subject}` does not name exactly one finding"
        elif accepted and (*key, subject) in waived:
            accepted, why = False, f"`{subject}` is waived by `{waived[(*key, subject)]}` already"
        if accepted:
            waived[(*key, subject)] = waiver.id
            applied.append(subject)
        reason = why if accepted or not applied else reason
    return applied, reason


def _outcomes(told: Iterable[tuple[str, Outcome]], subjects: tuple[str, ...]) -> dict[str, list[str]]:
    wanted, by_subject = set(subjects), dict[str, list[str]]()
    for subject, outcome in told:
        if subject in wanted:
            by_subject.setdefault(subject, []).append(outcome.value)
    return by_subject


def _entry(loaded: LoadedWaiver, applied: list[str], reason: str) -> dict[str, Any]:
    waiver = loaded.waiver
    entry: dict[str, Any] = {"id": None, "rule": None, "applied": bool(applied), "reason": reason, "file": loaded.file,
                             "digest": loaded.digest, "signer": loaded.signer, "applied_to": sorted(applied)}  # fmt: skip
    if waiver is not None:
        entry |= {
            "id": waiver.id, "rule": waiver.rule, "policy": waiver.policy or None,
            "policy_versions": sorted(waiver.policy_versions), "system": waiver.system, "subjects": sorted(waiver.subjects),
            "outcomes": sorted(waiver.outcomes), "justification": waiver.reason, "risk_assessment": waiver.risk_assessment,
            "compensating_controls": waiver.compensating_controls, "requested_by": waiver.requested_by,
            "approved_by": waiver.approved_by, "approved_at": waiver.approved_at, "valid_from": waiver.valid_from,
            "expires_at": waiver.expires_at, "capa_ref": waiver.capa_ref or None,
        }  # fmt: skip
    shown: dict[str, Any] = plain(entry)
    return shown
