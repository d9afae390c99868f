"""Statements and summaries bind to exact artifacts, or are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decision_runs import HEX, inputs, policy, result, rule

from policyengine.core.canonical import canonical_json
from policyengine.core.diagnostic import Refusal
from policyengine.core.outcome import Outcome
from policyengine.decision.decide import decide
from policyengine.decision.inputs import Subject
from policyengine.decision.statement import PREDICATE_TYPE, VSA_TYPE, statement, vsa


def decided(outcome: Outcome = Outcome.PASS, severity: str = "critical", **more: Any) -> dict[str, Any]:
    return decide(inputs((policy(rule(severity=severity)),), (result(("a", outcome)),), **more))


def test_the_statement_holds_the_decision_as_it_is() -> None:
    decision = decided()
    raw = statement(decision)
    said = json.loads(raw)
    assert raw == canonical_json(said)
    assert (said["_type"], said["predicateType"]) == ("https://in-toto.io/Statement/v1", PREDICATE_TYPE)
    assert said["subject"] == [{"name": "mes-4.2.0.tar", "digest": {"sha256": HEX}}]
    assert said["predicate"] == decision


@pytest.mark.parametrize(
    ("subjects", "codes"),
    [
        ((), ["PE560"]),
        ((Subject("a", {}),), ["PE561"]),
        ((Subject("a", {"sha1": "0" * 40}),), ["PE561"]),
        ((Subject("a", {"sha512": "0" * 128}),), ["PE561"]),
        ((Subject("a", {"sha256": HEX[:-1]}),), ["PE561"]),
        ((Subject("a", {"sha256": HEX.upper()}),), ["PE561"]),
        ((Subject("a", {"sha256": HEX + "\n"}),), ["PE561"]),
        ((Subject("a", {"sha256": "sha256:" + HEX}),), ["PE561"]),
        ((Subject("a", {"sha256": HEX, "crc32": "00000000"}),), ["PE561"]),
        ((Subject(" ", {"sha256": HEX}),), ["PE561"]),
        ((Subject("a", {"sha256": HEX}), Subject("a", {"sha256": "0" * 64})), ["PE562"]),
        ((Subject("a", {"sha256": HEX}), Subject("a", {"sha256": HEX})), ["PE562"]),
        ((Subject("", {"md5": "0"}), Subject("b", {"sha256": HEX})), ["PE561", "PE561"]),
    ],
)
def test_a_subject_that_binds_to_nothing_certain_is_refused(subjects: tuple[Subject, ...], codes: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        statement(decided(subjects=subjects))
    assert [each.code for each in refused.value.diagnostics] == codes


@pytest.mark.parametrize(
    ("outcome", "severity", "result_word", "levels"),
    [
        (Outcome.PASS, "critical", "PASSED", ["GXP_ALLOWED"]),
        (Outcome.FAIL, "minor", "PASSED", ["GXP_ALLOWED_WITH_WARNINGS"]),
        (Outcome.FAIL, "critical", "FAILED", ["FAILED"]),
        (Outcome.UNKNOWN, "critical", "FAILED", ["FAILED"]),
    ],
)
def test_a_summary_knows_no_third_result(outcome: Outcome, severity: str, result_word: str, levels: list[str]) -> None:
    raw = vsa(
        decided(outcome, severity), "decision.intoto.json", "sha256:" + HEX, "pkg:generic/mes@4.2.0", "https://example.org/gate"
    )
    said = json.loads(raw)
    predicate = said["predicate"]
    assert said["predicateType"] == VSA_TYPE
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == (result_word, levels)
    assert predicate["inputAttestations"] == [{"uri": "decision.intoto.json", "digest": {"sha256": HEX}}]
    assert predicate["timeVerified"] == "2026-03-01T12:00:00Z"
    assert set(predicate["policy"]) == {"uri", "digest"}


def test_a_lenient_run_still_says_failed() -> None:
    said = json.loads(vsa(decided(Outcome.FAIL, lenient=True), "d", "sha256:" + HEX, "r", "v"))
    assert said["predicate"]["verificationResult"] == "FAILED"
