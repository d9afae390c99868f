"""Quality drafts: proposals for QA, filled from one decision. Takes a decision, site data and control titles; gives plain data.

The engine states facts and cites evidence. Cause, impact, adequacy and effectiveness are judged by people, so those fields are
null with a prompt. Nothing is written freely: the same decision gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.core.canonical import digest_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.decision.decide import judged_digest
from policyengine.outputs.due import proposed_due
from policyengine.outputs.effectiveness import proposed_check
from policyengine.outputs.facts import DECISION_REF, Facts, facts_of, observed_text
from policyengine.outputs.grouping import SERIES, Group, external_id, groups
from policyengine.outputs.privacy import Discretion, without_secrets
from policyengine.outputs.risk import proposed_risk
from policyengine.outputs.site import Site, read_site
from policyengine.outputs.triage import NO_HISTORY, Triage, names, phase_of, triage
from policyengine.outputs.wording import (
    PROMPTS,
    SHORT_LENGTH,
    cut_at_word,
    decided_of,
    failed_here,
    full_title,
    problem_parts,
    problem_statement,
    requirement_words,
    share,
    short_title,
)

SCHEMA_VERSION = "1"
EVIDENCE_REQUEST = "evidence_request"
NOT_IN_CONTENT = ("content_digest", "status", "history", "signatures", "occurrences", "eqms")
Titles = Mapping[str, Mapping[str, str]]


def drafts(
    decision: Mapping[str, Any], site: Mapping[str, object], catalogues: Titles | None = None
) -> tuple[dict[str, Any], ...]:
    """The drafts of a decision, by rule in the order of the decision, then by dedup key.

    ``site`` is the shape of :func:`policyengine.outputs.site.read_site`; ``catalogues`` maps framework to control to its title.
    Raises ``Refusal`` where the site data is wrong (PE880, PE881) or one person owns and approves (PE882).
    """
    settings = read_site(site)
    digest = judged_digest(decision)
    system_id = (decision.get("system") or {}).get("id")
    made = []
    for position, rule in enumerate(decision["rules"]):
        chosen: dict[str, list[tuple[Triage, Mapping[str, Any]]]] = {"": [], EVIDENCE_REQUEST: []}
        for finding in findings_of(rule):
            matched = triage(rule, finding, decision, settings)
            if matched.record_type is not None:
                chosen[EVIDENCE_REQUEST if matched.record_type == EVIDENCE_REQUEST else ""].append((matched, finding))
        for kind, pairs in chosen.items():
            row_of = {id(finding): matched for matched, finding in pairs}
            for group in groups(rule, [finding for _, finding in pairs], system_id, kind, settings.fold_over):
                facts = facts_of(group.findings, decision, digest, f"/rules/{position}")
                strictest = min((row_of[id(finding)] for finding in group.findings), key=lambda each: each.row)
                made.append(_draft(rule, group, facts, strictest, decision, digest, settings, catalogues or {}))
    return tuple(made)


def content_digest(draft: Mapping[str, Any]) -> str:
    """The digest of what QA reads and signs: all but status, history, signatures, occurrences and eQMS mirror."""
    return digest_of({key: value for key, value in draft.items() if key not in NOT_IN_CONTENT})


def findings_of(rule: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The findings of a rule; one for the rule as a whole where it failed or is unknown without naming a subject."""
    found = tuple(rule.get("findings") or ())
    outcome = rule["outcome"]
    if outcome not in ("fail", "unknown") or any(each["outcome"] == outcome for each in found):
        return found
    return (*found, {"subject": "", "outcome": outcome, "message": rule["title"], "causes": [], "evidence": [], "values": {}})


