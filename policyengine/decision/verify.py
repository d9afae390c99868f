"""Verification of a signed decision, in numbered steps. The same numbers stand in docs/decision.md and in the output.

1. envelope: the file is a DSSE envelope, or a Sigstore bundle that holds one, and is read strictly
2. signature: by signers that the trust file (or the given key) allows for decisions, enough of them; for a bundle with its log entry
3. statement: payload type and statement type are exactly those of in-toto Statement v1, its subjects are unambiguous
4. decision: predicate type exact, predicate fits docs/decision.schema.json, its subjects are those of the statement
5. subject: every given artifact is one of the subjects, by digest
6. policies: the given policies compile to the plans that were judged, none missing, none besides
7. evidence: the given evidence is what was judged: none missing, none besides, no byte changed
8. consistency: verdict, gate, waivers, controls, counts and exit code follow from the decision's own findings

A step that was not asked for, or that a failed step before it makes meaningless, is "not checked", never passed. A decision
whose signature was not checked is never verified as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from policyengine.core.canonical import canonical_json
from policyengine.core.diagnostic import Refusal
from policyengine.core.digests import same_content
from policyengine.core.strict_json import load_json
from policyengine.decision.consistency import contradictions
from policyengine.decision.inputs import Subject
from policyengine.decision.statement import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, check_subjects
from policyengine.signing.envelope import Envelope, NotAnEnvelope, envelope_from
from policyengine.signing.trust import Trust
from policyengine.signing.verify import State, Verification, enough_signers, verify_bundle, verify_dsse

TITLES = ("envelope", "signature", "statement", "decision", "subject", "policies", "evidence", "consistency")
NAMED_AT_MOST = 3
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """``ok`` is None where the step was not checked; ``detail`` says what was found, or why it was not checked."""

    number: int
    title: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All eight steps in order. ``ok``: none failed, and 1 to 4 and 8 passed. ``decision`` is there from step 4 on, else None."""

    steps: tuple[Step, ...]
    ok: bool
    decision: Mapping[str, Any] | None = None
    signers: tuple[str, ...] = ()


class _Fault(Exception):
    """Why a step failed; one phrase."""


def verify_decision(
    envelope_raw: bytes,
    *,
    trust: Trust | None,
    at: datetime,
    subjects: Sequence[Subject] | None = None,
    policies: Mapping[str, str] | None = None,
    evidence: Mapping[str, str] | None = None,
    name: str = "decision",
) -> Verdict:
    """Run the steps above. Never raises for what the bytes hold.

    ``trust`` None leaves step 2 unchecked; ``at`` is the instant at which a key without proved signing time must be valid.
    ``subjects`` may lack a name; ``policies`` maps policy id to plan digest, ``evidence`` file name to ``sha256:..``; None: not asked.
    """
    run = _Run()
    parsed = run.step("", lambda: _parsed(envelope_raw, name))
    unsigned = "" if trust is not None else "no key and no trust file was given"
    verified = run.step(run.without(1) or unsigned, lambda: _signed(parsed, envelope_raw, trust, at))
    envelope = (verified[0] if verified else None) if trust is not None else (parsed[1] if parsed else None)
    statement = run.step(run.without(1) or ("" if envelope else run.without(2)), partial(_statement, envelope))
    decision = run.step(run.without(3), lambda: _decision(statement, at))
    checks: tuple[tuple[object, Callable[[Any, Any], tuple[None, str]]], ...] = (
        (subjects, _subjects),
        (policies, _policies),
        (evidence, _evidence),
    )
    for given, check in checks:
        missing = "" if given is not None else "nothing was given to compare with"
        run.step(run.without(4) or missing, partial(check, decision, given))
    run.step(run.without(4), lambda: _consistent(decision))
    steps = tuple(run.steps)
    must = all(steps[number - 1].ok for number in (1, 2, 3, 4, 8))
    ok = must and all(step.ok is not False for step in steps)
    return Verdict(steps, ok, decision, verified[1] if verified else ())


