"""The facts of one draft: what was observed, the evidence that shows it with digests, and what would settle an unknown.

Every observation cites at least one evidence reference; where the engine named no place in the evidence, it cites the decision.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policyengine.outputs.privacy import Discretion
from policyengine.outputs.wording import settled_by

SHOWN_SUBJECTS = 50
DECISION_REF = "D1"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d[0-9:.]*(?:Z|[+-]\d\d:\d\d))?")
_IN_SUBJECT = re.compile(r"@(\d{4}-\d\d-\d\dT\d\d:\d\d[0-9:.]*(?:Z|[+-]\d\d:\d\d))")
_TIME_WORDS = frozenset(("time", "at", "on", "date"))
_PLANNED_WORDS = frozenset("due expires expiry until valid planned next birth effective retention".split())
_MOST_TIMES = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """Plain data for a draft; ``subjects`` are all of them in order, the other tuples cover the first ``SHOWN_SUBJECTS``."""

    subjects: tuple[str, ...]
    observations: tuple[Mapping[str, Any], ...]
    evidence: tuple[Mapping[str, Any], ...]
    affected: tuple[Mapping[str, Any], ...]
    unknowns: tuple[Mapping[str, Any], ...]
    suggestions: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    occurred: str = ""


def facts_of(findings: Sequence[Mapping[str, Any]], decision: Mapping[str, Any], decision_digest: str, pointer: str) -> Facts:
    """Facts of the findings of one draft. ``pointer`` is the place of the rule in the decision."""
    references = _References(decision, decision_digest, pointer)
    subjects, observations, affected, notes = [], [], [], list[str]()
    unknowns: dict[tuple[str, str], dict[str, Any]] = {}
    suggestions: dict[tuple[str, str], None] = {}
    for position, finding in enumerate(findings):
        discreet = Discretion(finding)
        subject = discreet.text(finding["subject"])
        subjects.append(subject)
        for kind, text in sorted((finding.get("suggestions") or {}).items()):
            suggestions[kind, discreet.text(text)] = None
        for cause in finding.get("causes") or ():
            if finding["outcome"] == "unknown":
                _add_unknown(unknowns, cause, subject, discreet)
        if position >= SHOWN_SUBJECTS:
            continue
        cited = references.of(finding)
        observations.append(_observation(finding, subject, cited, discreet))
        affected.append(_affected(finding, subject, decision, references.digest_of_first(finding)))
    if len(findings) > SHOWN_SUBJECTS:
        notes.append(f"{SHOWN_SUBJECTS} of {len(findings)} subjects are shown here; the decision lists all of them")
    return Facts(
        tuple(subjects), tuple(observations), references.table(), tuple(affected),
        tuple(unknowns.values()), tuple(suggestions), tuple(notes + references.notes), occurred(findings),
    )  # fmt: skip


def occurred(findings: Sequence[Mapping[str, Any]]) -> str:
    """The times that the findings themselves hold, each with where it stands; for several findings the first and last. Or ""."""
    times: dict[str, set[str]] = {}
    for finding in findings:
        named = _IN_SUBJECT.findall(str(finding["subject"]))
        if named:
            times.setdefault("subject", set()).update(named)
            continue
        for path, value in (finding.get("values") or {}).items():
            bare = re.sub(r" \(\d+\)$", "", path)
            words = bare.rpartition(".")[2].split("_")
            if words[-1] in _TIME_WORDS and not _PLANNED_WORDS & set(words) and _MOMENT.fullmatch(str(value)):
                times.setdefault(bare, set()).add(str(value))
    said = []
    for path, moments in sorted(times.items(), key=lambda each: (min(each[1]), each[0]))[:_MOST_TIMES]:
        first, last = min(moments), max(moments)
        said.append((first if first == last else f"{first} to {last}") + f" ({path})")
    return "; ".join(said)


def observed_text(observations: Sequence[Mapping[str, Any]]) -> str:
    """The observations as one text, a sentence for each subject: the subject first, then the message with its values."""
    lines = []
    for each in observations:
        values = ", ".join(f"{v['path']} = {'not recorded' if v['value'] is None else v['value']}" for v in each["values"])
        lines.append(f"{each['subject'] or 'the system as a whole'}: {each['message']}" + (f" ({values})" if values else ""))
    return "; ".join(lines)


def _observation(finding: Mapping[str, Any], subject: str, cited: list[str], discreet: Discretion) -> dict[str, Any]:
    return {
        "subject": subject,
        "outcome": finding["outcome"],
        "message": discreet.text(finding["message"]),
        "values": [
            {"path": path, "value": discreet.value(path, None if value is None else str(value))}
            for path, value in sorted((finding.get("values") or {}).items())
        ],
        "clauses": [
            {"kind": each["kind"], "text": each["text"], "outcome": each["outcome"]} for each in finding.get("clauses") or ()
        ],
        "note": discreet.text(finding.get("note") or "") or None,
        "evidence_refs": cited,
    }


def _affected(finding: Mapping[str, Any], subject: str, decision: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    system, release = decision.get("system") or {}, decision.get("release") or {}
    kind = "record"
    if finding["subject"] in ("", system.get("id")):
        kind = "system"
    elif finding["subject"] == release.get("id"):
        kind = "release"
    elif finding["subject"].startswith("pkg:") or any(
        _pointer(e).startswith("/components/") for e in finding.get("evidence") or ()
    ):
        kind = "component"
    identity = subject or system.get("id") or None
    return {
        "kind": kind,
        "id": identity,
        "name": system.get("name") if kind == "system" else None,
        "evidence_digest": digest,
        "count": 1,
    }


def _pointer(evidence: Mapping[str, Any]) -> str:
    return str(evidence.get("pointer") or "")


def _add_unknown(
    unknowns: dict[tuple[str, str], dict[str, Any]], cause: Mapping[str, Any], subject: str, discreet: Discretion
) -> None:
    kind, what = str(cause.get("kind") or "").replace("_", " "), discreet.text(str(cause.get("what") or ""))
    entry = unknowns.setdefault(
        (kind, what),
        {
            "cause": kind,
            "what": what,
            "settled_by": settled_by({"kind": kind, "what": what}),
            "subjects": [],
            "subject_count": 0,
        },
    )
    if subject not in entry["subjects"]:
        entry["subject_count"] += 1
        if len(entry["subjects"]) < SHOWN_SUBJECTS:
            entry["subjects"].append(subject)


class _References:
    """Numbers the places that are cited, each once, with the digest that the decision records for that evidence."""

    def __init__(self, decision: Mapping[str, Any], decision_digest: str, pointer: str) -> None:
        self._items = {item["name"]: item for item in decision.get("evidence") or ()}
        self._table: dict[tuple[str, str], dict[str, Any]] = {}
        self._decision = _entry(DECISION_REF, "decision", decision_digest, "decision", pointer)
        self._decision["captured_at"] = decision["evaluated_at"]
        self.notes: list[str] = []

    def of(self, finding: Mapping[str, Any]) -> list[str]:
        cited = [ref for each in finding.get("evidence") or () if (ref := self._ref(each)) is not None]
        return list(dict.fromkeys(cited)) or [DECISION_REF]

    def digest_of_first(self, finding: Mapping[str, Any]) -> str | None:
        for each in finding.get("evidence") or ():
            if (item := self._items.get(each.get("name"))) and item.get("digest"):
                return str(item["digest"])
        return None

    def table(self) -> tuple[Mapping[str, Any], ...]:
        return (self._decision, *self._table.values())

    def _ref(self, cited: Mapping[str, Any]) -> str | None:
        name, pointer = str(cited.get("name") or ""), _pointer(cited)
        item = self._items.get(name)
        if item is None or not item.get("digest"):
            note = f"the decision cites `{name}` without a digest, so it is not listed as evidence"
            if note not in self.notes:
                self.notes.append(note)
            return None
        if (name, pointer) not in self._table:
            entry = _entry(f"E{len(self._table) + 1}", item.get("kind"), item["digest"], name, pointer)
            entry.update(signer=item.get("signer"), verified=item.get("verified"))
            self._table[name, pointer] = entry
        return str(self._table[name, pointer]["ref"])


def _entry(ref: str, kind: object, digest: str, name: str, pointer: str) -> dict[str, Any]:
    return {"ref": ref, "kind": kind, "name": name, "digest": digest, "locator": pointer or None, "signer": None,
            "captured_at": None, "verified": None}  # fmt: skip
