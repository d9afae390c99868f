"""What an explanation cites: the members that belong to the subject, never the one that happened to be tried last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from policyengine.core.diagnostic import Severity, Source
from policyengine.core.model import Collection, Completeness, EvidenceSet, Origin, Record
from policyengine.core.outcome import Outcome
from policyengine.core.vocabulary import vocabulary
from policyengine.engine.findings import Finding
from policyengine.engine.reference import evaluate
from policyengine.lang.compile import compile_policy

HEAD = """policy p version 1.0.0 language 2
  title "T"
  owner "O"
rule r "R"
  supports dscsa "SYS"
  severity major
  because "B."
"""
BATCH = '  for each batch in batches\n  require {}\n    message "{{batch.id}}"\n'
REVIEWED = BATCH.format(
    'some review in reviews where review.subject_id is batch.id and review.kind is "audit_trail"\n'
    "      and review.time is on or before batch.released_at"
)
RELEASED = datetime(2026, 3, 10, 15, tzinfo=UTC)
EARLY, LATE = datetime(2026, 3, 10, 9, tzinfo=UTC), datetime(2026, 3, 10, 18, tzinfo=UTC)
B1 = {"id": "B1", "released_at": RELEASED}


def review(subject: str, time: datetime | None = LATE, kind: str = "audit_trail") -> dict[str, Any]:
    return {"subject_id": subject, "kind": kind, "time": time}


def listed(kind: str, *rows: Mapping[str, Any], state: Completeness = Completeness.COMPLETE) -> Collection:
    name = f"{kind}.jsonl"
    records = (
        Record(kind, {k: v for k, v in row.items() if v is not None}, Origin(name, f"line {number}"))
        for number, row in enumerate(rows, 1)
    )
    return Collection(tuple(records), state, origin=Origin(name))


def found(rule: str, **roots: Collection) -> tuple[Finding, ...]:
    compiled = compile_policy(Source("p.policy", HEAD + rule), vocabulary())
    errors = [each.render() for each in compiled.diagnostics if each.severity is Severity.ERROR]
    assert not errors, "\n".join(errors)
    now = Record("evaluation", {"time": datetime(2026, 4, 1, tzinfo=UTC)})
    (result,) = evaluate(compiled.plan, EvidenceSet({**roots, "evaluation": now}))
    return result.findings


def cited(finding: Finding, source: str) -> list[str]:
    return sorted({v.origin.pointer for v in finding.values if v.origin and v.origin.name == source})


def values(finding: Finding) -> set[tuple[str, str | None]]:
    return {(each.path, each.value) for each in finding.values}


def test_the_late_review_of_the_batch_is_cited_and_not_the_last_row():
    rows = review("B0"), review("B1"), review("B9", EARLY, "post_change")
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert finding.outcome is Outcome.FAIL
    assert finding.origins == (Origin("batch.jsonl", "line 1"),)
    assert cited(finding, "review.jsonl") == ["line 2"]
    assert {("review.time", "2026-03-10T18:00:00Z"), ("batch.released_at", "2026-03-10T15:00:00Z")} <= values(finding)


def test_without_a_near_miss_the_list_as_a_whole_is_cited_and_the_subject_is_shown():
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=listed("review", review("B0"), review("B9")))
    assert cited(finding, "review.jsonl") == [""]
    assert {("reviews", "2 members"), ("batch.id", "B1"), ("batch.released_at", "2026-03-10T15:00:00Z")} <= values(finding)


def test_an_empty_list_is_cited_as_a_whole():
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=listed("review"))
    assert finding.outcome is Outcome.FAIL
    assert cited(finding, "review.jsonl") == [""]
    assert ("reviews", "0 members") in values(finding)


def test_a_list_without_a_place_of_its_own_is_cited_by_the_files_of_its_members():
    rows = listed("review", review("B0"), review("B9"))
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=Collection(rows.items, Completeness.COMPLETE))
    assert cited(finding, "review.jsonl") == [""]


def test_of_the_members_of_the_subject_those_count_for_which_most_held_and_at_most_three_in_list_order():
    rows = review("B1", LATE, "post_change"), *(review("B1") for _ in range(4)), review("B9", EARLY)
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 2", "line 3", "line 4"]


def test_a_key_in_a_filter_of_the_list_is_a_key_too():
    rule = BATCH.format(
        "some review in (each in reviews where each.subject_id is batch.id) where review.time is on or before batch.released_at"
    )
    rows = review("B0"), review("B1"), review("B9", EARLY)
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 2"]


def test_no_condition_ties_the_member_to_the_subject():
    rule = BATCH.format('some review in reviews where review.kind is "access"')
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", review("B1"), review("B2")))
    assert cited(finding, "review.jsonl") == [""]


def test_an_unknown_is_cited_by_the_member_that_leaves_it_open():
    rows = review("B1"), review("B1", None), review("B9", EARLY)
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert finding.outcome is Outcome.UNKNOWN
    assert cited(finding, "review.jsonl") == ["line 2"]
    assert ("review.time", None) in values(finding)


def test_an_incomplete_list_is_cited_by_its_near_misses():
    rows = listed("review", review("B0"), review("B1"), review("B9"), state=Completeness.INCOMPLETE)
    (finding,) = found(REVIEWED, batches=listed("batch", B1), reviews=rows)
    assert finding.outcome is Outcome.UNKNOWN
    assert cited(finding, "review.jsonl") == ["line 2"]


@pytest.mark.parametrize("forbidden", ["no {}", "not (some {})"])
def test_what_must_not_be_there_is_cited_at_most_three_times(forbidden):
    rule = BATCH.format(forbidden.format("review in reviews where review.subject_id is batch.id"))
    rows = review("B0"), *(review("B1") for _ in range(4)), review("B9")
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 2", "line 3", "line 4"]


def test_a_witness_is_cited_once():
    rule = BATCH.format('not ((some review in reviews where review.subject_id is batch.id) and batch.id is "B1")')
    rows = review("B0"), review("B1"), review("B1"), review("B9")
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 2"]


def test_every_is_cited_by_its_counterexamples():
    rule = BATCH.format(
        "every review in reviews where review.subject_id is batch.id\n      satisfies review.time is on or before batch.released_at"
    )
    rows = review("B1", EARLY), review("B1"), review("B1", EARLY), review("B1"), review("B9")
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 2", "line 4"]
    assert ("batch.id", "B1") in values(finding)


def test_the_latest_is_cited_by_the_newest_and_not_by_the_last():
    rule = BATCH.format(
        'the latest review in reviews where review.subject_id is batch.id\n      satisfies review.kind is "access"'
    )
    rows = review("B1", LATE), review("B1", EARLY), review("B9", LATE)
    (finding,) = found(rule, batches=listed("batch", B1), reviews=listed("review", *rows))
    assert cited(finding, "review.jsonl") == ["line 1"]


ANSWERED = """  for each request in verification_requests
  require request is followed within 24 hours by reply in verification_replies where reply.request_id is request.id
    message "{request.id}"
