"""`during` over dates, variables of aggregates, and what the source of a list says of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.core.diagnostic import Severity, Source
from policyengine.core.model import Collection, Completeness, EvidenceSet, Record
from policyengine.core.outcome import CauseKind, Outcome
from policyengine.core.vocabulary import vocabulary
from policyengine.engine.findings import RuleResult
from policyengine.engine.reference import evaluate
from policyengine.lang.compile import compile_policy
from policyengine.lang.plan import nodes

RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def compiled(text: str) -> Any:
    return compile_policy(Source("p.policy", "policy p version 1.0.0\n" + RULE + text), vocabulary())


def result(text: str, **roots: Any) -> RuleResult:
    made = compiled(text)
    assert made.plan is not None, [each.render() for each in made.diagnostics]
    (found,) = evaluate(made.plan, EvidenceSet({"evaluation": Record("evaluation", {"time": NOW}), **roots}))
    return found


def _dated_list() -> tuple[str, str]:
    for root in vocabulary().roots.values():
        declared = vocabulary().types.get(root.type.name)
        if root.type.many and declared and declared.time_field and declared.fields[declared.time_field].name == "date":
            return root.name, declared.time_field
    raise AssertionError("no list of the vocabulary has a date as its time")


def test_during_over_dates_says_why_not_and_what_to_write_and_that_compiles() -> None:
    name, time = _dated_list()
    made = compiled(f" require no x in {name} during 2026-01-01T00:00:00Z to evaluation.time\n")
    (problem,) = [each for each in made.diagnostics if each.severity is Severity.ERROR]
    assert problem.code == "PE238"
    assert problem.message == f"`during` needs instants, and the time of {name}, `{time}`, is a date"
    advice = problem.hint.removeprefix("write `").removesuffix("`").replace("2026-01-01T00:00:00Z", "evaluation.period_from")
    assert compiled(f" require count of {advice} is 0\n").plan is not None


AGGREGATES = [
    ' require smallest e.sequence of (e in audit_trail.events where e.kind is "record.sign") is 2\n',
    ' require no gap in e.sequence of (e in audit_trail.events where e.kind is "record.sign")\n',
    ' require count of distinct e.sequence of (e in audit_trail.events where e.kind is "record.sign") is 2\n',
]


@pytest.mark.parametrize("clause", AGGREGATES)
def test_filter_and_value_of_an_aggregate_have_variables_of_their_own(clause: str) -> None:
    rule = compiled(clause).plan["rules"][0]
    bound = [node["var"] for node in nodes(rule) if "var" in node]
    assert len(bound) == len(set(bound)) == 2
    for node in nodes(rule):
        if "value" in node and "var" in node:
            assert {each["name"] for each in nodes(node["value"]) if each["op"] == "var"} == {node["var"]}
    events = [("record.view", 1), ("record.sign", 2), ("record.sign", 3)]
    trail = Collection(
        tuple(Record("audit_event", {"id": str(n), "kind": k, "sequence": n}) for k, n in events), Completeness.COMPLETE
    )
    assert result(clause, audit_trail=Record("audit_trail", {"events": trail})).outcome is Outcome.PASS


def accounts(state: Completeness = Completeness.COMPLETE, until: datetime | None = None) -> Collection:
    return Collection((Record("account", {"user_id": "a"}),), state, covers_until=until)


COMPLETE = ' require accounts.completeness is "complete"\n'
COVERED = " require accounts.covers_until is on or after evaluation.time\n"
SAID = [
    (COMPLETE, {"accounts": accounts()}, Outcome.PASS),
    (COMPLETE, {"accounts": accounts(Completeness.INCOMPLETE)}, Outcome.FAIL),
    (COMPLETE, {"accounts": accounts(Completeness.NOT_STATED)}, Outcome.UNKNOWN),
    (COMPLETE, {"accounts": accounts(Completeness.ABSENT)}, Outcome.UNKNOWN),
    (COMPLETE, {}, Outcome.UNKNOWN),
    (COVERED, {"accounts": accounts(until=NOW)}, Outcome.PASS),
    (COVERED, {"accounts": accounts(until=datetime(2026, 3, 1, tzinfo=UTC))}, Outcome.FAIL),
    (COVERED, {"accounts": accounts()}, Outcome.UNKNOWN),
    (COVERED, {}, Outcome.UNKNOWN),
    (" require accounts.covers_from is not recorded\n", {"accounts": accounts()}, Outcome.PASS),
    (" require sbom.components.completeness is \"complete\"\n", {"sbom": Record("sbom", {})}, Outcome.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "roots", "expected"), SAID)
def test_what_the_source_of_a_list_says_can_be_asked(clause: str, roots: dict[str, Any], expected: Outcome) -> None:
    assert result(clause, **roots).outcome is expected


def test_silence_about_coverage_opens_no_deviation() -> None:
    """It is no missing field of a row, so that ``if unknown, fail`` leaves it open."""
    found = result(COVERED.rstrip() + ", if unknown, fail\n", accounts=accounts())
    assert found.outcome is Outcome.UNKNOWN
    assert [cause.kind for cause in found.findings[0].causes] == [CauseKind.INCOMPLETE]


def test_what_is_stated_is_an_operation_of_the_plan_with_its_type() -> None:
    made = compiled(COMPLETE + COVERED).plan
    stated = [node for node in nodes(made["rules"]) if node["op"] == "stated"]
    accounts_node = {"op": "root", "name": "accounts", "type": "account", "many": True}
    assert stated == [
        {"op": "stated", "of": accounts_node, "what": "completeness", "type": "enum"},
        {"op": "stated", "of": accounts_node, "what": "covers_until", "type": "timestamp"},
    ]


@pytest.mark.parametrize(("clause", "code"), [
    (' require accounts.completeness is "not_stated"\n', "PE204"), (' require accounts.completness is "complete"\n', "PE220"),
    (" for each a in accounts\n require a.covers_until is recorded\n", "PE201"),
])  # fmt: skip
def test_only_a_list_has_completeness_and_only_the_values_that_a_source_states(clause: str, code: str) -> None:
    assert [each.code for each in compiled(clause).diagnostics if each.severity is Severity.ERROR] == [code]
