"""One mistake, one error: what a syntax error took away is not called unknown, and a chain that is too large is told once."""

import pytest

from policyengine.core.diagnostic import Severity, Source
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import compile_policy

HEAD = "policy p version 1.0.0\n"
RULE = 'rule r "t"\n meets f "1"\n severity minor\n because "b"\n'


def codes(text: str) -> list[str]:
    result = compile_policy(Source("p.policy", HEAD + text), vocabulary())
    return [each.code for each in result.diagnostics if each.severity is Severity.ERROR]


LOST = [
    "let named be system.name is is true\n" + RULE + " require named\n",
    "define f(s: system) as s.open_system is is true\n" + RULE + " require f(system)\n",
    "parameter longest: duration == 3 days\n" + RULE + " for each c in changes\n require c.time is within longest before evaluation.time\n",
    "parameter limit: duration by vulnerability.severity = { critical 3 days }\n" + RULE
    + " for each v in sbom.vulnerabilities\n require v.resolved_at is recorded within limit for v.severity after v.published\n",
    "use gxp-common version two as gxp\n" + RULE + " require gxp.some_define(system)\n",
    "use gxp-common version two\n" + RULE + " require gxp_common.some_define(system)\n",
    RULE.replace('"t"', "t") + ' require system.open_system\ntest "x"\n expect r pass\n',
    RULE + ' for each c in changes where where c.closed_at is recorded\n require c.closed_at is recorded\ntest "x"\n expect r pass\n',
]  # fmt: skip


@pytest.mark.parametrize("text", LOST)
def test_what_a_syntax_error_took_away_is_not_called_unknown(text: str) -> None:
    found = codes(text)
    assert found
    assert all(code.startswith("PE1") for code in found)


@pytest.mark.parametrize(
    "clause", [" require system.open_system is is true\n", ' severity minor\n require system.name = "a" "b"\n']
)
def test_a_rule_with_a_damaged_clause_is_not_said_to_lack_it(clause: str) -> None:
    assert not any(code == "PE210" for code in codes(RULE + clause))
    assert "PE210" in codes(
        'rule s "t"\n meets f "1"\n severity minor\n because "b"\n except when system.open_system because "c"\n'
    )


@pytest.mark.parametrize(
    "condition", ['system.name is "x" or "y"', 'system.name is "x" or\n   "y" or "z"', 'system.name is not "x" and "y"']
)
def test_a_second_choice_is_told_once(condition: str) -> None:
    found = codes(RULE + f" require {condition}\n")
    assert set(found) == {"PE130"}
    assert codes(RULE + ' require system.open_system or "y"\n') == ["PE221"]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_of_defines_that_grows_too_large_is_told_once(backwards: bool) -> None:
    defines = ["define d0(s: system) as s.open_system\n"]
    defines += [f"define d{i}(s: system) as d{i - 1}(s) and d{i - 1}(s)\n" for i in range(1, 40)]
    text = "".join(reversed(defines) if backwards else defines)
    assert codes(text + RULE + " require d39(system)\n") == ["PE211"]
