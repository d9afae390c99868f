"""Values of test blocks: what would be read otherwise than it is written is refused, each slip at its own place."""

import pytest

from policyengine.core.diagnostic import Diagnostic, Severity, Source
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import Compiled, compile_policy

HEAD = """policy p version 1.0.0
rule r "t"
  meets f "1"
  severity minor
  because "b"
  require system.open_system
test "t"
"""
ACCOUNT = 'given accounts is [ { user_id: "a"'


def compiled(given: str) -> Compiled:
    return compile_policy(Source("p.policy", f"{HEAD}{given}\n expect r unknown\n"), vocabulary())


def problems(given: str) -> list[Diagnostic]:
    return [each for each in compiled(given).diagnostics if each.severity is Severity.ERROR]


def pointed(problem: Diagnostic) -> str:
    start = problem.column - 1 - problem.left_out
    return problem.excerpt[start : start + problem.width]


SLIPS = [
    ('given system is { name: "a", name: "b" }', "PE207", "name", "keep one"),
    ("given system.open_system is true\ngiven system.open_system is false", "PE207", "system.open_system", "give it once"),
    ("given system.open_system is true\ngiven system is { open_system: false }", "PE207", "system", "give it once"),
    ('given system.open_system is true\ngiven system is { name: "x" }', "PE207", "system", "give it once"),
    ('given system is { name: "x" }\ngiven system.name is "y"', "PE207", "system.name", "give it once"),
    ("given system.open_system is true incomplete", "PE242", "incomplete", "leave out"),
    ("given system.open_system is true covering 2026-01-01 to 2026-02-01", "PE242", "covering", "leave out"),
    ('given system.data_sets is ["a"] covering 2026-01-01 to 2026-02-01', "PE242", "covering", "leave out"),
    ("given accounts is [] covering 2026-02-01 to 2026-01-01", "PE242", "2026-01-01", "swap"),
    ("given system.name is 2026-03-01", "PE242", "2026-03-01", '"2026-03-01"'),
    ("given system.name is 3", "PE242", "3", "quotation marks"),
    ('given system.open_system is "true"', "PE242", '"true"', "`true` or `false`"),
    ('given system.gamp_category is "4"', "PE242", '"4"', "whole number"),
    ("given evaluation.time is 2026-03-01T08:00:00Z", "PE242", "evaluation.time", "at 2026-03-01T08:00:00Z"),
    ("given evaluation is { time: 2026-03-01T08:00:00Z }", "PE242", "time", "at 2026-03-01T08:00:00Z"),
    ("given accounts is { }", "PE242", "{ }", "brackets"),
    ('given accounts is [ "ann" ]', "PE242", '"ann"', "braces"),
    ('given accounts is [ { user_idd: "a" } ]', "PE201", "user_idd", "user_id"),
    ('given system.data_sets is ["a", "b", "a"]', "PE207", '"a"', "keep one"),
    ("given system.name is [true]", "PE242", "[true]", "one value"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "code", "place", "hint"), SLIPS)
def test_a_slip_in_a_given_value_is_one_error_at_its_place(given: str, code: str, place: str, hint: str) -> None:
    (problem,) = problems(given)
    assert (problem.code, pointed(problem)) == (code, place)
    assert hint in problem.hint


def test_every_wrong_value_of_a_list_is_told_with_the_caret_on_it() -> None:
    found = problems(
        'given accounts is [\n  { user_id: 1, kind: "persn" },\n  { user_id: "b", active: 3,\n    roles: ["x", 5] } ]'
    )
    assert [(each.line, pointed(each)) for each in found] == [(9, "1"), (9, '"persn"'), (10, "3"), (11, "5")]
    assert found[1].hint == "did you mean `person`?"


def test_a_record_may_be_completed_line_by_line() -> None:
    result = compiled('given system is { id: "S" }\ngiven system.open_system is true\ngiven accounts is [] incomplete')
    assert [each.path for each in result.tests[0].given] == [("system",), ("system", "open_system"), ("accounts",)]


def test_blank_text_still_says_that_nothing_is_recorded() -> None:
    assert not problems('given system.retired_on is ""')


@pytest.mark.parametrize("subject", ['["a"]', "{ }"])
def test_a_subject_is_one_text(subject: str) -> None:
    text = f"{HEAD} given system.open_system is true\n expect r pass for {subject}\n"
    found = compile_policy(Source("p.policy", text), vocabulary()).diagnostics
    assert "PE242" in [each.code for each in found]


def test_a_parameter_takes_no_date_for_a_text() -> None:
    text = HEAD.replace("rule r", "parameter site: text = 2026-03-01\nrule r") + " expect r unknown\n"
    found = [
        each for each in compile_policy(Source("p.policy", text), vocabulary()).diagnostics if each.severity is Severity.ERROR
    ]
    assert [(each.code, pointed(each)) for each in found] == [("PE205", "2026-03-01")]
