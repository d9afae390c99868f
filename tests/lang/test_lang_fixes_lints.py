"""Two lints against the silent hole, and the shipped library, which no lint has anything to say about."""

from typing import Any

import pytest

from policyengine.core.diagnostic import Diagnostic, Source
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import compile_policy
from policyengine.packs.frameworks import control_ids, load_frameworks
from policyengine.packs.library import PolicyFile, compile_all, find_policies, shipped

RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'
UNKNOWN = 'test "t"\n expect r unknown\n'


def warned(text: str, code: str) -> list[Diagnostic]:
    made = compile_policy(Source("p.policy", "policy p version 1.0.0\n" + text), vocabulary())
    assert made.plan is not None, [each.render() for each in made.diagnostics]
    return [each for each in made.diagnostics if each.code == code]


def pointed(problem: Diagnostic) -> str:
    return problem.excerpt[problem.column - 1 : problem.column - 1 + problem.width]


EVERY = " require every a in accounts satisfies a.active\n"


def test_every_over_a_list_that_no_test_leaves_open_is_a_warning() -> None:
    (problem,) = warned(RULE + EVERY, "PE310")
    assert pointed(problem) == "every"
    assert "every a in accounts, if there are any, .." in problem.hint


@pytest.mark.parametrize("text", [RULE + EVERY + UNKNOWN, RULE + EVERY.replace("accounts", "accounts, if there are any,")])
def test_every_is_no_warning_where_the_author_said_what_nothing_means(text: str) -> None:
    assert not warned(text, "PE310")


STRAYS = [
    (" require some a in accounts where a.active and system.open_system\n", "system.open_system", "require"),
    (" require no a in accounts where a.active and (some g in grants where g.role is \"x\")\n", '(some g in grants where g.role is "x")', "require"),
    (" require every a in accounts where system.open_system satisfies a.active\n", "system.open_system", "require"),
    (" require every a in accounts satisfies a.active and system.open_system\n", "system.open_system", "require"),
    (" require count of (a in accounts where system.open_system) is 1\n", "system.open_system", "require"),
    (" for each a in accounts where a.active and system.open_system\n require a.active\n", "system.open_system", "applies when"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "place", "advice"), STRAYS)
def test_a_condition_that_does_not_mention_its_variable_is_a_warning(clause: str, place: str, advice: str) -> None:
    (problem,) = warned(RULE + clause, "PE311")
    assert pointed(problem).strip("()") == place.strip("()")
    assert f"`{advice}`" in problem.hint


@pytest.mark.parametrize("clause", [
    " require some a in accounts where a.active or system.open_system\n",
    " require some a in accounts where (some g in grants where g.user_id is a.user_id)\n",
    " for each a in accounts\n require some g in grants where g.user_id is a.user_id and (if a.active then g.role is \"x\")\n",
])  # fmt: skip
def test_a_condition_that_mentions_it_somewhere_is_none(clause: str) -> None:
    assert not warned(RULE + clause, "PE311")


def test_a_filter_on_the_field_that_may_be_missing_is_a_warning_that_says_what_it_hides() -> None:
    rule = (
        RULE
        + " for each c in changes where c.major and c.approved_at is recorded\n require c.approved_at is before c.implemented_at\n"
    )
    (problem,) = warned(rule, "PE321")
    assert pointed(problem) == "c.approved_at is recorded"
    assert problem.message == "a change without `c.approved_at` is not judged, so this rule never finds what is missing"
    assert problem.hint == "choose by another field, and write `require c.approved_at is recorded and ..`"
    assert not warned(rule.replace("is recorded", "is not recorded"), "PE321")


def test_no_warning_in_the_shipped_library() -> None:
    controls = control_ids(load_frameworks())
    made = compile_all(find_policies([shipped("policies")]), controls)
    assert len(made) > 5
    assert [each.render() for result in made for each in result.diagnostics] == []


FOUR = """policy p version 1.0.0
rule first "t"
  meets f "1"
  severity minor
  because "b"
  for each component in sbom.components
  require component.suplier.name is recorded
  require component.type is "librry"
  require component.name is 3
  require component.name is recorded recorded
"""


def test_four_mistakes_of_four_kinds_are_told_through_the_library_too() -> None:
    healthy = PolicyFile("ok.policy", b"policy q version 1.0.0\n")
    wrong, right = compile_all([PolicyFile("p.policy", FOUR.encode()), healthy], {"f": ["1"]})
    found: list[Any] = [(each.file, each.line, each.column, each.code) for each in wrong.diagnostics]
    assert found == [
        ("p.policy", 7, 21, "PE201"), ("p.policy", 8, 29, "PE204"), ("p.policy", 9, 11, "PE224"), ("p.policy", 10, 38, "PE101"),
    ]  # fmt: skip
    assert [bool(each.hint) for each in wrong.diagnostics] == [True, True, True, True]
    assert (wrong.plan, right.plan is None) == (None, False)