class _Run:
    """Collects the steps in order. A check returns what the next ones need, and its detail; or it raises :class:`_Fault`."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def without(self, number: int) -> str:
        """Why a step that needs this earlier one is not checked; empty where it passed."""
        return "" if self.steps[number - 1].ok else f"step {number} ({TITLES[number - 1]}) did not pass"

    def step(self, skipped: str, check: Callable[[], tuple[Any, str]]) -> Any:
        number = len(self.steps) + 1
        result: Any = None
        ok: bool | None = None
        detail = f"not checked: {skipped}"
        if not skipped:
            try:
                result, detail = check()
                ok = True
            except _Fault as fault:
                ok, detail = False, str(fault)
        self.steps.append(Step(number, TITLES[number - 1], ok, detail))
        return result


def _json(raw: bytes, name: str) -> object:
    try:
        return load_json(raw, name)
    except Refusal as refusal:
        raise _Fault(refusal.diagnostics[0].message) from None


def _parsed(raw: bytes, name: str) -> tuple[tuple[object, Envelope], str]:
    data = _json(raw, name)
    bundled = isinstance(data, dict) and "mediaType" in data
    inner = data.get("dsseEnvelope") if isinstance(data, dict) and bundled else data
    try:
        return (data, envelope_from(inner)), "Sigstore bundle with a DSSE envelope" if bundled else "DSSE envelope"
    except NotAnEnvelope as problem:
        raise _Fault(f"not a DSSE envelope: {problem}") from None


def _signed(parsed: tuple[object, Envelope], raw: bytes, trust: Trust | None, at: datetime
            ) -> tuple[tuple[Envelope, tuple[str, ...]], str]:  # fmt: skip
    data, envelope = parsed
    bundled = isinstance(data, dict) and "mediaType" in data
    found: Verification = verify_bundle(data, raw, trust, at) if bundled else verify_dsse(envelope, trust, at)  # type: ignore[arg-type]
    if found.state is not State.VALID or found.payload is None or trust is None:
        claimed = f" (claims to be by {found.claimed})" if found.claimed else ""
        raise _Fault(f"{found.reason or 'the signature does not hold'}{claimed}")
    allowed, lack = enough_signers(found, PREDICATE_TYPE, trust)
    if lack:
        raise _Fault(lack)
    names = tuple(sorted(signer.entry.name for signer in allowed))
    return (Envelope(found.payload_type, found.payload, envelope.signatures), names), f"signed by {', '.join(names)}"


def _statement(envelope: Any) -> tuple[Mapping[str, Any], str]:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise _Fault(f"payload type `{envelope.payload_type}` is not `{PAYLOAD_TYPE}`")
    data = _json(envelope.payload, "payload")
    if not isinstance(data, dict) or data.get("_type") != STATEMENT_TYPE:
        found = data.get("_type") if isinstance(data, dict) else None
        raise _Fault(f"statement type `{found}` is not `{STATEMENT_TYPE}`")
    subjects = data.get("subject")
    shaped = isinstance(subjects, list) and all(isinstance(s, dict) and {"name", "digest"} <= set(s) for s in subjects)
    if not isinstance(subjects, list) or not shaped:
        raise _Fault("its subjects are not a list of names and digests")
    try:
        check_subjects(subjects)
    except Refusal as refusal:
        raise _Fault("; ".join(each.message for each in refusal.diagnostics)) from None
    return data, f"in-toto Statement v1 about {_count(len(subjects), 'subject')}"


def _decision(statement: Mapping[str, Any], at: datetime) -> tuple[Mapping[str, Any], str]:
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise _Fault(f"predicate type `{statement.get('predicateType')}` is not `{PREDICATE_TYPE}`")
    decision = statement.get("predicate")
    try:
        canonical_json(decision)
    except (ValueError, TypeError):
        raise _Fault("the decision holds a number or a text that canonical JSON (RFC 8785) cannot hold") from None
    fault = next(iter(_schema().iter_errors(decision)), None)
    if fault is not None or not isinstance(decision, dict):
        pointer = "".join(f"/{each}" for each in fault.instance_path) if fault else ""
        raise _Fault(
            f"the decision does not fit its schema at {pointer or '/'}: {fault.message[:200] if fault else 'no object'}"
        )
    listed = [{"name": each["name"], "digest": each["digest"]} for each in statement["subject"]]
    if listed != decision["subjects"]:
        raise _Fault("the subjects of the statement are not those of the decision")
    _has_come(decision["evaluated_at"], at)
    return decision, f"decision {decision['id']}: {decision['decision']}, evaluated at {decision['evaluated_at']}"


def _has_come(moment: str, at: datetime) -> None:
    """A decision about tomorrow's evidence would stay good for as long as its author likes."""
    try:
        evaluated = datetime.fromisoformat(moment)
    except ValueError:
        raise _Fault(f"`{moment}`, when it was evaluated, is not a time") from None
    if evaluated > at + CLOCKS_DIFFER:
        raise _Fault(f"it was evaluated at {moment}, which has not come yet")


