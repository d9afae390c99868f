"""Verification of decisions: every step can fail, and only that step; what was not asked for is never passed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from decision_runs import AT, HEX, inputs, policy, result, rule

import policyengine.decision.verify as verification
from policyengine.core.canonical import canonical_json
from policyengine.core.outcome import Outcome
from policyengine.decision.consistency import contradictions
from policyengine.decision.decide import decide, decision_id
from policyengine.decision.inputs import Selection, Subject
from policyengine.decision.statement import PAYLOAD_TYPE, PREDICATE_TYPE, statement
from policyengine.decision.verify import TITLES, Verdict, verify_decision
from policyengine.signing.envelope import sign
from policyengine.signing.keys import new_key
from policyengine.signing.trust import Trust, TrustedSigner, key_trust

KEY, OTHER = new_key("ed25519"), new_key()
TRUST = key_trust(KEY.public_pem)
POLICIES = {"p": "sha256:" + "cd" * 32}
EVIDENCE = {"mes.cdx.json": "sha256:" + "11" * 32, "trail.csv": "sha256:" + "22" * 32}
ARTIFACT = Subject("mes-4.2.0.tar", {"sha256": HEX})


def decided(*outcomes: Outcome, **more: Any) -> dict[str, Any]:
    subjects = tuple((f"s{i}", each) for i, each in enumerate(outcomes or (Outcome.PASS, Outcome.FAIL)))
    return decide(inputs((policy(rule()),), (result(*subjects),), **more))


def signed(payload: bytes, kind: str = PAYLOAD_TYPE, key: bytes = KEY.private_pem) -> bytes:
    return sign(payload, kind, key, "key")


def verify(raw: bytes, **more: Any) -> Verdict:
    asked: dict[str, Any] = {"trust": TRUST, "at": AT, "subjects": (ARTIFACT,), "policies": POLICIES, "evidence": EVIDENCE}
    return verify_decision(raw, **{**asked, **more})


GOOD = signed(statement(decided()))


def refused_at(verdict: Verdict, number: int) -> str:
    """The detail of the one failed step; nothing after it that depends on it may have passed."""
    assert [step.number for step in verdict.steps] == list(range(1, 9))
    assert tuple(step.title for step in verdict.steps) == TITLES
    assert [step.number for step in verdict.steps if step.ok is False] == [number]
    assert not verdict.ok
    if number <= 4:
        assert all(step.ok is None for step in verdict.steps[number:])
    return verdict.steps[number - 1].detail


def test_a_good_decision_passes_all_eight_steps() -> None:
    verdict = verify(GOOD)
    assert [step.ok for step in verdict.steps] == [True] * 8
    assert verdict.ok
    assert verdict.decision is not None
    assert verdict.decision["decision"] == "blocked"


def test_what_was_not_asked_for_is_not_checked() -> None:
    verdict = verify(GOOD, subjects=None, policies=None, evidence=None)
    assert [step.ok for step in verdict.steps] == [True, True, True, True, None, None, None, True]
    assert all(step.detail.startswith("not checked") for step in verdict.steps if step.ok is None)
    assert verdict.ok


def test_without_a_key_nothing_is_verified_as_a_whole() -> None:
    verdict = verify(GOOD, trust=None)
    assert [step.ok for step in verdict.steps] == [True, None, *[True] * 6]
    assert not verdict.ok


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{}", GOOD[:-20], GOOD + GOOD, GOOD.replace(b'"signatures"', b'"payload":"","signatures"'), b"\xff\xfe{}",
     b'{"payloadType":"x","payload":"!","signatures":[{"sig":"AA=="}]}', b'{"payloadType":"x","payload":"AA==","signatures":[]}',
     b"[" * 100_000, b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'],
)  # fmt: skip
def test_step_1_envelope(raw: bytes) -> None:
    refused_at(verify(raw), 1)


def test_step_2_signature() -> None:
    envelope = json.loads(GOOD)
    assert "no signature by a trusted key" in refused_at(verify(signed(statement(decided()), key=OTHER.private_pem)), 2)
    other = json.loads(signed(statement(decided(Outcome.PASS))))
    swapped = json.dumps({**envelope, "payload": other["payload"]}).encode()
    refused_at(verify(swapped), 2)
    retyped = json.dumps({**envelope, "payloadType": "application/json"}).encode()
    refused_at(verify(retyped), 2)
    hinted = {**envelope, "signatures": [{**other["signatures"][0], "keyid": envelope["signatures"][0]["keyid"]}]}
    refused_at(verify(json.dumps(hinted).encode()), 2)
    assert verify(swapped).decision is None


def test_step_2_a_signer_of_other_things_or_too_few() -> None:
    builder = TrustedSigner("builder", "service", ("https://slsa.dev/provenance/v1",), KEY.public_pem, KEY.key_id)
    assert "may not sign" in refused_at(verify(GOOD, trust=Trust("sha256:00", (builder,))), 2)
    two_needed = Trust("sha256:00", TRUST.signers, thresholds={PREDICATE_TYPE: 2})
    assert "1 of 2 signers" in refused_at(verify(GOOD, trust=two_needed), 2)


def restated(change: Callable[[dict[str, Any]], object], kind: str = PAYLOAD_TYPE) -> bytes:
    said = json.loads(statement(decided()))
    change(said)
    return signed(canonical_json(said), kind)


@pytest.mark.parametrize(
    "raw",
    [
        restated(lambda s: None, "application/vnd.in-toto+json; v=1"),
        restated(lambda s: None, "Application/vnd.in-toto+json"),
        restated(lambda s: s.update(_type="https://in-toto.io/Statement/v0.1")),
        restated(lambda s: s.pop("_type")),
        restated(lambda s: s.update(subject=[])),
        restated(lambda s: s.update(subject=None)),
        restated(lambda s: s.update(subject=["a"])),
        restated(lambda s: s["subject"].append(s["subject"][0])),
        restated(lambda s: s["subject"][0]["digest"].pop("sha256")),
        signed(b"not json"),
        signed(b'{"_type":"https://in-toto.io/Statement/v1","_type":"x"}'),
    ],
)
def test_step_3_statement(raw: bytes) -> None:
    refused_at(verify(raw), 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(predicateType=PREDICATE_TYPE + "x"),
        lambda s: s.update(predicateType="urn:policyengine-gxp:decision:v2"),
        lambda s: s.pop("predicateType"),
        lambda s: s.update(predicate=None),
        lambda s: s.update(predicate=[]),
        lambda s: s["predicate"].pop("gate_table"),
        lambda s: s["predicate"].update(verdict="allowed"),
        lambda s: s["predicate"].update(decision="ALLOWED"),
        lambda s: s["predicate"].update(schema_version="2"),
        lambda s: s["predicate"]["rules"][0].update(outcome="indeterminate"),
        lambda s: s["predicate"].update(evaluated_at="2026-03-01T12:00:00"),
        lambda s: s["predicate"].update(evaluated_at="2026-13-01T12:00:00Z"),
        lambda s: s["subject"][0].update(name="other.tar"),
        lambda s: s["subject"][0]["digest"].update(sha256="0" * 64),
    ],
)
def test_step_4_decision(change: Callable[[dict[str, Any]], object]) -> None:
    refused_at(verify(restated(change)), 4)


def test_step_4_a_decision_of_tomorrow() -> None:
    """Five minutes are the difference of two clocks; a day is somebody's wish."""
    assert "has not come yet" in refused_at(verify(GOOD, at=AT - timedelta(days=1)), 4)
    assert verify(GOOD, at=AT - timedelta(minutes=4)).ok


