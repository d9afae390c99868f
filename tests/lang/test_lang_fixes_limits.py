"""Sizes that no policy needs end in a report with a name; huge values of evidence end in unknown, never in a crash."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from policyengine.core.canonical import digest_of
from policyengine.core.coerce import Mismatch, Reader
from policyengine.core.diagnostic import Severity, Source
from policyengine.core.model import Collection, Completeness, EvidenceSet, Record
from policyengine.core.outcome import Outcome
from policyengine.core.vocabulary import FieldType, parse_vocabulary, vocabulary
from policyengine.engine.reference import evaluate
from policyengine.lang.compile import Compiled, compile_policy
from policyengine.lang.names import DEEPEST_PLAN
from policyengine.lang.plan import depth_of, nodes

RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'
NOW = datetime(2026, 4, 1, tzinfo=UTC)
EVALUATION = Record("evaluation", {"time": NOW})


def compiled(text: str) -> Compiled:
    return compile_policy(Source("p.policy", "policy p version 1.0.0\n" + text), vocabulary())


def errors(text: str) -> list[Any]:
    return [each for each in compiled(text).diagnostics if each.severity is Severity.ERROR]


def outcome(clauses: str, **roots: object) -> Outcome:
    plan = compiled(RULE + clauses).plan
    assert plan is not None, [each.render() for each in compiled(RULE + clauses).diagnostics]
    (result,) = evaluate(plan, EvidenceSet({"evaluation": EVALUATION, **roots}))  # type: ignore[arg-type]
    return result.outcome


def test_a_path_that_goes_round_and_round_meets_the_plan_depth() -> None:
    own = parse_vocabulary("changes: change[] # site register\n# types\nchange: id! text, follows change\n")
    text = "policy p version 1.0.0\n" + RULE + f" for each c in changes\n require c{'.follows' * 400}.id is recorded\n"
    made = compile_policy(Source("p.policy", text), own)
    (problem,) = [each for each in made.diagnostics if each.severity is Severity.ERROR]
    assert problem.code == "PE211"
    assert "`plan depth` of 150" in problem.message


def test_the_deepest_condition_that_compiles_is_evaluated_and_digested() -> None:
    deepest = ""
    for levels in range(1, 80):
        condition = "system.open_system"
        for level in range(levels):
            condition = f"({condition} {'and' if level % 2 else 'or'} system.open_system)"
        if errors(RULE + f" require {condition}\n"):
            break
        deepest = condition
    plan = compiled(RULE + f" require {deepest}\n").plan
    assert plan is not None
    assert 80 < depth_of(plan["rules"][0]) <= DEEPEST_PLAN
    assert digest_of(plan)
    assert outcome(f" require {deepest}\n", system=Record("system", {"open_system": True})) is Outcome.PASS
    assert outcome(f" require {deepest}\n", system=Record("system", {})) is Outcome.UNKNOWN


def test_brackets_inside_each_other_in_a_test_end_in_a_report() -> None:
    assert errors(
        RULE + ' require system.open_system\ntest "t"\n given system.name is ' + "[" * 190 + "]" * 190 + "\n expect r pass\n"
    )


@pytest.mark.parametrize(
    "length", ["1001 years", "12001 months", "400000 days", "99999999999999999999 seconds", "9" * 150 + " days"]
)
def test_a_length_of_time_beyond_a_thousand_years_is_out_of_range(length: str) -> None:
    for text in (
        RULE + f" for each c in changes\n require date of c.time is within {length} before date of evaluation.time\n",
        f"parameter longest: {'period' if 'years' in length or 'months' in length else 'duration'} = {length}\n" + RULE
        + " for each c in changes\n require date of c.time is within longest before date of evaluation.time\n",
    ):  # fmt: skip
        problem = errors(text)[0]
        assert problem.code in ("PE237", "PE205")
        assert "out of range" in problem.message
    assert not errors(
        RULE + " for each c in changes\n require date of c.time is within 1000 years before date of evaluation.time\n"
    )


LATE, EARLY = datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("when", [LATE, EARLY])
@pytest.mark.parametrize("clauses", [
    " require c.time + 900 years is after 2026-01-01\n".replace("c.time", "date of c.time"),
    " require c.time is within 300000 days of evaluation.time\n",
    " require (c.time - 300000 days) is before evaluation.time or c.time + 300000 days is before evaluation.time\n",
    " require date of c.closed_at is recorded within 900 years after date of c.time\n",
    " require (x in changes) recur at least every 300000 days from c.time to evaluation.time\n",
    " require c is preceded within 300000 days by x in reviews\n",
    " require c is followed within 300000 days by x in reviews\n",
])  # fmt: skip
def test_times_at_the_ends_of_the_calendar_never_end_in_an_error(clauses: str, when: datetime) -> None:
    changes = Collection((Record("change", {"id": "C", "time": when}),), Completeness.COMPLETE)
    reviews = Collection((), Completeness.COMPLETE)
    assert outcome(" for each c in changes\n" + clauses, changes=changes, reviews=reviews) is not Outcome.ERROR


def test_a_sum_of_lengths_that_no_calendar_holds_is_unknown() -> None:
    longest = Record("exercise", {"id": "E", "achieved_time": timedelta.max})
    exercises = Collection((longest, longest), Completeness.COMPLETE)
    assert (
        outcome(" require sum x.achieved_time of (x in exercises) is at most 3 days\n", exercises=exercises) is Outcome.UNKNOWN
    )


@pytest.mark.parametrize(("kind", "raw"), [
    ("decimal", Decimal("1e999999999")), ("decimal", "1e-999999999"), ("int", Decimal("1e999999999")), ("int", "0e999999999"),
    ("duration", 10**30), ("duration", "9" * 5000 + " days"), ("duration", "P99999999999D"), ("period", "9" * 5000 + " years"),
])  # fmt: skip
def test_a_number_too_large_to_reckon_with_is_refused_where_it_is_read(kind: str, raw: object) -> None:
    with pytest.raises(Mismatch):
        Reader(vocabulary()).value(FieldType(kind), raw)


def test_the_plan_walk_still_sees_every_node() -> None:
    plan = compiled(RULE + " require system.open_system and not system.open_system\n").plan
    assert plan is not None
    assert [each["op"] for each in nodes(plan["rules"])] == ["and", "field", "root", "not", "field", "root"]
