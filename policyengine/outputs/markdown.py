"""A decision as one Markdown page, for a merge request or a CI job summary: what was relaxed, the verdict, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policyengine.outputs.markdown_escape import code, escaped
from policyengine.outputs.reading import (
    blocking,
    clauses_of,
    count_words,
    counted,
    open_findings,
    refused_waivers,
    relaxation_words,
    release_words,
    scope_words,
    verdict_word,
    waived_findings,
    warning,
    why_words,
)
from policyengine.outputs.wording import settled_by

MOST_ROWS = 100
MOST_OF_ONE_RULE = 10
Found = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


def decision_markdown(decision: Mapping[str, Any], drafts: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page, ending with a newline. Every text of evidence or policy is escaped; long tables are cut and say so."""
    sections = [
        _relaxed(decision),
        _verdict(decision),
        _blockers(decision),
        _failed(decision),
        _unknown(decision),
        _waiting(decision),
        _waived(decision),
        _not_applied(decision),
        _warnings(decision),
        _controls(decision),
        _drafts(drafts),
        _evidence(decision),
        _digests(decision),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _relaxed(decision: Mapping[str, Any]) -> str:
    return "\n".join(f"> **Relaxed:** {escaped(each)}\n>" for each in relaxation_words(decision))


def _verdict(decision: Mapping[str, Any]) -> str:
    title = f"# {escaped(verdict_word(decision).upper())}: {escaped(release_words(decision))}"
    return f"{title}\n\n{escaped(why_words(decision))} ({scope_words(decision)}), evaluated at {escaped(decision['evaluated_at'])}."


def _blockers(decision: Mapping[str, Any]) -> str:
    rows = [
        (escaped(rule["outcome"]), escaped(rule["title"]), escaped("; ".join(clauses_of(rule))), escaped(count_words(rule)))
        for rule in blocking(decision)
    ]
    return _section("What blocks", ("Outcome", "Rule", "Clauses", "How many"), rows)


def _failed(decision: Mapping[str, Any]) -> str:
    return _pairs("What failed", [*open_findings(decision, "error"), *open_findings(decision, "fail")])


def _pairs(title: str, pairs: Found) -> str:
    rows: list[tuple[str, ...]] = []
    seen: dict[tuple[str, str], int] = {}
    for rule, found in pairs:
        key = (rule["policy"], rule["id"])
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= MOST_OF_ONE_RULE:
            rows.append((code(found["subject"]), code(rule["id"]), escaped(found["message"]), _values(found), _places(found)))
        elif seen[key] == MOST_OF_ONE_RULE + 1:
            rows.append(("more", code(rule["id"]), escaped(count_words(rule)), "", "see the decision"))
    return _section(title, ("Subject", "Rule", "What was found", "Values", "Evidence"), rows)


def _values(found: Mapping[str, Any]) -> str:
    values = sorted((found.get("values") or {}).items())
    return ", ".join(f"{code(path)} = {'not recorded' if value is None else code(value)}" for path, value in values)


def _places(found: Mapping[str, Any]) -> str:
    return ", ".join(code(f"{each['name']} {each['pointer']}".strip()) for each in found["evidence"])


def _unknown(decision: Mapping[str, Any]) -> str:
    rows = []
    for rule, found in open_findings(decision, "unknown"):
        wanted = "; ".join(dict.fromkeys(settled_by(cause) for cause in found["causes"]))
        rows.append((code(found["subject"]), code(rule["id"]), escaped(found["message"]), escaped(wanted)))
    return _section("Unknown: what to deliver", ("Subject", "Rule", "What is unknown", "What would settle it"), rows)


def _waiting(decision: Mapping[str, Any]) -> str:
    rows = [
        (
            code(found["subject"]),
            code(rule["id"]),
            escaped("; ".join(each["what"] for each in found["causes"]) or found["message"]),
        )
        for rule, found in open_findings(decision, "not_yet_due")
    ]
    return _section("Not yet due", ("Subject", "Rule", "What is awaited, and until when"), rows)


def _waived(decision: Mapping[str, Any]) -> str:
    rows = [
        (code(found["subject"]), code(rule["id"]), escaped(verdict), escaped(found["message"]), code(found.get("waiver") or ""))
        for rule, found, verdict in waived_findings(decision)
    ]
    return _section(
        "Waived: did not hold, and was accepted", ("Subject", "Rule", "Verdict beneath", "What was found", "Waiver"), rows
    )


def _not_applied(decision: Mapping[str, Any]) -> str:
    rows = [(code(name), escaped(why)) for name, why in refused_waivers(decision)]
    return _section("Waivers that did not count", ("Waiver", "Why"), rows)


def _warnings(decision: Mapping[str, Any]) -> str:
    rows = [(code(rule["id"]), escaped(rule["title"]), escaped(count_words(rule))) for rule in warning(decision)]
    return _section("Warnings", ("Rule", "Title", "How many"), rows)


def _controls(decision: Mapping[str, Any]) -> str:
    states: dict[str, dict[str, int]] = {}
    for each in decision["controls"]:
        of_framework = states.setdefault(each["framework"], {})
        of_framework[each["state"]] = of_framework.get(each["state"], 0) + 1
    rows = [
        (code(name), ", ".join(f"{count} {escaped(state.replace('_', ' '))}" for state, count in sorted(counts.items())))
        for name, counts in sorted(states.items())
    ]
    return _section("Clauses, counted by state", ("Framework", "Clauses"), rows)


def _drafts(drafts: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            code(each["external_id"]),
            escaped(each["record_type"].replace("_", " ")),
            escaped(each["title"]),
            each["proposed_due_on"],
        )
        for each in drafts
    ]
    return _section("Quality drafts", ("Draft", "Record", "Title", "Proposed due date"), rows)


def _evidence(decision: Mapping[str, Any]) -> str:
    signed = {True: "verified", False: "not verified", None: "carries no signature"}
    rows = [
        (code(each["name"]), escaped(each["format"]), escaped(each["completeness"].replace("_", " ")),
         escaped(": ".join(filter(None, (signed[each["verified"]], each["signer"], each["reason"])))), code(each["digest"]))
        for each in decision["evidence"]
    ]  # fmt: skip
    return _section("Evidence", ("Name", "Format", "Completeness", "Signature", "Digest"), rows, most=None)


def _digests(decision: Mapping[str, Any]) -> str:
    lines = [f"- policy {code(each['id'])} {escaped(each['version'])}: {code(each['digest'])}" for each in decision["policies"]]
    for each in decision["subjects"]:
        digests = ", ".join(code(f"{algorithm}:{content}") for algorithm, content in sorted(each["digest"].items()))
        lines.append(f"- subject {code(each['name'])}: {digests}")
    lines += [f"- assumed: {escaped(each)}" for each in decision["assumptions"]]
    return "## What was judged, and by what\n\n" + "\n".join(lines) if lines else ""


def _section(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], most: int | None = MOST_ROWS) -> str:
    every = list(rows)
    if not every:
        return ""
    kept = every if most is None else every[:most]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in kept)]
    more = len(every) - len(kept)
    note = f"\n\n{counted(more, 'more row')}: see the decision." if more else ""
    return f"## {title}\n\n" + "\n".join(lines) + note
