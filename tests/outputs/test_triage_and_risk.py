"""The triage table row by row, the risk matrix cell by cell, dedup keys, and the site's settings."""

from __future__ import annotations

import itertools

import pytest
from sample_decision import AT, decision_with, finding, rule, sample_decision

from policyengine.core.diagnostic import Refusal
from policyengine.outputs.capa import drafts
from policyengine.outputs.grouping import dedup_key, external_id, subject_identity
from policyengine.outputs.risk import harm_of, probability_of, proposed_risk, risk_class
from policyengine.outputs.site import Site, read_site
from policyengine.outputs.triage import triage

INTEGRITY = {"category": "Data integrity", "owner": None, "due_in_days": None, "group_by": []}
EXPIRED = {
    "id": "W-1",
    "rule": "r",
    "policy": None,
    "subjects": ["A"],
    "applied": False,
    "reason": "expired at 2026-03-01T00:00:00Z",
}


def row(severity, outcome="fail", site=None, found=None, waivers=(), **more):
    found = found or finding("A", outcome)
    decision = decision_with(rule("r", severity, outcome, [found], **more), waivers=list(waivers))
    matched = triage(decision["rules"][0], found, decision, read_site(site or {}))
    return matched.row, matched.record_type


@pytest.mark.parametrize("outcome", ["pass", "not_applicable", "not_yet_due", "waived"])
def test_row_1_is_quiet(outcome):
    assert row("critical", outcome) == (1, None)


@pytest.mark.parametrize("outcome", ["fail", "unknown"])
def test_row_1_observations_and_draft_regulations_make_no_draft(outcome):
    assert row("observation", outcome) == (1, None)
    assert row("critical", outcome, advisory=True) == (1, None)


def test_row_2_an_error_is_an_incident_of_the_engine():
    assert row("critical", "error") == (2, None)


@pytest.mark.parametrize("phase", ["development", "pre_release", "released", "operation"])
def test_row_3_asks_for_evidence_in_every_phase(phase):
    assert row("critical", "unknown", {"phase": phase}) == (3, "evidence_request")


def test_row_4_needs_a_stated_phase_and_a_gate_that_blocked():
    assert row("critical", site={"phase": "pre_release"}) == (4, None)
    assert row("minor", site={"phase": "pre_release"}) == (8, "correction")
    decision = decision_with(rule("r", "critical", "fail", [finding("A")]), system=None)
    assert [each["record_type"] for each in drafts(decision, {})] == ["capa"]
    lifecycle = decision | {"system": {"id": "S", "name": None, "gxp_impact": None, "lifecycle_phase": "project"}}
    assert drafts(lifecycle, {}) == ()


def test_row_6_critical_or_data_integrity_in_use_or_a_statutory_clock():
    assert row("critical") == (6, "capa")
    assert row("minor", capa=INTEGRITY) == (6, "capa")
    assert row("minor", site={"phase": "development"}, capa=INTEGRITY) == (8, "correction")
    assert row("minor", site={"statutory_rules": ["p11-records/r"]}) == (6, "capa")


def test_a_capa_of_row_6_is_linked_to_a_deviation():
    draft = drafts(decision_with(rule("r", "critical", "fail", [finding("A")])), {})[0]
    assert draft["linked_record_types"] == ["deviation"]


def test_row_7_major_or_an_expired_waiver():
    assert row("major") == (7, "deviation")
    assert row("minor", waivers=[EXPIRED]) == (7, "deviation")
    assert row("minor", waivers=[EXPIRED | {"subjects": ["B"]}]) == (8, "correction")
    assert row("minor", waivers=[EXPIRED | {"policy": "other"}]) == (8, "correction")
    assert row("minor", waivers=[EXPIRED | {"reason": "no trusted key signed it"}]) == (8, "correction")


def test_a_draft_takes_the_strictest_row_of_its_findings_and_keeps_them_all():
    capa = {"category": None, "owner": None, "due_in_days": None, "group_by": ["x"]}
    both = rule("r", "minor", "fail", [finding("A", group=["g"]), finding("B", group=["g"])], capa=capa)
    (draft,) = drafts(decision_with(both, waivers=[EXPIRED]), {})
    assert (draft["record_type"], draft["affected_total"], draft["waiver_ref"]) == ("deviation", 2, "W-1")


def test_row_8_minor():
    assert row("minor") == (8, "correction")


def test_what_needs_history_says_that_there_is_none():
    for draft in drafts(sample_decision(), {}):
        assert "no earlier decisions given" in draft["triage_reason"]
        assert draft["recurrence_of"] == draft["related"] == draft["what_changed"] == []
        assert set(draft["not_known"].values()) == {"no earlier decisions given"}


def test_the_sample_gives_one_draft_for_each_thing_to_do():
    made = drafts(sample_decision(), {})
    assert [(each["policy"]["rule"], each["record_type"]) for each in made] == [
        ("sig-duties", "capa"), ("components-hashed", "deviation"), ("at-review", "evidence_request"),
    ]  # fmt: skip


