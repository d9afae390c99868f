"""A hint that is followed leads to a policy that means what its author meant, and one mistake is told once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policyengine.cli.policy_commands import check
from policyengine.core.diagnostic import Diagnostic, Refusal, Severity, Source
from policyengine.core.strict_json import load_json
from policyengine.core.vocabulary import vocabulary
from policyengine.lang.compile import compile_policy

PACKAGE = Path(__file__).parents[2] / "policyengine"
HEAD = "policy p version 1.0.0\n"
RULE = 'rule acc-x "t"\n meets f "1"\n severity minor\n because "b"\n'
CHANGE = RULE + " for each change in changes\n"
ACCOUNT = RULE + " for each account in accounts\n"
TEST = 'test "a"\n expect acc-x unknown\n'


def errors(text: str) -> list[Diagnostic]:
    result = compile_policy(Source("p.policy", HEAD + text), vocabulary())
    return [each for each in result.diagnostics if each.severity is Severity.ERROR]


def pointed(problem: Diagnostic) -> str:
    return problem.excerpt[problem.column - 1 : problem.column - 1 + problem.width]


ONE = [
    (CHANGE + " require change.closed_at =< change.time + 30 days\n", "PE136", "=<", "write `<=`"),
    (CHANGE + " require change.closed_at => change.time + 30 days\n", "PE136", "=>", "write `>=`"),
    (CHANGE + ' require change.id <> "x"\n', "PE136", "<>", "write `is not`"),
    (CHANGE + " require change.closed_at <= change.time + 30days\n", "PE101", "30days", "write `30 days`"),
    (CHANGE + " require change.closed_at is within 30days after change.time\n", "PE101", "30days", "write `30 days`"),
    (RULE + " for every account in accounts\n require account.mfa\n", "PE127", "for every", "write `for each`"),
    (RULE + " for all account in accounts\n require account.mfa\n", "PE127", "for all", "write `for each`"),
    (RULE + " for account in accounts\n require account.mfa\n", "PE127", "for", "write `for each account in ..`"),
    (RULE + " account in accounts\n require account.mfa\n", "PE127", "account in", "write `for each account in ..`"),
    (
        RULE + ' require account.mfa and account.active\n  message "{account.user_id} x"\n', "PE200", "account",
        "`for each account in accounts` is missing",
    ),
    (
        RULE + ' require component.name is "x" and component.name is "y"\n', "PE200", "component",
        "`for each component in sbom.components` is missing",
    ),
    (RULE + " for each a in accounts\n require account.mfa and account.active\n", "PE200", "account", "did you mean `a`?"),
    (
        "let odd be account.mfa\n" + RULE + " for each a in accounts\n require a.mfa\n", "PE200", "account",
        "did you mean `accounts`?",
    ),
    (ACCOUNT.replace("minor", "high") + " require account.mfa\n", "PE101", "high", "write critical, major, minor or observation"),
    (ACCOUNT + " require account.mfa\n" + TEST.replace("unknown", "passed"), "PE101", "passed", "did you mean `pass`?"),
    (ACCOUNT + " require account.mfa\n" + TEST.replace("unknown", "fails"), "PE101", "fails", "did you mean `fail`?"),
    (
        ACCOUNT + " require account.mfa\n" + TEST.replace("unknown", "green"), "PE101", "green",
        "write pass, fail, unknown, not applicable, not yet due, waived or error",
    ),
    (ACCOUNT + ' account.mfa\n  message "x"\n', "PE101", "account", "write one of them before this condition"),
    (
        RULE + ' for each account in accounts where account.active\n account.mfa is true\n  message "x"\n', "PE101", "account",
        "write one of them before this condition",
    ),
    (ACCOUNT + " require account.user_id is empty\n", "PE137", "empty", "write `is not recorded`; of a list compare `count of`"),
    (ACCOUNT + " require account.user_id is not empty\n", "PE137", "empty", "write `is recorded`; of a list compare `count of`"),
    (RULE.replace("acc-x", "acc_x") + " require system.open_system\n" + TEST.replace("acc-x", "acc_x") * 3, "PE113", "acc_x", "write `acc-x`"),
    (RULE.replace("acc-x", "Acc_No__Shared") + " require system.open_system\n", "PE113", "Acc_No__Shared", "write `acc-no-shared`"),
    (RULE + " require system.open_system\n" + TEST.replace("acc-x", "acc_x"), "PE113", "acc_x", "write `acc-x`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "place", "hint"), ONE, ids=[f"{n}-{case[2]}" for n, case in enumerate(ONE)])
def test_one_mistake_is_told_once_with_what_to_write(text: str, code: str, place: str, hint: str) -> None:
    (problem,) = errors(text)
    assert (problem.code, pointed(problem), problem.hint) == (code, place, hint)


def test_a_double_id_is_not_told_again_in_the_tests_of_the_id_that_is_now_missing() -> None:
    rule = ACCOUNT + " require account.mfa\n"
    tests = TEST + TEST.replace("acc-x", "acc-y") * 3
    assert [each.code for each in errors(rule * 2 + tests)] == ["PE207"]
    assert [each.code for each in errors(rule + tests)] == ["PE206"] * 3


def test_a_variable_of_a_lookup_and_two_clauses_stay_what_they_were() -> None:
    assert [each.code for each in errors(ACCOUNT + " require account.mfa\n account.active\n")] == ["PE101"]
    (problem,) = errors(ACCOUNT + ' requre account.mfa\n  message "x"\n')
    assert "did you mean `require`?" in problem.hint


def test_no_message_names_a_command_that_does_not_exist() -> None:
    text = (PACKAGE / "cli/app.py").read_text("utf-8")
    known = set(re.findall(r"^(?:@app\.command\(\)\ndef |@(?=[a-z]+\.command))([a-z]+)", text, re.MULTILINE)) | {"gate"}
    named = {word for path in PACKAGE.rglob("*.py") for word in re.findall(r"`policyengine ([a-z]+)", path.read_text("utf-8"))}
    assert named
    assert named <= known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":', "the JSON text ends too early, inside a value"),
        ('{"a', "the JSON text ends too early, inside a string"),
        ('{"a":1', "the JSON text ends too early, inside an object"),
        ("[1", "the JSON text ends too early, inside a list"),
        ("[1]x", "trailing characters"),
    ],
)
def test_json_that_is_cut_off(text: str, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        load_json(text.encode(), "a.json")
    assert refused.value.diagnostics[0].message == message


def test_check_counts_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEAD + ACCOUNT.replace('meets f "1"', 'supports 21-cfr-part-11 "11.10(d)"') + " require account.mfa\n"
    (tmp_path / "a.policy").write_text(text, "utf-8")
    assert check([tmp_path / "a.policy"], False, "text") == 0
    assert capsys.readouterr().out == "1 file, 1 rule: 0 errors, 1 warning\n"
    (tmp_path / "b.policy").write_text(text.replace("policy p", "policy q").replace("account.mfa", "account.mfo"), "utf-8")
    assert check([tmp_path], False, "text") == 2
    assert capsys.readouterr().out == "2 files, 1 rule: 1 error, 1 warning\n"
    check([tmp_path], False, "json")
    assert json.loads(capsys.readouterr().out)["errors"] == 1
