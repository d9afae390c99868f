"""The sentences of a draft: templates filled from the decision, nothing else. Same decision, same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.outputs.triage import NO_HISTORY

TITLE_LENGTH = 120
SHORT_LENGTH = 512
NAMED_SUBJECTS = 5
PROMPTS = {
    "containment": "What was done at once to limit the effect, when, and by whom?",
    "impact.patient": "Could a patient be affected? On what grounds?",
    "impact.product": "Which batches or products could be affected? On what grounds?",
    "impact.data": "Which records can no longer be relied on, or still can? On what grounds?",
    "impact.supply": "Could supply or delivery be affected? On what grounds?",
    "impact.filing": "Does a filing, registration or commitment say otherwise? Which?",
    "root_cause": "Why did it happen? Method, category, text, and whether it is confirmed or the most likely cause.",
    "corrective": "What removes the cause, so that this does not happen again here?",
    "preventive": "What keeps it from happening elsewhere? Repairing this event is a correction, not prevention.",
    "extent": "Which other systems, releases and lots were searched, and what was found?",
    "risk": "Do you agree with the proposed class? If not: which class, and why?",
    "effectiveness": "Do metric, target, window and number of opportunities prove that it worked? Who checks, and when?",
}


def cut_at_word(text: str, length: int) -> str:
    """Text of at most this many characters, cut between words and marked with an ellipsis; a first word too long is cut hard."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    if not text[length - 1].isspace() and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip(" ,;:-") + "…"


def where_of(decision: Mapping[str, Any]) -> str:
    """System and release, or what is not recorded of them."""
    system, release = decision.get("system") or {}, decision.get("release") or {}
    name = system.get("id") or "a system that is not recorded"
    return f"{name} {release['id']}" if release.get("id") else f"{name} (release not recorded)"


def full_title(rule: Mapping[str, Any], decision: Mapping[str, Any], unknown: bool) -> str:
    return f"{'Evidence needed: ' if unknown else ''}{rule['title']} - {where_of(decision)}"


def requirement_words(requirements: Sequence[Mapping[str, Any]], rule: Mapping[str, Any]) -> str:
    clauses = [
        f"{each['framework']} {each['control']}" + (f" “{each['text_ref']}”" if each["text_ref"] else "")
        for each in requirements
    ]
    by = f"rule {rule['id']} of policy {rule['policy']} {rule['policy_version']}"
    return f"{rule['title']} ({'; '.join([*clauses, by])})"


def problem_parts(
    rule: Mapping[str, Any],
    decision: Mapping[str, Any],
    subjects: Sequence[str],
    requirements: Sequence[Mapping[str, Any]],
    unknown: bool,
) -> dict[str, str]:
    """What, where, when, how many of how many, requirement, how detected; each a sentence that the decision proves."""
    population = rule["population"]
    evaluated = population["evaluated"]
    named = [each or "the system as a whole" for each in subjects[:NAMED_SUBJECTS]]
    more = len(subjects) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    if unknown:
        total = population["unknown"] or len(subjects)
        what = f"Not decided, and not a failure: {listed}"
        many = f"{total} of {evaluated} could not be decided; {population['fail']} of {evaluated} failed"
    else:
        total = population["fail"] or len(subjects)
        what = f"Failed: {listed}"
        many = f"{total} of {evaluated} failed"
        if population["unknown"]:
            many += f"; {population['unknown']} of {evaluated} could not be decided"
    if not evaluated:
        many = "no subject was evaluated"
    elif total != len(subjects):
        many += f"; this draft covers {len(subjects)} of those {total}"
    return {
        "what": what,
        "where": where_of(decision),
        "when": f"seen by the evaluation at {decision['evaluated_at']}; first and last seen before: {NO_HISTORY}",
        "how_many": many,
        "requirement": requirement_words(requirements, rule),
        "detected": f"evaluation by policyengine {decision['engine']['version']} at {decision['evaluated_at']}",
    }


def problem_statement(parts: Mapping[str, str]) -> str:
    return (
        f"{parts['how_many']} in {parts['where']}. {parts['what']}. Required: {parts['requirement']}. "
        f"When: {parts['when']}. Detected by {parts['detected']}."
    )


def settled_by(cause: Mapping[str, Any]) -> str:
    """Which evidence would settle an unknown of this kind."""
    kind = str(cause.get("kind") or "").replace("_", " ")
    what = str(cause.get("what") or "what the rule reads")
    template = _SETTLED_BY.get(kind, "evidence that decides {}")
    return template.replace("{}", what)


_SETTLED_BY = {
    "missing field": "evidence in which {} is recorded",
    "absent": "evidence that provides {}; none was delivered",
    "incomplete": "a complete delivery of {}, for the whole period that the rule asks about",
    "empty": "{} with entries, or a statement by its source that it is complete and empty",
    "no table entry": "an entry for {} in the parameter table",
    "not comparable": "values of {} that can be compared, such as a digest of the same strong algorithm",
    "asked": "an answer to what the rule leaves open: {}",
    "start in the future": "a right time for {}; it lies after the evaluation",
    "not yet due": "nothing yet: {} is not due",
}