def test_a_rule_that_failed_for_nobody_in_particular_still_gives_a_draft():
    (draft,) = drafts(decision_with(rule("r", "major", "fail", [])), {})
    assert draft["problem"]["how_many"] == "no subject was evaluated"
    assert draft["affected_items"][0] | {"evidence_digest": None} == {
        "kind": "system", "id": "MES-01", "name": "Manufacturing execution, line 1", "evidence_digest": None, "count": 1,
    }  # fmt: skip


MATRIX = {4: "medium high high high", 3: "medium medium high high", 2: "low medium medium high", 1: "low low low medium"}


def test_the_matrix_cell_by_cell():
    for harm, probability in itertools.product(range(1, 5), range(1, 5)):
        assert risk_class(harm, probability) == MATRIX[harm].split()[probability - 1]


@pytest.mark.parametrize(
    ("impact", "severity", "harm"),
    [("direct", "critical", 4), ("direct", "major", 3), ("indirect", "critical", 3), ("indirect", "major", 2), ("direct", "minor", 1),
     ("none", "critical", 1), (None, "critical", 4), (None, "major", 3), ("nonsense", "critical", 4)],
)  # fmt: skip
def test_harm_of_an_unknown_impact_is_that_of_a_direct_one(impact, severity, harm):
    assert harm_of(impact, severity) == harm


@pytest.mark.parametrize(
    ("failed", "decided", "recurred", "probability"),
    [
        (2, 118, False, 2),
        (2, 118, True, 3),
        (2, 118, None, 3),
        (6, 118, False, 3),
        (118, 118, False, 4),
        (1, 1, False, 3),
        (0, 0, None, 3),
    ],
)
def test_probability(failed, decided, recurred, probability):
    assert probability_of(failed, decided, recurred)[0] == probability


def test_probability_1_is_never_proposed():
    for failed, decided, recurred in itertools.product(range(5), (0, 1, 4, 1000), (None, True, False)):
        assert probability_of(failed, decided, recurred)[0] >= 2


def test_every_input_of_the_risk_has_value_source_and_reason():
    risk = proposed_risk(None, "critical", 2, 118, None)
    assert all(set(each) == {"name", "value", "source", "rationale"} and each["rationale"] for each in risk["inputs"])
    assert risk["inputs"][0] == {
        "name": "gxp_impact",
        "value": None,
        "source": "not recorded",
        "rationale": "unknown impact counts as direct",
    }
    assert risk["qa_class"] is None
    assert risk["detectability"]["value"] is None


@pytest.mark.parametrize(
    ("subject", "identity"),
    [("pkg:npm/left-pad@1.3.0", "pkg:npm/left-pad"), ("pkg:npm/%40a/b@1.3.0?x=y", "pkg:npm/%40a/b"), ("left-pad@1.3.0", "left-pad"),
     (f"B-1 {AT}", "B-1"), ("mes.tar sha256:" + "a" * 64, "mes.tar"), ("sha256:" + "a" * 64, "sha256:" + "a" * 64), ("B-1042", "B-1042"), ("", "")],
)  # fmt: skip
def test_identity_of_a_subject_has_no_version_digest_or_time(subject, identity):
    assert subject_identity(subject) == identity


def test_keys_do_not_depend_on_order_or_policy_version_and_cannot_be_imitated():
    plain = rule("r", "major", "fail", [])
    assert dedup_key(plain, "S", ["b", "a", None]) == dedup_key(plain | {"policy_version": "9.0.0"}, "S", ["a", None, "b"])
    assert dedup_key(plain, "S", ['a","b']) != dedup_key(plain, "S", ["a", "b"])
    assert dedup_key(plain, None, []) != dedup_key(plain, "null", [])
    assert external_id("k") != external_id("k", 2)
    assert len(external_id("k")) == 23


def test_a_new_version_of_a_component_is_the_same_draft():
    ids = {
        drafts(decision_with(rule("r", "major", "fail", [finding(f"pkg:npm/a@{version}")])), {})[0]["external_id"]
        for version in ("1.0.0", "2.0.0")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [({"phse": "operation"}, "`phse`"), ({"phase": "production"}, "`production`"), ({"time_zone": "Basel"}, "`Basel`"),
     ({"fold_over": 0}, "`0`"), ({"fold_over": True}, "`True`"), ({"due_days": {"info": 3}}, "days for"), ({"no_due_on": ["someday"]}, "`someday`"),
     ({"no_due_on": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}, "nothing could ever be due"),
     ({"categories": {"x": ["cybr"]}}, "`x`"), ({"owners": ["a"]}, "role"), ({"qa_approver": " "}, "text")],
)  # fmt: skip
def test_wrong_site_data_is_refused(raw, said):
    with pytest.raises(Refusal) as refused:
        read_site(raw)
    assert said in refused.value.diagnostics[0].headline


def test_site_tables_are_merged_with_the_defaults():
    site = read_site({"due_days": {"critical": 5}, "categories": {"Serialisation": ["data_integrity"]}})
    assert site.due_days == {"critical": 5, "major": 60, "minor": 90}
    assert site.has_flag("serialisation", "data_integrity")
    assert read_site({}) == Site()