def test_step_4_numbers_that_canonical_json_cannot_hold() -> None:
    raw = statement(decided()).replace(
        b'"parameters":[]', b'"parameters":[{"name":"a","policy":null,"source":"flag","value":12345678901234567890}]'
    )
    assert "canonical JSON" in refused_at(verify(signed(raw)), 4)


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        (Subject("mes-4.2.0.tar", {"sha256": "0" * 64}), "of that name"),
        (Subject("mes-4.2.1.tar", {"sha256": "0" * 64}), "is no subject"),
        (Subject("", {"sha256": HEX[:32]}), "is no subject"),
        (Subject("mes-4.2.0.tar", {"md5": "0" * 32}), "is no subject"),
        (Subject("mes-4.2.0.tar", {}), "is no subject"),
    ],
)
def test_step_5_subject(subject: Subject, told: str) -> None:
    assert told in refused_at(verify(GOOD, subjects=(ARTIFACT, subject)), 5)


def test_step_5_every_common_algorithm_agrees() -> None:
    raw = signed(statement(decided(subjects=(Subject("a", {"sha256": HEX, "sha512": "0" * 128}),))))
    refused_at(verify(raw, subjects=(Subject("a", {"sha256": HEX, "sha512": "1" * 128}),)), 5)
    assert verify(raw, subjects=(Subject("renamed", {"sha256": HEX.upper()}),)).ok
    refused_at(verify(raw, subjects=()), 5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "policy `p` was judged and is not given"),
        ({**POLICIES, "q": "sha256:00"}, "policy `q` is given and was not judged"),
        ({"p": "sha256:" + "00" * 32}, "was judged"),
    ],
)
def test_step_6_policies(given: dict[str, str], told: str) -> None:
    assert told in refused_at(verify(GOOD, policies=given), 6)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"trail.csv": EVIDENCE["trail.csv"]}, "missing file: `mes.cdx.json`"),
        ({**EVIDENCE, "more.json": "sha256:00"}, "extra file: `more.json`"),
        ({**EVIDENCE, "trail.csv": "sha256:" + "33" * 32}, "changed bytes: `trail.csv` is sha256:33"),
        ({}, "missing file: `mes.cdx.json`"),
    ],
)
def test_step_7_evidence(given: dict[str, str], told: str) -> None:
    detail = refused_at(verify(GOOD, evidence=given), 7)
    assert told in detail


