"""Drafts that a QA reviewer would send back. Each test is one of them; the engine must not be able to write it."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from sample_decision import TITLES, decision_with, finding, rule, sample_decision

from policyengine.core.diagnostic import Refusal
from policyengine.outputs.capa import content_digest, drafts
from policyengine.outputs.capa_markdown import draft_markdown
from policyengine.outputs.effectiveness import judged
from policyengine.outputs.occurrences import seen_again, unchanged
from policyengine.outputs.privacy import WITHHELD
from policyengine.outputs.wording import cut_at_word, settled_by

CITED = [{"name": "mes.cdx.json", "pointer": "/components/17"}]


def one(decision, site=None):
    made = drafts(decision, site or {}, TITLES)
    assert len(made) == 1
    return made[0]


def failing(severity="critical", subject="B-1042", **more):
    given = {key: more.pop(key) for key in ("values", "suggestions", "group", "evidence", "message") if key in more}
    return rule("r", severity, "fail", [finding(subject, **given)], **more)


def test_no_root_cause_and_no_corrective_or_preventive_action_is_made_up():
    for draft in drafts(sample_decision(), {}, TITLES):
        assert draft["root_cause"] is None
        assert {each["type"] for each in draft["actions"]} <= {"containment", "correction"}
        assert all(each["suggested"] is True and each["done_on"] is None for each in draft["actions"])
        assert not re.search("human error|retrain", json.dumps(draft), re.IGNORECASE)


def test_impact_is_never_judged():
    for draft in drafts(sample_decision(), {}, TITLES):
        assert draft["impact"] == dict.fromkeys(("patient", "product", "data", "supply", "filing"))
        assert draft["containment"] is None
        assert all(draft["prompts"][f"impact.{each}"] for each in draft["impact"])


def test_forty_failures_of_one_cause_are_one_draft():
    certificate = {"group_by": ["certificate.id"], "category": None, "owner": None, "due_in_days": None}
    by_group = rule("tls", "major", "fail", [finding(f"host-{i}", group=["cert-1"]) for i in range(40)], capa=certificate)
    draft = one(decision_with(by_group))
    assert draft["affected_total"] == 40
    assert draft["problem"]["how_many"] == "40 of 40 failed"
    assert draft["folded"] is None


@pytest.mark.parametrize(("subjects", "made"), [(10, 10), (11, 1)])
def test_more_than_ten_drafts_of_one_rule_are_folded_into_one_with_a_table(subjects, made):
    many = rule("tls", "major", "fail", [finding(f"host-{i:02}") for i in range(subjects)])
    found = drafts(decision_with(many), {})
    assert len(found) == made
    if made == 1:
        assert found[0]["folded"]["groups"] == 11
        assert [row["first_subject"] for row in found[0]["folded"]["rows"]] == [f"host-{i:02}" for i in range(11)]
        assert "11 groups are folded" in draft_markdown(found[0])


def test_the_folding_threshold_is_the_sites():
    many = rule("tls", "major", "fail", [finding(f"host-{i}") for i in range(4)])
    assert len(drafts(decision_with(many), {"fold_over": 3})) == 1


def test_text_that_was_changed_after_it_was_made_shows_and_a_later_run_changes_none():
    draft = one(decision_with(failing()))
    assert unchanged(draft)
    assert unchanged({**draft, "status": "in_review", "history": [{"actor": "qa"}], "eqms": {"number": "1"}})
    assert not unchanged({**draft, "observed": draft["observed"] + "."})
    later = one(decision_with(failing(), evaluated_at="2026-03-10T06:00:00Z"))
    kept = seen_again({**draft, "status": "in_review"}, later)
    assert [each["at"] for each in kept["occurrences"]] == ["2026-03-09T06:00:00Z", "2026-03-10T06:00:00Z"]
    assert kept["content_digest"] == draft["content_digest"] == content_digest(kept)
    assert seen_again(kept, later) == kept
    with pytest.raises(ValueError, match="changed"):
        seen_again({**draft, "observed": "nothing"}, later)


@pytest.mark.parametrize("phase", ["development", "pre_release"])
def test_no_capa_for_a_build_that_the_gate_stopped(phase):
    assert drafts(decision_with(failing()), {"phase": phase}) == ()


def test_a_phase_that_nobody_states_counts_as_operation():
    nobody = decision_with(failing(), system={"id": "MES-01", "name": None, "gxp_impact": None, "lifecycle_phase": None})
    draft = one(nobody)
    assert (draft["record_type"], draft["phase"], draft["phase_stated"]) == ("capa", "operation", False)


def test_unknown_is_neither_a_failure_nor_nothing():
    cause = {"kind": "absent", "what": "reviews", "evidence": None}
    draft = one(decision_with(rule("at-review", "critical", "unknown", [finding("MES-01", "unknown", causes=[cause])])))
    assert draft["record_type"] == "evidence_request"
    assert draft["unknowns"][0]["settled_by"] == "evidence that provides reviews; none was delivered"
    assert draft["problem"]["what"].startswith("Not decided, and not a failure")
    assert draft["problem"]["how_many"] == "1 of 1 could not be decided; 0 of 1 failed"
    assert draft["effectiveness"] is None
    assert draft["proposed_due_on"] == "2026-03-16"


def test_a_failure_and_an_unknown_of_one_subject_are_two_records():
    both = rule("r", "major", "fail", [finding("MES-01"), finding("MES-01", "unknown")])
    made = drafts(decision_with(both), {})
    assert [each["record_type"] for each in made] == ["deviation", "evidence_request"]
    assert made[0]["external_id"] != made[1]["external_id"]
    assert made[0]["problem"]["how_many"] == "1 of 1 decided failed (2 evaluated, 1 could not be decided)"
    assert made[0]["effectiveness"]["baseline"].startswith("1 of 1 decided (2 evaluated")


def test_an_observation_names_its_subject_not_only_a_pointer():
    draft = one(decision_with(failing(subject="pkg:npm/left-pad@1.3.0", message="hashes missing", evidence=CITED)))
    assert draft["observed"].startswith("pkg:npm/left-pad@1.3.0: hashes missing")
    assert "pkg:npm/left-pad@1.3.0" in draft["problem_statement"]
    assert draft["affected_items"][0]["kind"] == "component"


def test_a_repair_is_not_offered_as_prevention():
    said = {"correction": "Approve the record again", "preventive": "approve the record  again"}
    draft = one(decision_with(failing(suggestions=said)))
    assert [each["type"] for each in draft["actions"]] == ["correction"]
    assert "repair only" in draft["notes"][0]


@pytest.mark.parametrize(
    ("days", "site", "due", "basis"),
    [
        (-3, {}, "2026-03-09", "policy 0 days"),
        (0, {}, "2026-03-09", "policy 0 days"),
        (20, {}, "2026-03-29", "policy 20 days"),
        (90, {}, "2026-04-08", "site table 30 days"),
        (None, {}, "2026-04-08", "site table 30 days"),
        (20, {"no_due_on": ["sunday"]}, "2026-03-28", "policy 20 days, moved from 2026-03-29 which the site forbids"),
        (
            0,
            {"no_due_on": ["monday", "2026-03-10"]},
            "2026-03-11",
            "policy 0 days, moved from 2026-03-09 which the site forbids",
        ),
    ],
)
def test_the_due_date_is_never_in_the_past_nor_on_a_forbidden_day(days, site, due, basis):
    capa = {"category": None, "owner": None, "due_in_days": days, "group_by": []}
    draft = one(decision_with(failing(capa=capa)), site)
    assert (draft["proposed_due_on"], draft["due_basis"]) == (due, basis)
    assert date.fromisoformat(draft["proposed_due_on"]) >= date(2026, 3, 9)


def test_days_are_counted_where_the_site_is():
    late = decision_with(failing(), evaluated_at="2026-03-09T23:30:00Z")
    assert one(late, {"time_zone": "Europe/Zurich"})["proposed_due_on"] == "2026-04-09"
    assert one(late)["proposed_due_on"] == "2026-04-08"


def test_counts_are_exact():
    draft = drafts(sample_decision(), {}, TITLES)[0]
    assert draft["problem"]["how_many"] == "2 of 118 failed"
    assert draft["effectiveness"]["baseline"] == "2 of 118"
    assert draft["effectiveness"]["min_opportunities"] == 177
    assert not re.search("several|many signatures|some ", draft["problem_statement"])


def test_a_draft_of_one_group_says_how_many_of_the_failures_it_covers():
    two = rule("r", "major", "fail", [finding("A"), finding("B")], passed=8)
    assert [each["problem"]["how_many"] for each in drafts(decision_with(two), {})] == [
        "1 of 10 failed; 2 in all for this rule"
    ] * 2
    for draft in drafts(decision_with(two), {}):
        assert draft["effectiveness"]["baseline"] == "1 of 10"
        assert draft["risk"]["probability"]["rationale"].startswith("1 of 10 failed")


def test_where_every_subject_failed_no_draft_of_them_is_rare():
    two = rule("r", "major", "fail", [finding("A"), finding("B")])
    assert [each["risk"]["probability"]["value"] for each in drafts(decision_with(two), {})] == [4, 4]


def test_what_is_not_yet_due_is_not_among_the_decided():
    due = rule("r", "major", "fail", [finding("A"), finding("B", "not_yet_due")], passed=1)
    draft = one(decision_with(due))
    assert draft["problem"]["how_many"] == "1 of 2 decided failed (3 evaluated, 1 not yet due)"
    assert draft["effectiveness"]["baseline"] == "1 of 2 decided (3 evaluated, 1 not yet due)"


def test_titles_say_that_it_was_not_met_and_differ_within_a_rule():
    long = "Every shipped pack was commissioned and packed and sent to a partner who is authorised to receive it on that day"
    both = rule("r", "major", "fail", [finding("urn:epc:id:sscc:1"), finding("urn:epc:id:sscc:2")], title=long)
    titles = [each["title"] for each in drafts(decision_with(both), {})]
    assert len(set(titles)) == 2
    for title in titles:
        assert title.startswith("Not met: Every shipped pack")
        assert len(title) <= 120
    assert not drafts(decision_with(both), {})[0]["short_description"][0].isdigit()


def test_when_names_the_time_that_the_finding_holds():
    at = "2026-03-01T10:00:00Z"
    draft = one(decision_with(failing(values={"event.time": at, "item.due_on": "2026-05-01", "event.reason": "x"})))
    assert draft["problem"]["when"].startswith(f"Occurred: {at} (event.time); seen by the evaluation at ")
    draft = one(decision_with(failing(subject=f"EV-1@{at}")))
    assert draft["problem"]["when"].startswith(f"Occurred: {at} (subject); seen")
    assert one(decision_with(failing()))["problem"]["when"].startswith("seen by the evaluation at ")


def test_the_signature_of_the_decision_is_not_said_to_be_missing():
    page = draft_markdown(one(decision_with(failing())))
    (line,) = (each for each in page.splitlines() if each.startswith("| D1 "))
    assert "none stated" not in line
    assert "checked by `policyengine verify`" in line
    assert "digest is that of the judged content" in page


@pytest.mark.parametrize(
    ("what", "said"),
    [("accounts: 1 of 20 rows could not be read (line 3: x)",
      "all of accounts for the whole period that the rule asks about; so far: 1 of 20 rows could not be read (line 3: x)"),
     ("events covers nothing before 2026", "all of events for the whole period that the rule asks about; so far: covers nothing before 2026"),
     ("events", "all of events for the whole period that the rule asks about")],
)  # fmt: skip
def test_a_request_names_the_list_and_the_period_before_the_reason(what, said):
    assert settled_by({"kind": "incomplete", "what": what}) == said


def test_owner_and_approver_are_two_people():
    capa = {"category": None, "owner": "QA Lead", "due_in_days": None, "group_by": []}
    same = {"owners": {"QA Lead": "u1"}, "qa_approver": "u1"}
    with pytest.raises(Refusal, match="PE882"):
        drafts(decision_with(failing(capa=capa)), same)
    draft = one(decision_with(failing(capa=capa)), {"owners": {"QA Lead": "u1"}, "qa_approver": "u2"})
    assert (draft["owner"], draft["qa_approver"]) == ("u1", "u2")


@pytest.mark.parametrize(
    ("failed", "opportunities", "result"), [(0, 0, None), (0, 299, None), (0, 300, "effective"), (1, 0, "not_effective")]
)
def test_nothing_is_effective_without_opportunities(failed, opportunities, result):
    assert judged(failed, opportunities, 300) == result
    assert judged(0, 0, 0) is None


def test_evidence_always_has_a_digest():
    cited = [*CITED, {"name": "lost.json", "pointer": "/1"}]
    draft = one(decision_with(failing(evidence=cited)))
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", each["digest"]) for each in draft["evidence"])
    assert "lost.json" not in {each["name"] for each in draft["evidence"]}
    assert "`lost.json` without a digest" in draft["notes"][0]


@pytest.mark.parametrize("evidence", [[], CITED, [{"name": "lost.json", "pointer": ""}]])
def test_every_claim_has_evidence(evidence):
    draft = one(decision_with(failing(evidence=evidence)))
    known = {each["ref"] for each in draft["evidence"]}
    assert all(each["evidence_refs"] and set(each["evidence_refs"]) <= known for each in draft["observations"])
    assert all(each["evidence_ref"] in known for each in draft["timeline"])


SECRETS = (
    "ghp_" + "a" * 36,
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln",
    "password=hunter2",
    "https://jdoe:s3cret@example.test/x",
    "-----BEGIN PRIVATE KEY-----",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_withheld_everywhere(secret):
    draft = one(
        decision_with(failing(subject=f"s {secret}", message=f"m {secret}", values={"event.reason": secret}, group=[secret],
                              suggestions={"correction": f"use {secret}"},
                              capa={"group_by": ["event.reason"], "category": None, "owner": None, "due_in_days": None}))
    )  # fmt: skip
    assert secret not in json.dumps(draft)
    assert secret not in draft_markdown(draft)
    assert WITHHELD in draft["observed"]


def test_personal_data_beyond_id_and_name_is_withheld():
    values = {"actor.user_id": "ann@example.test", "actor.name": "Ann Weber", "actor.phone": "+41 79 000", "actor.birth_date": "1980-01-01",
              "actor.home_address": "Rue 1", "event.reason": "ask bob@example.test"}  # fmt: skip
    draft = one(decision_with(failing(values=values, message="by ann@example.test, see bob@example.test")))
    shown = {each["path"]: each["value"] for each in draft["observations"][0]["values"]}
    assert (shown["actor.user_id"], shown["actor.name"]) == ("ann@example.test", "Ann Weber")
    assert {shown[key] for key in ("actor.phone", "actor.birth_date", "actor.home_address")} == {WITHHELD}
    assert "bob@example.test" not in json.dumps(draft)
    assert draft["observations"][0]["message"] == f"by ann@example.test, see {WITHHELD}"


def test_a_purl_is_not_taken_for_an_address():
    draft = one(decision_with(failing(subject="pkg:npm/a@1.3.0", message="left-pad@1.3.0 and pkg:npm/b@2.0.0-rc.1")))
    assert "left-pad@1.3.0 and pkg:npm/b@2.0.0-rc.1" in draft["observed"]


@pytest.mark.parametrize("hostile", ['=cmd|"/C calc"!A0', "<img src=x onerror=alert(1)>", "@SUM(1)", "+1", "-1"])
def test_formulas_and_markup_stay_text(hostile):
    draft = one(decision_with(failing(subject=hostile, message=hostile)))
    assert draft["affected_items"][0]["id"] == hostile
    page = draft_markdown(draft)
    for line in page.splitlines():
        assert not re.match(r"\s*(=|@|<|\+)", line)
    assert "<img" not in re.sub(r"`[^`\n]*`", "", page).replace("\\<", "")


def test_a_title_is_cut_between_words_and_the_whole_is_kept():
    words = "Every approval of a batch record is given by a second person who did not write any version of it and who was trained before that day"
    draft = one(decision_with(failing(title=words)))
    assert len(draft["title"]) <= 120
    assert draft["title_full"] == f"Not met: {words}, B-1042 - MES-01 4.2.0"
    assert draft["title"].endswith("…, B-1042")
    assert draft["title_full"].startswith(draft["title"].removesuffix("…, B-1042") + " ")
    assert len(draft["short_description"]) <= 512
    assert cut_at_word("a" * 200, 120) == "a" * 119 + "…"


def test_one_check_of_effectiveness_not_two_that_differ():
    said = "No such signature in the next 30 days."
    draft = one(decision_with(failing(suggestions={"effectiveness": said})))
    check = draft["effectiveness"]
    assert (check["text"], check["target"], check["window_days"], check["min_opportunities"]) == (said, None, None, None)
    page = draft_markdown(draft)
    assert "30 days" in page
    assert "60 days" not in page.split("## For people")[0].split("## Suggestions")[1]
