"""Waivers inside a decision: the verdict beneath stays, everything ignored is reported, and rules that do not exist stop the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from decision_runs import inputs, policy, result, rule

from policyengine.controls.person import Person
from policyengine.controls.profile import Profile
from policyengine.controls.waivers import LoadedWaiver, Waiver
from policyengine.core.diagnostic import Refusal
from policyengine.core.outcome import Outcome
from policyengine.decision.consistency import contradictions
from policyengine.decision.decide import decide
from policyengine.decision.inputs import Selection
from policyengine.engine.findings import Finding, RuleResult

SITE = Profile("site", "1", "sha256:00", people=(Person("anna", "", ("qa_approver",), ("k",)),))
WAIVER = Waiver("W-1", "r1", ("1.0.0",), "MES-01", ("a",), ("fail",), "why", "ra", "cc", "ben", "anna",
                datetime(2026, 2, 1, tzinfo=UTC), None, datetime(2026, 4, 1, tzinfo=UTC))  # fmt: skip


def loaded(problem: str = "", **change: Any) -> LoadedWaiver:
    waiver = replace(WAIVER, **change)
    return LoadedWaiver(f"{waiver.id}.json", "sha256:" + "0" * 64, waiver, "anna", (Person("", "", (), ("k",)),), problem)


def decided(*waivers: LoadedWaiver, subjects: tuple[tuple[str, Outcome], ...] = (("a", Outcome.FAIL), ("b", Outcome.PASS)),
            **more: Any) -> dict[str, Any]:  # fmt: skip
    decision = decide(inputs(results=(result(*subjects),), waivers=waivers, profile=SITE, **more))
    assert not contradictions(decision)
    return decision


def test_a_waived_finding_shows_the_verdict_beneath() -> None:
    decision = decided(loaded())
    (entry,) = decision["rules"]
    (finding,) = entry["findings"]
    assert (finding["outcome"], finding["verdict"], finding["disposition"], finding["waiver"]) == (
        "waived",
        "fail",
        "risk_accepted",
        "W-1",
    )
    assert (entry["outcome"], entry["gate"], entry["population"]["waived"], entry["population"]["fail"]) == (
        "waived",
        "warn",
        1,
        0,
    )
    assert (decision["decision"], decision["controls"][0]["state"]) == ("allowed with warnings", "waived")
    assert decision["relaxations"] == [{"kind": "waiver_applied", "what": "W-1", "detail": "rule r1: a"}]
    assert decision["waivers"][0]["applied_to"] == ["a"]


def test_other_subjects_and_outcomes_stay() -> None:
    mixed = (("a", Outcome.FAIL), ("b", Outcome.FAIL), ("c", Outcome.UNKNOWN))
    decision = decided(loaded(subjects=("a", "c")), subjects=mixed)
    assert decision["rules"][0]["outcome"] == "fail"
    assert decision["waivers"][0]["applied_to"] == ["a"]
    unknown = decided(loaded(subjects=("a", "c"), outcomes=("fail", "unknown")), subjects=(mixed[0], mixed[2]))
    assert unknown["rules"][0]["outcome"] == "waived"


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.ERROR, Outcome.NOT_YET_DUE])
def test_what_is_not_listed_is_not_waived(outcome: Outcome) -> None:
    decision = decided(loaded(), subjects=(("a", outcome),))
    assert decision["rules"][0]["outcome"] == outcome
    assert not decision["waivers"][0]["applied"]


@pytest.mark.parametrize(
    ("waiver", "reason"),
    [
        (loaded("it is not signed"), "it is not signed"),
        (loaded(subjects=("b",)), "`pass` cannot be waived"),
        (loaded(subjects=("zzz",)), "`zzz` has no finding to waive"),
        (loaded(expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC)), "expired at 2026-03-01T12:00:00Z"),
        (loaded(system="MES-02"), "the system is `MES-01`"),
        (LoadedWaiver("x.json", "sha256:" + "0" * 64, None, None, (), "its signature is not accepted: forged"), "forged"),
    ],
)
def test_ignored_and_reported(waiver: LoadedWaiver, reason: str) -> None:
    decision = decided(waiver)
    assert decision["decision"] == "blocked"
    assert reason in decision["waivers"][0]["reason"]
    assert decision["relaxations"] == []


@pytest.mark.parametrize("name", ["*", "r9", "R1", "p/r1", "r\u0661", ""])
def test_a_waiver_for_a_rule_that_does_not_exist_stops_the_run(name: str) -> None:
    for problem in ("", "it is not signed"):
        with pytest.raises(Refusal) as refused:
            decided(loaded(problem, rule=name))
        assert refused.value.diagnostics[0].code == "PE821"


def test_two_waivers_of_one_id_stop_the_run() -> None:
    with pytest.raises(Refusal) as refused:
        decided(loaded(), loaded())
    assert refused.value.diagnostics[0].code == "PE822"


def test_a_second_waiver_for_the_same_finding_is_reported_as_covered() -> None:
    decision = decided(loaded(id="W-2"), loaded())
    assert [(w["id"], w["applied"]) for w in decision["waivers"]] == [("W-1", True), ("W-2", False)]
    assert "waived by `W-1` already" in decision["waivers"][1]["reason"]


def test_a_rule_id_in_two_policies_needs_the_policy() -> None:
    policies = (policy(rule()), policy(rule(), name="q"))
    results = (result(("a", Outcome.FAIL)), result(("a", Outcome.FAIL), of="q"))
    decision = decide(inputs(policies, results, waivers=(loaded(),), profile=SITE))
    assert "name the `policy`" in decision["waivers"][0]["reason"]
    decision = decide(inputs(policies, results, waivers=(loaded(policy="q"),), profile=SITE))
    assert [entry["outcome"] for entry in decision["rules"]] == ["fail", "waived"]
    assert not contradictions(decision)


def test_a_waiver_of_an_unselected_rule_is_reported() -> None:
    run = inputs((policy(rule(), rule("r2")),), (result(("a", Outcome.PASS), name="r2"),), waivers=(loaded(),), profile=SITE,
                 selection=Selection(rules=("r2",)))  # fmt: skip
    assert decide(run)["waivers"][0]["reason"] == "its rule was not selected"


def test_a_key_that_two_findings_share_is_not_waived() -> None:
    twice = RuleResult("p", "r1", Outcome.FAIL, (("a", Outcome.FAIL), ("a", Outcome.FAIL)),
                       (Finding("a", Outcome.FAIL, "x"), Finding("a", Outcome.FAIL, "y")))  # fmt: skip
    decision = decide(inputs(results=(twice,), waivers=(loaded(),), profile=SITE))
    assert decision["rules"][0]["outcome"] == "fail"


def test_no_waiver_covers_what_the_engine_did_not_explain() -> None:
    given = result(("r1", Outcome.FAIL), stated=Outcome.ERROR)
    decision = decide(inputs(results=(given,), waivers=(loaded(subjects=("r1",)),), profile=SITE))
    assert (decision["rules"][0]["outcome"], decision["exit_code"]) == ("error", 3)
