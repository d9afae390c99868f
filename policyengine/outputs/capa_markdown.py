"""One readable page for each draft, for a QA reviewer: facts first, then what people judge, as blanks with prompts, then signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policyengine.outputs.facts import DECISION_REF
from policyengine.outputs.markdown_escape import code, escaped

_BLANK = "______________________________"
_RECORDS = {
    "capa": "CAPA, with a linked deviation",
    "deviation": "Deviation",
    "correction": "Correction",
    "evidence_request": "Request for evidence (not a failure)",
}
_JUDGED = (
    ("Containment", "containment"),
    ("Impact on patients", "impact.patient"),
    ("Impact on products", "impact.product"),
    ("Impact on data", "impact.data"),
    ("Impact on supply", "impact.supply"),
    ("Impact on filings", "impact.filing"),
    ("Extent", "extent"),
    ("Root cause", "root_cause"),
    ("Corrective action", "corrective"),
    ("Preventive action", "preventive"),
    ("Risk class", "risk"),
    ("Effectiveness", "effectiveness"),
)


def draft_markdown(draft: Mapping[str, Any]) -> str:
    """The page, ending with a newline. Every text of evidence or policy is escaped."""
    sections = [
        _head(draft),
        _problem(draft),
        _observations(draft),
        _unknowns(draft),
        _evidence(draft),
        _risk(draft),
        _suggestions(draft),
        _judgement(draft),
        _history(draft),
        _signatures(draft),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(draft: Mapping[str, Any]) -> str:
    due = f"{draft['proposed_due_on']} ({draft['due_basis']})"
    rows = [
        ("Record", _RECORDS[draft["record_type"]]),
        ("Number of the draft", code(draft["external_id"])),
        ("Status", escaped(draft["status"])),
        ("Severity (rule)", escaped(draft["severity"])),
        ("Proposed risk class", escaped(draft["risk"]["class"])),
        ("Category", escaped(draft["category"] or "not stated")),
        ("Phase", escaped(f"{draft['phase']} ({draft['phase_source']})".replace("_", " "))),
        ("Owner role", escaped(draft["owner_role"] or "not stated")),
        ("Owner", escaped(draft["owner"] or _BLANK) if draft["owner"] else _BLANK),
        ("Proposed due date", escaped(due)),
        ("Why this record", escaped(draft["triage_reason"])),
    ]
    note = "This is a draft made by a program. It states facts and cites evidence; cause, impact and actions are for people to judge."
    return f"# {escaped(draft['title_full'])}\n\n{note}\n\n{_table(('', ''), rows)}"


def _problem(draft: Mapping[str, Any]) -> str:
    problem = draft["problem"]
    labels = (("how_many", "How many"), ("what", "What"), ("where", "Where"), ("when", "When"), ("requirement", "Required"),
              ("detected", "Detected by"))  # fmt: skip
    lines = [f"- **{label}:** {escaped(problem[key])}" for key, label in labels]
    policy, decision = draft["policy"], draft["decision"]
    lines.append(f"- **Expected:** {escaped(draft['expected'])}")
    lines.append(
        f"- **Policy:** {code(policy['id'])} {escaped(policy['version'])}, rule {code(policy['rule'])}, digest {code(policy['digest'])}"
    )
    lines.append(f"- **Decision:** {code(decision['digest'])}, gate: {escaped(decision['gate'])}")
    if draft["waiver_ref"]:
        lines.append(f"- **Waiver:** {code(draft['waiver_ref'])}")
    return "## Problem\n\n" + "\n".join(lines)


def _observations(draft: Mapping[str, Any]) -> str:
    rows = []
    for each in draft["observations"]:
        values = ", ".join(
            f"{code(v['path'])} = {'not recorded' if v['value'] is None else code(v['value'])}" for v in each["values"]
        )
        said = escaped(each["message"]) + (f" Note: {escaped(each['note'])}" if each["note"] else "")
        rows.append(
            (code(each["subject"] or "the system as a whole"), said, values or "none read", ", ".join(each["evidence_refs"]))
        )
    text = "## What was observed\n\n" + _table(("Subject", "Observed", "Values that decided it", "Evidence"), rows)
    if draft["folded"]:
        fold = draft["folded"]
        groups = [
            (
                ", ".join("not recorded" if g is None else code(g) for g in row["group"]),
                str(row["subjects"]),
                code(row["first_subject"]),
            )
            for row in fold["rows"]
        ]
        text += f"\n\n{fold['groups']} groups are folded into this draft; {fold['shown']} are listed.\n\n"
        text += _table(("Group", "Subjects", "First subject"), groups)
    return text + "".join(f"\n\nNote: {escaped(note)}." for note in draft["notes"])


def _unknowns(draft: Mapping[str, Any]) -> str:
    if not draft["unknowns"]:
        return ""
    rows = [
        (escaped(each["cause"]), code(each["what"]), escaped(each["settled_by"]), str(each["subject_count"]))
        for each in draft["unknowns"]
    ]
    return "## What could not be evaluated\n\n" + _table(
        ("Why", "What was looked at", "What would settle it", "Subjects"), rows
    )


def _evidence(draft: Mapping[str, Any]) -> str:
    rows = [
        (
            each["ref"],
            escaped(each["kind"]),
            code(each["name"]),
            code(each["locator"]) if each["locator"] else "whole file",
            escaped(each["signer"] or "none stated") if each["kind"] != "decision" else "checked by `policyengine verify`",
            {True: "yes", False: "no", None: "carries no signature"}[each["verified"]]
            if each["kind"] != "decision"
            else "checked by `policyengine verify`",
            code(each["digest"]),
        )
        for each in draft["evidence"]
    ]
    named = f" {code(draft['decision']['id'])}" if draft["decision"]["id"] else ""
    about = (
        f"{DECISION_REF} is the decision{named}. Its digest is that of the judged content, which `policyengine verify` recomputes and "
        "the id begins with; the file around it has another one. The signature of the decision is checked by `policyengine verify`."
    )
    return "## Evidence\n\n" + _table(("Ref", "Kind", "Name", "Place", "Signer", "Verified", "Digest"), rows) + f"\n\n{about}"


def _risk(draft: Mapping[str, Any]) -> str:
    risk = draft["risk"]
    rows = [
        (
            name,
            "not assessed" if risk[key]["value"] is None else str(risk[key]["value"]),
            escaped(risk[key]["source"]),
            escaped(risk[key]["rationale"]),
        )
        for name, key in (("Harm (1-4)", "harm"), ("Probability (1-4)", "probability"), ("Detectability", "detectability"))
    ]
    rows += [
        (escaped(each["name"].replace("_", " ")), escaped("not recorded" if each["value"] is None else each["value"]),
         escaped(each["source"]), escaped(each["rationale"]))
        for each in risk["inputs"]
    ]  # fmt: skip
    return f"## Risk, proposed: {escaped(risk['class'])}\n\n" + _table(("Input", "Value", "Source", "Why"), rows)


def _suggestions(draft: Mapping[str, Any]) -> str:
    lines = [f"- {each['type'].capitalize()} (suggested by the policy): {escaped(each['text'])}" for each in draft["actions"]]
    check = draft["effectiveness"]
    if check:
        measured = f"metric {code(check['metric'])}, baseline {escaped(check['baseline'])}"
        if check["text"]:
            lines.append(f"- Effectiveness check (suggested by the policy): {escaped(check['text'])} ({measured})")
        else:
            lines.append(
                f"- Effectiveness check (proposed): {measured}, target {escaped(check['target'])} ({escaped(check['basis'])})"
            )
    return "## Suggestions\n\n" + "\n".join(lines) if lines else ""


def _judgement(draft: Mapping[str, Any]) -> str:
    if draft["record_type"] == "evidence_request":
        return f"## For people to answer\n\n{_table(('Question', 'Answer'), [('Who delivers the evidence, and by when?', _BLANK)])}"
    prompts = draft["prompts"]
    return "## For people to judge\n\n" + _table(
        ("Field", "Facts to give", "Answer"), [(label, prompts[key], _BLANK) for label, key in _JUDGED]
    )


def _history(draft: Mapping[str, Any]) -> str:
    lines = [f"- {escaped(each['at'])}: {escaped(each['what'])} [{each['evidence_ref']}]" for each in draft["timeline"]]
    unknown: dict[str, list[str]] = {}
    for field, why in sorted(draft["not_known"].items()):
        unknown.setdefault(why, []).append(field.replace("_", " "))
    lines += [f"- {', '.join(fields)}: {why}" for why, fields in unknown.items()]
    return "## History\n\n" + "\n".join(lines)


def _signatures(draft: Mapping[str, Any]) -> str:
    meaning = "Draft accepted for processing"
    rows = [("Owner", _BLANK, _BLANK, "Facts checked"), ("QA (another person)", _BLANK, _BLANK, meaning)]
    table = _table(("Role", "Printed name and signature", "Date and time", "Meaning"), rows)
    return f"## Signatures\n\nOn the content with the digest {code(draft['content_digest'])}.\n\n{table}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
