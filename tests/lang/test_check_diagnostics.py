"""The checker: each mistake has its code, its place and a hint; several are told in one run; hostile sizes end in a report."""

import pytest

from policyengine.core.diagnostic import Diagnostic, Severity, Source
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import Compiled, compile_policy

HEAD = "policy p version 1.0.0\n"
RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'


def compiled(text: str, **options: object) -> Compiled:
    return compile_policy(Source("p.policy", HEAD + text), vocabulary(), **options)  # type: ignore[arg-type]


def errors(result: Compiled) -> list[Diagnostic]:
    return [each for each in result.diagnostics if each.severity is Severity.ERROR]


def test_four_mistakes_of_four_kinds_are_all_told() -> None:
    result = compiled(
        RULE + " for each c in sbom.components\n require c.suplier.name is recorded\n"
        ' require c.type is "librry"\n require c.name is 3\n require c.custom is is true\n'
    )
    found = [(each.code, each.line, each.column) for each in errors(result)]
    assert found == [("PE201", 7, 12), ("PE204", 8, 20), ("PE224", 9, 10), ("PE101", 10, 22)]
    assert all(each.hint for each in errors(result))
    assert errors(result)[0].hint == "did you mean `supplier`?"
    assert errors(result)[1].hint == "did you mean `library`?"
    assert result.plan is None


def test_an_unknown_field_is_drawn_with_its_caret_and_the_fields_there_are() -> None:
    (problem,) = errors(
        compiled(RULE + " for each component in sbom.components\n require component.suplier.name is recorded\n")
    )
    headline, line, caret, note = problem.render().splitlines()
    assert headline == "p.policy:7:20: error[PE201]: there is no field `suplier` in a component"
    assert line.index("suplier") == caret.index("^^^^^^^ did you mean `supplier`?")
    assert note.startswith("  = fields of component: bom_ref, type, name,")


E = " for each e in changes\n"
C = " for each c in sbom.components\n"
MISTAKES = [
    (RULE + " require sytem.open_system\n", "PE200", "`system`"),
    (RULE + " for each system in systems\n require system.open_system\n", "PE203", "each_system"),
    (RULE + E + " require (some e in accounts where e.active)\n", "PE203", "each_e"),
    (RULE + ' for each x in audit_trail.events where x.kind is "record.modfy"\n require x.reason is recorded\n', "PE204", "record.modify"),
    (RULE + " require system.open_system\n" + RULE + " require system.open_system\n", "PE207", "another name"),
    ("let a be b\nlet b be a\n" + RULE + " require a\n", "PE208", "come back"),
    ("define f(s: system) as f(s)\n" + RULE + " require f(system)\n", "PE208", "come back"),
    ("define f(s: system) as s.open_system\n" + RULE + " require f(system, system)\n", "PE209", "f(s: system)"),
    ("define f(s: system) as s.open_system\n" + RULE + " require f(system.name)\n", "PE209", "f(s: system)"),
    (RULE + " for each a in accounts\n require accounts.active\n", "PE220", "some x in"),
    (RULE + " require system.name\n", "PE221", "compare it"),
    (RULE + " require share of (u in component_uses) is at most 40%\n", "PE222", "where"),
    (RULE + " require count of accounts + 1 is 2\n", "PE222", "is at least 1"),
    (RULE + ' for each a in accounts\n require a.roles is "x"\n', "PE224", "contains"),
    (RULE + " require system.open_system is more than true\n", "PE225", "is one of"),
    (RULE + E + " require e.time is at least e.approved_at\n", "PE226", "on or after"),
    (RULE + " require accounts is recorded\n", "PE228", "some x in accounts"),
    (RULE + " require system.name matches system.id\n", "PE230", "in quotes"),
    (RULE + E + " require date of e.time is before e.closed_at\n", "PE232", "date of e.closed_at"),
    (RULE + " require system.name + 1 is 2\n", "PE233", "nothing else"),
    (RULE + " for each a in accounts\n require a is in force at evaluation.time\n", "PE235", "valid_from"),
    (RULE + " for each v in sbom.vulnerabilities\n require v is reachable from sbom.product\n", "PE236", "sbom.product"),
    (RULE + C + ' require c.version matches "foo"\n', "PE237", "vers:"),
    (RULE + C + ' require c.purl is "left-pad"\n', "PE237", "pkg:"),
    (RULE + C + ' require c.licences matches ["MIT", "Apche-2.0"]\n', "PE237", "Apache-2.0"),
    (RULE + " require system.gamp_category is 99999999999999999999\n", "PE237", "largest"),
    ("parameter p: duration by audit_event.kind = { x: 1 day }\n" + RULE + " require system.open_system\n", "PE239", "vulnerability.severity"),
    (RULE + ' require system.open_system message "{systm.id}"\n', "PE200", "`system`"),
    (RULE + " require system.open_system\n capa group by system.nme\n", "PE201", "`name`"),
    ('rule r "t"\n meets f "1"\n require system.open_system\n', "PE210", "severity"),
    ('rule r "t"\n severity minor\n require system.open_system\n', "PE210", "meets"),
    (RULE + ' require system.open_system\ntest "x"\n expect rr pass\n', "PE206", "`r`"),
    (RULE + ' require system.open_system\ntest "x"\n given system.open_system is "maybe"\n expect r pass\n', "PE242", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "hint"), MISTAKES)
def test_one_mistake_gives_one_error_with_its_hint(text: str, code: str, hint: str) -> None:
    result = compiled(text)
    assert [each.code for each in errors(result)] == [code]
    assert hint in errors(result)[0].hint
    assert result.plan is None


def test_months_need_a_date_and_the_message_writes_it_out() -> None:
    (problem,) = errors(compiled(RULE + E + " require e.time is within 12 months before evaluation.time\n"))
    assert (problem.code, problem.message) == ("PE231", "months and years need a date, this is a timestamp")
    assert problem.hint == "write `date of e.time is within 12 months before date of evaluation.time`, or 365 days"
    assert problem.excerpt[problem.column - 1 :].startswith("12 months")


def test_an_unknown_value_of_an_open_enum_is_a_warning_outside_a_filter() -> None:
    result = compiled(RULE + ' for each x in audit_trail.events\n require x.kind is not "site.event"\n')
    assert not errors(result)
    assert "PE322" in [each.code for each in result.diagnostics]


def test_a_control_outside_the_catalogue_is_refused() -> None:
    result = compiled(RULE + " require system.open_system\n", controls={"f": ["1.1", "2"]})
    assert [each.code for each in errors(result)] == ["PE240"]


def test_a_used_policy_must_be_there_in_that_version() -> None:
    library = {("lib", "1.0.0"): compile_policy(Source("lib.policy", "policy lib version 1.0.0\n"), vocabulary())}
    result = compiled("use lib version 2.0.0 as l\n" + RULE + " require system.open_system\n", library=library)
    assert [(each.code, each.hint) for each in errors(result)] == [("PE202", "versions there: 1.0.0")]


def test_defines_that_double_at_each_step_are_stopped_at_a_limit() -> None:
    doubling = "".join(f"define d{i}(s: system) as d{i - 1}(s) and d{i - 1}(s)\n" for i in range(1, 40))
    result = compiled("define d0(s: system) as s.open_system\n" + doubling + RULE + " require d39(system)\n")
    assert result.plan is None
    assert {each.code for each in errors(result)} == {"PE211"}