def _draft(
    rule: Mapping[str, Any],
    group: Group,
    facts: Facts,
    matched: Triage,
    decision: Mapping[str, Any],
    digest: str,
    site: Site,
    catalogues: Titles,
) -> dict[str, Any]:
    unknown = matched.record_type == EVIDENCE_REQUEST
    draft: dict[str, Any] = {
        "external_id": external_id(group.key),
        "schema_version": SCHEMA_VERSION,
        "record_type": matched.record_type,
    }
    draft |= {"linked_record_types": list(matched.linked), "triage_row": matched.row, "triage_reason": matched.reason}
    draft |= _words(rule, facts, decision, unknown, catalogues, _about(rule, group, facts))
    draft |= _rule_facts(rule, decision, digest, site)
    draft |= _judgements(rule, facts, decision, matched, site)
    draft |= {
        "affected_items": list(facts.affected),
        "affected_total": len(facts.subjects),
        "folded": _fold_table(group),
        "evidence": list(facts.evidence),
        "observations": list(facts.observations),
        "unknowns": list(facts.unknowns),
        "notes": [*facts.notes, *draft.pop("notes")],
        "timeline": [{"at": decision["evaluated_at"], "what": "found by this decision", "evidence_ref": DECISION_REF}],
        "what_changed": [],
        "recurrence_of": [],
        "related": [],
        "not_known": dict.fromkeys(
            ("last_pass", "first_fail", "what_changed", "recurrence_of", "related", "trend"), NO_HISTORY
        ),
        "waiver_ref": _waiver_of(rule, group, decision),
        "dedup_key": group.key,
        "series": SERIES,
        "source": "policy_decision",
        "prompts": dict(PROMPTS),
        "status": "drafted",
        "history": [],
        "signatures": [],
        "occurrences": [{"decision": digest, "at": decision["evaluated_at"], "count": len(facts.subjects)}],
        "eqms": None,
    }
    return draft | {"content_digest": content_digest(draft)}


def _words(
    rule: Mapping[str, Any], facts: Facts, decision: Mapping[str, Any], unknown: bool, catalogues: Titles, about: str
) -> dict[str, Any]:
    requirements = [
        {
            "framework": each["framework"],
            "control": each["control"],
            "text_ref": catalogues.get(each["framework"], {}).get(each["control"]),
            "relation": each["relation"],
        }
        for each in rule.get("controls") or ()
    ]
    parts = problem_parts(rule, decision, facts.subjects, requirements, unknown, facts.occurred)
    statement, title = problem_statement(parts), full_title(rule, decision, unknown, about)
    because = f" Because: {rule['because']}" if rule.get("because") else ""
    return {
        "title": short_title(title, rule, unknown, about),
        "title_full": title,
        "problem_statement": statement,
        "problem": parts,
        "short_description": cut_at_word(statement, SHORT_LENGTH),
        "expected": requirement_words(requirements, rule) + "." + because,
        "observed": observed_text(facts.observations),
        "requirements": requirements,
    }


def _about(rule: Mapping[str, Any], group: Group, facts: Facts) -> str:
    """What tells this draft from the others of its rule: the values it is grouped by, or its subject, or how many groups."""
    if group.folded:
        return f"{len(group.folded)} groups"
    if not (rule.get("capa") or {}).get("group_by"):
        return facts.subjects[0] if group.values and len(set(facts.subjects)) == 1 else ", ".join(filter(None, group.values))
    discreet = Discretion(group.findings[0])
    return ", ".join("not recorded" if value is None else discreet.text(value) for value in group.values)


def _rule_facts(rule: Mapping[str, Any], decision: Mapping[str, Any], digest: str, site: Site) -> dict[str, Any]:
    category = (rule.get("capa") or {}).get("category")
    phase = phase_of(decision, site)
    policy_digest = next((each["digest"] for each in decision["policies"] if each["id"] == rule["policy"]), None)
    return {
        "policy": {
            "id": rule["policy"],
            "version": rule["policy_version"],
            "digest": policy_digest,
            "rule": rule["id"],
            "parameters": [
                dict(each) for each in decision.get("parameters") or () if each.get("policy") in (None, rule["policy"])
            ],
        },
        "decision": {
            "id": decision.get("id"),
            "digest": digest,
            "evaluated_at": decision["evaluated_at"],
            "outcome": rule["outcome"],
            "gate": rule["gate"],
        },
        "population": dict(rule["population"]),
        "severity": rule["severity"],
        "category": category,
        "is_cyber": site.has_flag(category, "cyber"),
        "is_data_integrity": site.has_flag(category, "data_integrity"),
        "phase": phase.name,
        "phase_stated": phase.stated,
        "phase_source": phase.source,
    }


