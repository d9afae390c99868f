"""The sentences of a draft: templates filled from the decision, nothing else. Same decision, same words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.outputs.triage import NO_HISTORY

TITLE_LENGTH = 120
DETAIL_LENGTH = 48
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


def full_title(rule: Mapping[str, Any], decision: Mapping[str, Any], unknown: bool, detail: str) -> str:
    """``Not met: <rule title>, <what for> - <where>``: a bare rule title would state the opposite of what was found."""
    return f"{_head(unknown)}{rule['title']}{', ' if detail else ''}{detail} - {where_of(decision)}"


def short_title(full: str, rule: Mapping[str, Any], unknown: bool, detail: str) -> str:
    """The title in 120 characters: where it is goes first, then the end of the rule's title, so that drafts of one rule differ."""
    if len(full) <= TITLE_LENGTH:
        return full
    tail = f", {cut_at_word(detail, DETAIL_LENGTH)}" if detail else ""
    return _head(unknown) + cut_at_word(str(rule["title"]), TITLE_LENGTH - len(_head(unknown)) - len(tail)) + tail


def _head(unknown: bool) -> str:
    return "Evidence needed: " if unknown else "Not met: "


def decided_of(population: Mapping[str, int]) -> int:
    return population["pass"] + population["fail"] + population["waived"]


def failed_here(population: Mapping[str, int], subjects: Sequence[str]) -> int:
    """How many failures a draft holds; where it names no subject, all those of the rule."""
    return min(len(subjects), population["fail"]) if any(subjects) else population["fail"]


def share(number: int, population: Mapping[str, int], verb: str = "") -> str:
    """``1 of 118``; where some are not decided yet ``1 of 2 decided (3 evaluated, 1 not yet due)``."""
    words = (("not_yet_due", "not yet due"), ("unknown", "could not be decided"), ("error", "in error"))
    still = [f"{population[key]} {said}" for key, said in words if population.get(key)]
    after = f" {verb}" if verb else ""
    if not still:
        return f"{number} of {decided_of(population) or population['evaluated']}{after}"
    counts = ", ".join([f"{population['evaluated']} evaluated", *still])
    return f"{number} of {decided_of(population)} decided{after} ({counts})"


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
    occurred: str = "",
) -> dict[str, str]:
    """What, where, when, how many of how many, requirement, how detected; each a sentence that the decision proves."""
    population = rule["population"]
    evaluated = population["evaluated"]
    named = [each or "the system as a whole" for each in subjects[:NAMED_SUBJECTS]]
    more = len(subjects) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    total = population["unknown" if unknown else "fail"] or len(subjects)
    here = min(len(subjects), total) if any(subjects) else total
    beside = f"; {total} in all for this rule" if total != here else ""
    if unknown:
        what = f"Not decided, and not a failure: {listed}"
        many = f"{here} of {evaluated} could not be decided{beside}; {population['fail']} of {evaluated} failed"
    else:
        what = f"Failed: {listed}"
        many = share(here, population, "failed") + beside
    if not evaluated:
        many = "no subject was evaluated"
    return {
        "what": what,
        "where": where_of(decision),
        "when": (f"Occurred: {occurred}; " if occurred else "")
        + f"seen by the evaluation at {decision['evaluated_at']}; first and last seen before: {NO_HISTORY}",
        "how_many": many,
        "requirement": requirement_words(requirements, rule),
        "detected": f"evaluation by policyengine {decision['engine']['version']} at {decision['evaluated_at']}",
    }


def problem_statement(parts: Mapping[str, str]) -> str:
    return (
        f"{parts['what']}. How many in {parts['where']}: {parts['how_many']}. Required: {parts['requirement']}. "
        f"When: {parts['when']}. Detected by {parts['detected']}."
    )


def settled_by(cause: Mapping[str, Any]) -> str:
    """Which evidence would settle an unknown of this kind."""
    kind = str(cause.get("kind") or "").replace("_", " ")
    what = str(cause.get("what") or "what the rule reads")
    parts = re.split(r": | (?=covers nothing |is not stated)", what, maxsplit=1)
    if kind == "incomplete" and len(parts) == 2:
        return f"{_SETTLED_BY[kind].replace('{}', parts[0])}; so far: {parts[1]}"
    template = _SETTLED_BY.get(kind, "evidence that decides {}")
    return template.replace("{}", what)


_SETTLED_BY = {
    "missing field": "evidence in which {} is recorded",
    "absent": "evidence that provides {}; none was delivered",
    "incomplete": "all of {} for the whole period that the rule asks about",
    "empty": "{} with entries, or a statement by its source that it is complete and empty",
    "no table entry": "an entry for {} in the parameter table",
    "not comparable": "values of {} that can be compared, such as a digest of the same strong algorithm",
    "asked": "an answer to what the rule leaves open: {}",
    "start in the future": "a right time for {}; it lies after the evaluation",
    "not yet due": "nothing yet: {} is not due",
}