def _subjects(decision: Mapping[str, Any], given: Sequence[Subject]) -> tuple[None, str]:
    if not given:
        raise _Fault("no artifact was given")
    matched, faults = [], []
    for subject in given:
        found = [each for each in decision["subjects"] if _same_artifact(subject.digest, each["digest"])]
        shown = subject.name or ", ".join(f"{algorithm}:{text}" for algorithm, text in sorted(subject.digest.items()))
        if found:
            matched.append(f"{shown} is {found[0]['name']}")
            continue
        named = next((each for each in decision["subjects"] if each["name"] == subject.name), None)
        said = f"; the decision is about sha256:{named['digest']['sha256']} of that name" if named else ""
        faults.append(f"`{shown}` (sha256:{subject.digest.get('sha256', '?')}) is no subject of the decision{said}")
    return None, _all_or(
        faults, f"{', '.join(matched)} ({len(matched)} of {_count(len(decision['subjects']), 'subject')} given)"
    )


def _same_artifact(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """A common strong digest, and every algorithm that both have agrees."""
    ours, theirs = ([f"{algorithm}:{content}" for algorithm, content in each.items()] for each in (left, right))
    return same_content(ours, theirs) is True


def _policies(decision: Mapping[str, Any], given: Mapping[str, str]) -> tuple[None, str]:
    judged = {each["id"]: each["digest"] for each in decision["policies"]}
    faults = [f"policy `{each}` was judged and is not given" for each in sorted(set(judged) - set(given))]
    faults += [f"policy `{each}` is given and was not judged" for each in sorted(set(given) - set(judged))]
    faults += [f"policy `{each}` is {given[each]}, {judged[each]} was judged"
               for each in sorted(set(given) & set(judged)) if given[each] != judged[each]]  # fmt: skip
    return None, _all_or(faults, f"{_count(len(judged), 'policy', 'policies')} with the digests that were judged")


def _evidence(decision: Mapping[str, Any], given: Mapping[str, str]) -> tuple[None, str]:
    """By digest. The same bytes under a new name are the same evidence; other bytes under a judged name never are, even
    where the judged bytes lie beside them: the name of a site's own list is what says which list it is."""
    judged = {(each["name"], each["digest"]) for each in decision["evidence"]}
    names, digests, present = {name for name, _ in judged}, {digest for _, digest in judged}, set(given.values())
    faults = []
    for name, digest in sorted(judged):
        if name in given and (name, given[name]) not in judged:
            faults.append(f"changed bytes: `{name}` is {given[name]}, {digest} was judged")
        elif digest not in present:
            faults.append(f"missing file: `{name}` ({digest})")
    faults += [f"extra file: `{name}` ({digest}) was not judged"
               for name, digest in sorted(given.items()) if digest not in digests and name not in names]  # fmt: skip
    return None, _all_or(faults, f"{_count(len(judged), 'file')} with the digests that were judged")


def _consistent(decision: Mapping[str, Any]) -> tuple[None, str]:
    return None, _all_or(contradictions(decision), "verdict, gate, waivers, controls and counts follow from the findings")


def _all_or(faults: Sequence[str], good: str) -> str:
    if not faults:
        return good
    if len(faults) <= NAMED_AT_MOST:
        raise _Fault("; ".join(faults))
    raise _Fault(f"{len(faults)} differences: {'; '.join(faults[:NAMED_AT_MOST])}; and {len(faults) - NAMED_AT_MOST} more")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


@cache
def _schema() -> Any:
    import json

    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(json.loads(Path(__file__).with_name("decision.schema.json").read_text("utf-8")))