def _judgements(
    rule: Mapping[str, Any], facts: Facts, decision: Mapping[str, Any], matched: Triage, site: Site
) -> dict[str, Any]:
    population = rule["population"]
    decided = decided_of(population)
    failed = failed_here(population, facts.subjects) if matched.record_type != EVIDENCE_REQUEST else 0
    due, basis = proposed_due(decision, rule, str(matched.record_type), site)
    role = (rule.get("capa") or {}).get("owner") or site.default_owner_role
    owner = site.owners.get(role) if role else None
    if owner is not None and owner == site.qa_approver:
        raise Refusal(Diagnostic("PE882", f"`{owner}` is both owner (role `{role}`) and QA approver of drafts",
                                 hint="name two people in `owners` and `qa_approver`"))  # fmt: skip
    actions, notes = _suggested(facts, role)
    proposal = next((text for kind, text in facts.suggestions if kind == "effectiveness"), None)
    window = site.effectiveness_days.get(rule["severity"], site.effectiveness_days["minor"])
    unsearched = {"searched": False, "found": [], "note": "not searched: one decision about one system and release"}
    return {
        "risk": proposed_risk(
            (decision.get("system") or {}).get("gxp_impact"), rule["severity"], failed, decided, None, population["fail"]
        ),
        "extent": {each: dict(unsearched) for each in ("other_systems", "other_releases", "other_lots")},
        "containment": None,
        "impact": dict.fromkeys(("patient", "product", "data", "supply", "filing")),
        "root_cause": None,
        "actions": actions,
        "effectiveness": None
        if matched.record_type == EVIDENCE_REQUEST
        else proposed_check(rule["id"], failed, decided, window, proposal, share(failed, population)),
        "owner_role": role,
        "owner": owner,
        "qa_approver": site.qa_approver,
        "proposed_due_on": due.isoformat(),
        "due_basis": basis,
        "notes": notes,
    }


_ACTION_KINDS = ("containment", "correction", "corrective", "preventive")
MOST_ACTIONS = 20


def _suggested(facts: Facts, role: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    repairs = {" ".join(text.casefold().split()) for kind, text in facts.suggestions if kind in ("containment", "correction")}
    actions, notes = [], list[str]()
    for kind in _ACTION_KINDS:
        for text in (text for each, text in facts.suggestions if each == kind):
            if kind == "preventive" and " ".join(text.casefold().split()) in repairs:
                notes.append("the policy suggests the same text as a repair and as prevention; it is listed as the repair only")
                continue
            actions.append({"type": kind, "text": text, "suggested": True, "owner_role": role, "owner": None, "due_on": None,
                            "evidence_required": None, "done_on": None})  # fmt: skip
    if len(actions) > MOST_ACTIONS:
        notes.append(f"{MOST_ACTIONS} of {len(actions)} suggested actions are listed; the decision holds the others")
    return actions[:MOST_ACTIONS], list(dict.fromkeys(notes))


def _fold_table(group: Group) -> dict[str, Any] | None:
    if not group.folded:
        return None
    rows = [
        {
            "group": list(each.values),
            "subjects": len(each.findings),
            "first_subject": without_secrets(each.findings[0]["subject"]),
        }
        for each in group.folded
    ]
    return {"groups": len(rows), "shown": min(len(rows), 50), "rows": rows[:50]}


def _waiver_of(rule: Mapping[str, Any], group: Group, decision: Mapping[str, Any]) -> str | None:
    for waiver in decision.get("waivers") or ():
        in_play = waiver.get("applied") or str(waiver.get("reason") or "").startswith("expired")
        if in_play and any(names(waiver, rule, finding) for finding in group.findings):
            return str(waiver["id"])
    return None
