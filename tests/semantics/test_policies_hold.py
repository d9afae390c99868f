"""Every policy with tests, here and in the shipped library, passes them; the worked policies of the standard too."""

from pathlib import Path

import pytest

from policyengine.core.diagnostic import Severity
from policyengine.core.vocabulary import vocabulary
from policyengine.packs.cases import run_cases
from policyengine.packs.library import compile_all, find_policies, shipped

HERE = Path(__file__).parent
FOLDERS = [HERE, HERE.parent / "lang" / "policies", shipped("policies")]
FILES = [(folder, file) for folder in FOLDERS for file in find_policies([folder, shipped("policies")])]
NAMED = {file.name: file for _, file in FILES}
COMPILED = dict(zip(NAMED, compile_all(tuple(NAMED.values())), strict=True))


@pytest.mark.parametrize("name", sorted(NAMED))
def test_compiles_without_an_error(name: str) -> None:
    errors = [d.render() for d in COMPILED[name].diagnostics if d.severity is Severity.ERROR]
    assert not errors, "\n".join(errors)


CASES = [(name, case) for name in sorted(NAMED) for case in COMPILED[name].tests]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}:{case.title}" for name, case in CASES])
def test_case_holds(name: str, case: object) -> None:
    (result,) = run_cases(COMPILED[name].plan, [case], vocabulary())  # type: ignore[list-item]
    assert result.passed, [(d.rule, d.subject, d.expected, d.got, d.why) for d in result.differences]
