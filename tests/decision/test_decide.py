"""The decision: gate table, aggregation, control states, exit codes, and what never passes by accident."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from decision_runs import AT, HEX, evidence, inputs, policy, result, rule

from policyengine.controls.gate import COLUMNS, DEFAULT_GATE, ROWS, Effect
from policyengine.controls.profile import profile_from
from policyengine.core.canonical import canonical_json
from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Origin
from policyengine.core.outcome import WORST_FIRST, Cause, CauseKind, Outcome
from policyengine.decision.consistency import contradictions
from policyengine.decision.decide import decide, with_quality_drafts
from policyengine.decision.inputs import ParameterValue, Selection, Subject
from policyengine.decision.judgement import control_state, exit_code
from policyengine.decision.plain import plain
from policyengine.engine.findings import Finding, ReadValue, RuleResult

# language standard 4.5, written out once more
GATE = {
    "critical": "block block block warn warn",
    "major": "block block block warn warn",
    "minor": "block warn warn warn record",
    "observation": "warn record record warn record",
}
ALL = list(Outcome)


def judged(severity: str, *outcomes: Outcome, **more: Any) -> dict[str, Any]:
    subjects = tuple((f"s{i}", each) for i, each in enumerate(outcomes))
    return decide(inputs((policy(rule(severity=severity)),), (result(*subjects),), **more))


@pytest.mark.parametrize(("row", "column"), list(product(ROWS, COLUMNS)))
def test_gate_table_is_that_of_the_standard(row: str, column: str) -> None:
    expected = GATE[row].split()[COLUMNS.index(column)]
    decision = judged(row, Outcome(column))
    assert DEFAULT_GATE[row][column] == expected
    assert decision["rules"][0]["gate"] == expected
    words = {"block": "blocked", "warn": "allowed with warnings", "record": "allowed"}
    assert decision["decision"] == words[expected]
    assert exit_code(decision) == decision["exit_code"] == (0 if expected != "block" else 1 if column == "fail" else 3)


@pytest.mark.parametrize("severity", ROWS)
@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.NOT_APPLICABLE])
def test_pass_and_not_applicable_have_no_effect(severity: str, outcome: Outcome) -> None:
    decision = judged(severity, outcome)
    assert (decision["rules"][0]["gate"], decision["decision"], exit_code(decision)) == ("none", "allowed", 0)


@pytest.mark.parametrize(("left", "right"), list(product(ALL, ALL)))
def test_a_rule_takes_the_worst_of_its_subjects(left: Outcome, right: Outcome) -> None:
    worse = min(left, right, key=WORST_FIRST.index)
    assert judged("major", left, right)["rules"][0]["outcome"] == worse


def test_a_worse_outcome_does_not_hide_what_a_milder_one_demands() -> None:
    profile = profile_from({"id": "s", "version": "1", "gate": {"minor": {"unknown": "block"}}}, "p.yaml", "sha256:00")
    decision = judged("minor", Outcome.FAIL, Outcome.UNKNOWN, profile=profile)
    assert decision["rules"][0]["gate"] == "block"


CONTROL_STATES = [
    ([], "not_assessed"),
    ([("pass", "meets")], "met"),
    ([("pass", "meets"), ("pass", "supports")], "met"),
    ([("pass", "supports")], "supported"),
    ([("not_applicable", "meets")], "not_applicable"),
    ([("not_applicable", "meets"), ("pass", "supports")], "supported"),
    ([("not_applicable", "supports"), ("pass", "meets")], "met"),
    ([("pass", "meets"), ("fail", "supports")], "not_met"),
    ([("fail", "meets"), ("error", "meets")], "not_met"),
    ([("error", "meets"), ("pass", "meets")], "unknown"),
    ([("unknown", "supports"), ("pass", "meets")], "unknown"),
    ([("unknown", "meets"), ("not_yet_due", "meets")], "unknown"),
    ([("not_yet_due", "meets"), ("waived", "meets")], "not_yet_due"),
    ([("waived", "meets"), ("pass", "meets")], "waived"),
    ([("waived", "supports"), ("not_applicable", "meets")], "waived"),
]


@pytest.mark.parametrize(("rules", "state"), CONTROL_STATES)
def test_control_states(rules: list[tuple[str, str]], state: str) -> None:
    assert control_state(rules) == state
    assert control_state(list(reversed(rules))) == state


@pytest.mark.parametrize("outcome", ["pass", "waived", "not_yet_due", "not_applicable"])
def test_a_control_is_unknown_while_one_of_its_rules_was_left_out(outcome: str) -> None:
    assert control_state([(outcome, "meets")], left_out=True) == "unknown"
    assert control_state([("fail", "meets")], left_out=True) == "not_met"
    assert control_state([], left_out=True) == "not_assessed"


def test_selecting_one_rule_never_meets_a_control_that_another_also_answers() -> None:
    policies = (policy(rule("r1"), rule("r2")),)
    decision = decide(inputs(policies, (result(("a", Outcome.PASS)),), selection=Selection(rules=("r1",))))
    assert [each["state"] for each in decision["controls"]] == ["unknown"]
    assert {"kind": "rule_not_selected", "what": "p/r2", "detail": "not judged in this run"} in decision["relaxations"]
    assert not contradictions(decision)


FRAMEWORKS = {
    "part-11": {"status": "in-force", "title": "Part 11", "controls": {"11.10(e)": {"title": "Audit trail", "automation": "full"},
                                                                       "11.50": {"title": "Signatures", "automation": "partial"}}},
    "annex-22": {"status": "draft", "controls": {"1": {"title": "Scope", "automation": "partial"}}},
}  # fmt: skip


def test_clauses_without_rule_are_not_assessed_and_counts_are_no_percentage() -> None:
    decision = decide(inputs(results=(result(("a", Outcome.PASS)),), frameworks=FRAMEWORKS))
    assert [(c["control"], c["state"], c["title"]) for c in decision["controls"]] == [
        ("11.10(e)", "met", "Audit trail"), ("11.50", "not_assessed", "Signatures")]  # fmt: skip
    (framework,) = decision["frameworks"]
    assert (framework["id"], framework["counts"]["met"], framework["counts"]["not_assessed"]) == ("part-11", 1, 1)


@pytest.mark.parametrize(
    ("references", "row"),
    [
        ((("meets", "annex-22", "1"),), "observation"),
        ((("meets", "annex-22", "1"), ("supports", "part-11", "11.50")), "critical"),
        ((("meets", "annex-22", "1"), ("meets", "not-in-any-catalogue", "1")), "critical"),
        ((), "critical"),
    ],
)
def test_a_rule_for_drafts_only_is_advisory(references: tuple[tuple[str, str, str], ...], row: str) -> None:
    policies = (policy(rule(references=references)),)
    decision = decide(inputs(policies, (result(("a", Outcome.FAIL)),), frameworks=FRAMEWORKS))
    (entry,) = decision["rules"]
    assert (entry["gate_row"], entry["advisory"], entry["severity"]) == (row, row == "observation", "critical")
    assert decision["decision"] == ("allowed" if row == "observation" else "blocked")
    assert not contradictions(decision)


@pytest.mark.parametrize("stated", ALL)
def test_a_rule_without_subject_never_passes(stated: Outcome) -> None:
    decision = decide(inputs(results=(RuleResult("p", "r1", stated, ()),)))
    assert decision["rules"][0]["outcome"] in ("unknown", "fail", "error")
    assert decision["decision"] == "blocked"
    assert decision["rules"][0]["findings"]


def test_a_selected_rule_without_result_is_an_error() -> None:
    decision = decide(inputs(results=()))
    assert (decision["rules"][0]["outcome"], decision["exit_code"]) == ("error", 3)


def test_what_the_engine_states_and_does_not_explain_still_counts() -> None:
    decision = decide(inputs(results=(result(("a", Outcome.PASS), stated=Outcome.UNKNOWN),)))
    assert decision["rules"][0]["outcome"] == "unknown"
    silent = RuleResult("p", "r1", Outcome.PASS, (("a", Outcome.FAIL),))
    decision = decide(inputs(results=(silent,)))
    assert (decision["rules"][0]["outcome"], len(decision["rules"][0]["findings"])) == ("fail", 1)


def test_callers_bugs_are_not_decided_away() -> None:
    twice = (result(("a", Outcome.PASS)), result(("a", Outcome.FAIL)))
    stranger = (result(("a", Outcome.PASS), name="r9"),)
    lying = (replace(result(("a", Outcome.FAIL)), population={Outcome.PASS: 1}),)
    for results in (twice, stranger, lying):
        with pytest.raises(ValueError):
            decide(inputs(results=results))
    with pytest.raises(ValueError):
        decide(inputs(results=(result(("a", Outcome.PASS)),), evaluated_at=datetime(2026, 3, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("policies", "selection", "code"),
    [
        ((), Selection(), "PE550"),
        ((policy(),), Selection(), "PE550"),
        ((policy(rule()),), Selection(rules=("r2",)), "PE552"),
        ((policy(rule()),), Selection(frameworks=("part-1l",)), "PE552"),
        ((policy(rule(), rule("r2", references=(("meets", "x", "1"),))),), Selection(("x",), ("r1",)), "PE550"),
        ((policy(rule()), policy(rule())), Selection(), "PE551"),
        ((policy(rule(), rule()),), Selection(), "PE551"),
    ],
)
def test_nothing_selected_decides_nothing(policies: tuple[Any, ...], selection: Selection, code: str) -> None:
    run = replace(inputs(), policies=policies, selection=selection)
    with pytest.raises(Refusal) as refused:
        decide(run)
    assert refused.value.diagnostics[0].code == code


def test_a_misspelt_selection_names_the_nearest() -> None:
    with pytest.raises(Refusal) as refused:
        decide(inputs(selection=Selection(frameworks=("part-1l",))))
    assert refused.value.diagnostics[0].hint == "did you mean `part-11`?"


def test_lenient_shows_and_changes_the_exit_code_only() -> None:
    decision = judged("critical", Outcome.FAIL, lenient=True)
    assert (decision["decision"], decision["exit_code"]) == ("blocked", 0)
    assert decision["relaxations"][0]["kind"] == "lenient"
    assert not contradictions(decision)


def test_a_loosened_row_shows() -> None:
    profile = profile_from({"id": "s", "version": "1", "gate": {"major": {"unknown": "warn"}}}, "p.yaml", "sha256:00")
    decision = judged("major", Outcome.UNKNOWN, profile=profile)
    assert decision["decision"] == "allowed with warnings"
    assert [(r["kind"], r["what"]) for r in decision["relaxations"]] == [("gate_loosened", "major/unknown")]
    assert not contradictions(decision)


def test_exit_code_is_1_when_a_blocking_rule_failed_beside_unknown_ones() -> None:
    policies = (policy(rule("r1"), rule("r2"), rule("r3", "minor")),)
    unknown, failed = result(("a", Outcome.UNKNOWN)), result(("a", Outcome.FAIL), name="r2")
    minor = result(("a", Outcome.FAIL), name="r3")
    assert decide(inputs(policies, (unknown, failed, minor)))["exit_code"] == 1
    passed = result(("a", Outcome.PASS), name="r2")
    assert decide(inputs(policies, (unknown, passed, minor)))["exit_code"] == 3


def test_population_counts_every_subject() -> None:
    population = judged("minor", *ALL, Outcome.PASS)["rules"][0]["population"]
    assert population == {
        "evaluated": 8,
        "pass": 2,
        "fail": 1,
        "unknown": 1,
        "not_yet_due": 1,
        "not_applicable": 1,
        "waived": 1,
        "error": 1,
    }


def test_a_finding_keeps_values_causes_and_places() -> None:
    here = Origin("trail.csv", "line 12")
    finding = Finding(
        "88121", Outcome.UNKNOWN, "reason is not recorded", (Cause(CauseKind.MISSING_FIELD, "event.reason", here),), (here,),
        (ReadValue("event.reason", None, here), ReadValue("x.id", "1"), ReadValue("x.id", "2"), ReadValue("x.id", "1")), group=("88121", None),
        suggestions=(("correction", "Add it"),))  # fmt: skip
    capa = {"category": "Data integrity", "owner": None, "due_in": 30 * 86400,
            "group_by": [{"op": "field", "of": {"op": "var", "name": "event"}, "name": "id"}]}  # fmt: skip
    given = RuleResult("p", "r1", Outcome.UNKNOWN, (("88121", Outcome.UNKNOWN),), (finding,))
    entry = decide(inputs((policy(rule(capa=capa)),), (given,)))["rules"][0]
    (shown,) = entry["findings"]
    assert shown["values"] == {"event.reason": None, "x.id": "1", "x.id (2)": "2"}
    place = {"name": "trail.csv", "pointer": "line 12"}
    assert shown["causes"] == [{"kind": "missing_field", "what": "event.reason", "evidence": place}]
    assert shown["evidence"] == [place]
    assert (shown["group"], shown["suggestions"]) == (["88121", None], {"correction": "Add it"})
    assert entry["capa"] == {"category": "Data integrity", "owner": None, "due_in_days": 30, "group_by": ["event.id"]}


def test_the_same_run_in_any_order_gives_the_same_bytes() -> None:
    rules = [rule(f"r{i}", references=(("meets", "part-11", str(i)), ("supports", "gamp-5", "D1"))) for i in range(6)]
    results = [result(*((f"s{j}", ALL[(i + j) % 7]) for j in range(9)), name=f"r{i}") for i in range(6)]
    parameters = [ParameterValue("a", 1, "default"), ParameterValue("b", Decimal("0.40"), "flag", "p")]
    subjects = [Subject("b.tar", {"sha256": HEX, "sha512": "0" * 128}), Subject("a.tar", {"sha512": "1" * 128, "sha256": HEX})]
    said = set()
    for seed in range(8):
        order = random.Random(seed)  # noqa: S311 - shuffles test data
        for each in (rules, results, parameters, subjects):
            order.shuffle(each)
        shuffled = [replace(each, findings=tuple(order.sample(each.findings, len(each.findings)))) for each in results]
        items = list(evidence().items)
        order.shuffle(items)
        run = inputs((policy(*rules),), tuple(shuffled), parameters=tuple(parameters), subjects=tuple(subjects),
                     evidence=replace(evidence(), items=tuple(items), assumptions=tuple(order.sample(["x", "y", "z"], 3))))  # fmt: skip
        said.add(canonical_json(decide(run)))
    assert len(said) == 1


def test_the_instant_is_shown_in_utc_whatever_the_offset() -> None:
    zurich = AT.astimezone(timezone(timedelta(hours=2)))
    one, two = (judged("minor", Outcome.PASS, evaluated_at=moment) for moment in (AT, zurich))
    assert one["evaluated_at"] == "2026-03-01T12:00:00Z"
    assert canonical_json(one) == canonical_json(two)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2**53 - 1, 2**53 - 1), (2**53, "9007199254740992"), (Decimal("0.40"), "0.40"), (0.1, "0.1"), (float("nan"), "nan"), (True, True),
     ("\ud800", "\\ud800"), (timedelta(days=1), "86400"), (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"), ({"b": (1,)}, {"b": [1]})],
)  # fmt: skip
def test_plain_values_survive_canonical_json(value: object, shown: object) -> None:
    assert plain(value) == shown
    canonical_json(plain(value))


def test_hostile_texts_stay_data() -> None:
    nasty = "</script>\n::set-output name=x::\x1b[31m{{7*7}}\u202e\ud800"
    decision = decide(inputs(results=(result((nasty, Outcome.FAIL)),)))
    canonical_json(decision)
    assert decision["rules"][0]["findings"][0]["subject"].startswith("</script>\n::set-output")


def test_drafts_are_added_without_changing_the_id() -> None:
    decision = judged("major", Outcome.FAIL)
    drafts = [
        {"external_id": f"qd-{i}", "record_type": "capa", "rule": "r1", "policy": "p", "title": "kept out"} for i in (2, 1)
    ]
    with_drafts = with_quality_drafts(decision, drafts)
    assert [each["external_id"] for each in with_drafts["quality_drafts"]] == ["qd-1", "qd-2"]
    assert with_drafts["id"] == decision["id"]
    assert not contradictions(with_drafts)
    assert decision["quality_drafts"] == []


def test_without_system_and_release_it_says_null() -> None:
    decision = judged("minor", Outcome.PASS, evidence=evidence(None))
    assert (decision["system"], decision["release"], decision["trust"]) == (None, None, None)


def test_effects_are_ordered_by_strictness() -> None:
    assert [effect.value for effect in sorted(Effect, key=lambda e: e.strictness)] == ["none", "record", "warn", "block"]