def test_step_7_names_all_kinds_of_difference_and_goes_by_digest() -> None:
    detail = refused_at(verify(GOOD, evidence={"trail.csv": "sha256:00", "x.json": "sha256:01"}), 7)
    assert detail.count("missing") == detail.count("changed") == detail.count("extra") == 1
    moved = {"elsewhere/mes.cdx.json": EVIDENCE["mes.cdx.json"], "trail.csv": EVIDENCE["trail.csv"]}
    assert verify(GOOD, evidence=moved).ok


def set_rule(**change: Any) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["rules"][0].update(change)


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "the decision is `allowed`": lambda d: d.update(decision="allowed", exit_code=0),
    "exit code 0": lambda d: d.update(exit_code=0),
    "exit code 3": lambda d: d.update(exit_code=3),
    "`lenient` and the relaxations": lambda d: d.update(lenient=True, exit_code=0),
    "outcome `pass`": set_rule(outcome="pass"),
    "gate `warn`": set_rule(gate="warn"),
    "gate row `minor`": set_rule(gate_row="minor"),
    "`advisory`": set_rule(advisory=True, gate_row="observation"),
    "population adds up": lambda d: d["rules"][0]["population"].update(evaluated=3),
    "1 subjects are `fail`, and 0": set_rule(findings=[]),
    "policy version": set_rule(policy_version="2.0.0"),
    "not sorted, or one is there twice": lambda d: d["rules"].append(d["rules"][0]),
    "waived without waiver": lambda d: d["rules"][0]["findings"][0].update(outcome="waived"),
    "which does not say so": lambda d: d["rules"][0]["findings"][0].update(
        outcome="waived", waiver="W", verdict="fail", disposition="risk_accepted"
    ),
    "state `met` does not follow": lambda d: d["controls"][0].update(state="met"),
    "is not listed": lambda d: d.update(controls=[]),
    "its counts do not follow": lambda d: d["frameworks"][0]["counts"].update(met=7),
    "the summary": lambda d: d["summary"].update(findings=0),
    "loosens critical/fail": lambda d: d["gate_table"]["critical"].update(fail="warn"),
    "loosens minor/error": lambda d: d["gate_table"]["minor"].update(error="record"),
    "and no relaxation says so": lambda d: d["gate_table"]["major"].update(fail="warn"),
    "no rule was judged": lambda d: d.update(rules=[]),
}


@pytest.mark.parametrize("told", list(LIES))
def test_step_8_consistency_even_where_the_id_was_made_to_fit(told: str) -> None:
    def lie(said: dict[str, Any]) -> None:
        LIES[told](said["predicate"])
        said["predicate"]["id"] = decision_id(said["predicate"])

    assert told in refused_at(verify(restated(lie)), 8)


def test_step_8_the_id_is_that_of_the_content() -> None:
    assert "is not that of this content" in refused_at(verify(restated(lambda s: s["predicate"].update(assumptions=["x"]))), 8)


SAID_BY_AN_ENGINE = [each for each in Outcome if each is not Outcome.WAIVED]


@pytest.mark.parametrize("outcomes", [(one, two) for one in SAID_BY_AN_ENGINE for two in SAID_BY_AN_ENGINE])
def test_every_honest_decision_verifies(outcomes: tuple[Outcome, Outcome]) -> None:
    assert verify(signed(statement(decided(*outcomes)))).ok


def test_a_partial_selection_is_consistent() -> None:
    policies = (policy(rule("r1"), rule("r2")),)
    run = inputs(policies, (result(("a", Outcome.PASS)),), selection=Selection(rules=("r1",)))
    assert not contradictions(decide(run))


def test_the_published_schema_is_the_one_that_is_used() -> None:
    root = Path(__file__).parents[2]
    used = Path(verification.__file__).with_name("decision.schema.json")
    assert (root / "docs" / "decision.schema.json").read_bytes() == used.read_bytes()