"""


def test_a_late_answer_is_shown_with_its_time():
    asked = {"id": "V2", "time": datetime(2026, 3, 29, 10, tzinfo=UTC)}
    replies = [{"request_id": f"V{n}", "time": datetime(2026, 3, 30, 12 + n, tzinfo=UTC)} for n in (1, 2, 3)]
    (finding,) = found(ANSWERED, verification_requests=listed("request", asked), verification_replies=listed("reply", *replies))
    assert finding.outcome is Outcome.FAIL
    assert cited(finding, "reply.jsonl") == ["line 2"]
    assert {("reply.time", "2026-03-30T14:00:00Z"), ("request.time", "2026-03-29T10:00:00Z")} <= values(finding)


def test_a_list_of_the_subject_that_decided_is_shown_and_so_is_its_member():
    rule = """  for each requirement in requirements
  require every name in requirement.verified_by satisfies (some run in test_results where run.passed_tests contains name)
    message "{requirement.id}"
"""
    needs = {"id": "U1", "verified_by": ("T1", "T9")}
    runs = {"passed_tests": ("T1",)}, {"passed_tests": ("T2",)}
    (finding,) = found(rule, requirements=listed("requirement", needs), test_results=listed("run", *runs))
    assert {("requirement.verified_by", "T1, T9"), ("name", "T9"), ("test_results", "2 members")} <= values(finding)
    assert cited(finding, "run.jsonl") == [""]


def test_two_subjects_of_one_key_are_told_apart_by_their_own_rows():
    partners = listed("partner", {"gln": "1", "authorised_until": date(2026, 1, 1)}, {"gln": "2"})
    rule = BATCH.format("some partner in trading_partners where partner.gln is batch.id")
    findings = found(rule, batches=listed("batch", B1, B1), trading_partners=partners)
    assert [each.subject for each in findings] == ["B1", "B1 #2"]
    assert [each.origins for each in findings] == [(Origin("batch.jsonl", "line 1"),), (Origin("batch.jsonl", "line 2"),)]
