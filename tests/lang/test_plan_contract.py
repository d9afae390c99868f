"""The plan: its digest follows the meaning and not the layout; names are resolved, defines written out, parameters carried."""

from typing import Any

from policyengine.core.diagnostic import Source
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import Compiled, compile_policy
from policyengine.lang.plan import nodes, plan_digest

RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'
LIBRARY = """policy lib version 1.0.0
parameter longest: duration = 30 days
parameter unread: int = 1
define recent(t: timestamp) as t is within longest before evaluation.time
define shared(a: account) as (some g in grants where g.user_id is a.user_id)
"""


def compiled(text: str, library: dict[tuple[str, str], Compiled] | None = None) -> Compiled:
    return compile_policy(Source("p.policy", text), vocabulary(), library)


def plan(text: str, library: dict[tuple[str, str], Compiled] | None = None) -> dict[str, Any]:
    result = compiled("policy p version 1.0.0\n" + text, library)
    assert result.plan is not None, [each.render() for each in result.diagnostics]
    return result.plan


def clause(text: str) -> dict[str, Any]:
    expr: dict[str, Any] = plan(RULE + text)["rules"][0]["clauses"][0]["expr"]
    return expr


def test_layout_and_comments_leave_the_digest_alone_and_meaning_does_not() -> None:
    first = plan(RULE + ' require system.name is "x"\n')
    laid_out = plan(RULE + ' require   # why\n   system.name\n     =   "x"\n')
    other = plan(RULE + ' require system.name is "y"\n')
    assert plan_digest(first) == plan_digest(laid_out)
    assert plan_digest(first) != plan_digest(other)
    assert plan_digest(first) != plan_digest({**first, "policy": {**first["policy"], "title": "another"}})


def test_forbid_is_the_requirement_of_the_opposite() -> None:
    expr = clause(" forbid system.open_system\n")
    assert (expr["op"], expr["arg"]["op"], expr["arg"]["name"]) == ("not", "field", "open_system")


def test_literals_take_the_form_of_the_contract() -> None:
    assert (
        clause(" for each c in changes\n require c.time is within 2 weeks before evaluation.time\n")["span"]["value"] == 1209600
    )
    assert clause(" require evaluation.time is after 2026-03-01T08:00:00+02:00\n")["right"]["value"] == "2026-03-01T06:00:00Z"
    share = clause(" require share of (u in component_uses where u.supplier_name is recorded) is at most 40%\n")
    assert (share["right"]["value"], share["bounds"], share["kind"]) == ("40", True, "number")


def test_ordered_enums_carry_their_ranks() -> None:
    expr = clause(' for each v in sbom.vulnerabilities\n require v.severity is less than "high"\n')
    assert (expr["cmp"], expr["ranks"]) == ("lt", ["none", "info", "low", "medium", "high", "critical"])


def test_a_deadline_names_the_list_that_holds_its_record_without_filters() -> None:
    expr = clause(
        " for each a in accounts where a.active\n require a.disabled_at is recorded within 1 day after a.created_at\n"
    )
    assert expr["held_by"] == {"op": "root", "name": "accounts", "type": "account", "many": True}
    assert clause(" require system.retired_on is recorded within 1 day after system.operational_since\n")["held_by"] is None


def test_an_inlined_quantifier_never_catches_a_variable_of_the_caller() -> None:
    library = {("lib", "1.0.0"): compiled(LIBRARY)}
    made = plan(
        "use lib version 1.0.0 as lib\n" + RULE + " for each g in accounts\n require lib.shared(g) and lib.shared(g)\n", library
    )
    rule = made["rules"][0]
    outer = rule["loops"][0]["var"]
    inner = [node for node in nodes(rule["clauses"]) if node["op"] == "some"]
    assert len({outer, *(node["var"] for node in inner)}) == 3
    for some in inner:
        left, right = some["where"]["left"], some["where"]["right"]
        assert (left["of"]["name"], right["of"]["name"]) == (some["var"], outer)


def test_parameters_of_a_used_policy_are_carried_under_its_id() -> None:
    used = compiled(LIBRARY)
    made = plan(
        "use lib version 1.0.0 as l\n" + RULE + " for each c in changes\n require l.recent(c.time)\n", {("lib", "1.0.0"): used}
    )
    assert used.plan is not None
    assert made["uses"] == [{"id": "lib", "version": "1.0.0", "digest": plan_digest(used.plan)}]
    assert [(each["name"], each["value"]) for each in made["parameters"]] == [("lib.longest", 2592000)]
    read = [node["name"] for node in nodes(made["rules"]) if node["op"] == "parameter"]
    assert read == ["lib.longest"]


def test_holes_of_a_message_are_expressions_of_the_plan() -> None:
    made = plan(RULE + ' for each a in accounts\n require a.active message "{a.user_id} is closed"\n')
    hole, rest = made["rules"][0]["clauses"][0]["message"]
    assert (hole["path"], hole["expr"]["op"], hole["expr"]["of"]["op"], rest) == ("a.user_id", "field", "var", " is closed")
