"""The exit codes that CI acts on, each through a process of its own: 0 allowed, 1 failed, 2 nothing decided, 3 unknown, 70 a bug."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate_runs import AT_TEXT, Run, command, here, told_without_traceback

POLICY = """policy plain version 1.0.0 language 2
  title "Accounts of people"
  owner "Quality Systems"
  purpose "A policy that one list decides."
rule acc-mfa "Each active account has a second factor"
  supports eu-annex-11-2011 "12.1"
  severity critical
  because "A password alone is soon known."
  for each account in accounts where account.active
  require account.mfa
    message "{account.user_id} has no second factor"
  capa
    category "Access"
    owner "System Owner"
    due in 15 days
    correction "Lock {account.user_id} until it has a second factor."
rule left-late "Who left is closed in time"
  supports eu-annex-11-2011 "12.1"
  severity minor
  because "An open account without its owner is anybody's."
  for each account in accounts where account.active
  require account.can_sign
    message "{account.user_id} cannot sign"
  capa
    category "Access"
    owner "System Owner"
    due in 15 days
    correction "Look at {account.user_id}."
"""
GOOD = '{"user_id": "ann", "active": true, "mfa": true, "can_sign": true}\n'
WARNS = '{"user_id": "ann", "active": true, "mfa": true, "can_sign": false}\n'
FAILS = '{"user_id": "ann", "active": true, "mfa": false, "can_sign": true}\n'
UNKNOWN = '{"user_id": "ann", "active": true, "can_sign": true}\n'
CONFIG = """policies: [site.policy]
evidence:
  - {path: accounts.jsonl, as: accounts, complete: true}
subjects: ["mes@sha256:1111111111111111111111111111111111111111111111111111111111111111"]
key: key.pem
out: out
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key.pem"
    assert command("keys", "new", "--out", path).code == 0
    return path


@pytest.fixture
def site(tmp_path: Path, key: Path) -> Iterator[Path]:
    """A folder in which the bare word `policyengine gate` is allowed."""
    shutil.copy(key, tmp_path / "key.pem")
    for name, text in (("site.policy", POLICY), ("accounts.jsonl", GOOD), ("policyengine.yaml", CONFIG)):
        (tmp_path / name).write_text(text)
    yield tmp_path
    left = [path.name for path in tmp_path.rglob(".*") if path.is_file()]
    assert left == [], "a draft of a file was left behind"


def _gate(site: Path, *more: str) -> Run:
    run = command("gate", "--at", AT_TEXT, *more, cwd=site)
    assert told_without_traceback(run)
    return run


@pytest.mark.parametrize(
    ("accounts", "more", "code", "first"),
    [
        (GOOD, (), 0, "ALLOWED"),
        (WARNS, (), 0, "ALLOWED WITH WARNINGS"),
        (FAILS, (), 1, "BLOCKED"),
        (UNKNOWN, (), 3, "BLOCKED"),
        (GOOD + '{"user_id": "cut', (), 3, "BLOCKED"),
        (FAILS + UNKNOWN.replace("ann", "bob"), (), 1, "BLOCKED"),
        (FAILS, ("--lenient",), 0, "BLOCKED"),
        (UNKNOWN, ("--lenient",), 0, "BLOCKED"),
        (FAILS, ("--rule", "left-late"), 0, "ALLOWED"),
        (GOOD, ("--no-sign",), 0, "ALLOWED"),
    ],
    ids=[
        "allowed",
        "warnings",
        "fail",
        "unknown",
        "damaged row",
        "fail before unknown",
        "lenient fail",
        "lenient unknown",
        "one rule",
        "unsigned",
    ],
)
def test_what_is_decided(site: Path, accounts: str, more: tuple[str, ...], code: int, first: str) -> None:
    (site / "accounts.jsonl").write_text(accounts)
    run = _gate(site, *more)
    assert (run.code, run.err) == (code, "")
    relaxed, verdict = [], iter(run.out.splitlines())
    for line in verdict:
        if not line.startswith("! relaxed: "):
            assert line.startswith(first + " ")
            break
        relaxed.append(line)
    assert bool(relaxed) == bool({"--lenient", "--rule"} & set(more)), "what was relaxed is said before the verdict"
    decision = json.loads((site / "out/decision.json").read_bytes())
    assert decision["decision"].upper() == first
    if "--lenient" in more:
        assert decision["lenient"] is True
    else:
        assert decision["exit_code"] == code
    assert (site / "out/decision.intoto.json").exists() == ("--no-sign" not in more)


NOTHING_DECIDED: dict[str, tuple[dict[str, str | None], tuple[str, ...], str]] = {
    "evidence that is no list": ({"accounts.jsonl": "not json\n"}, (), "accounts.jsonl"),
    "evidence that is empty": ({"accounts.jsonl": ""}, (), "accounts.jsonl"),
    "evidence that is missing": ({"accounts.jsonl": None}, (), "accounts.jsonl"),
    "evidence given that is not there": ({}, ("-p", "site.policy", "-e", "nowhere.json", "--key", "key.pem"), "nowhere.json"),
    "a policy that does not compile": ({"site.policy": POLICY.replace("account.mfa", "account.mfaa")}, (), "site.policy:"),
    "a policy that is cut": ({"site.policy": POLICY[: POLICY.index("  require")]}, (), "site.policy:"),
    "a policy that is missing": ({"site.policy": None}, (), "site.policy"),
    "an empty policy": ({"site.policy": ""}, (), "site.policy"),
    "no rule of that name": ({}, ("--rule", "acc-mfaa"), "acc-mfaa"),
    "no rule of that framework": ({}, ("--framework", "gamp-5"), "gamp-5"),
    "an option that does not exist": ({}, ("--polcy", "x"), "--polcy"),
    "an option without its value": ({}, ("--rule",), "--rule"),
    "two configurations": ({}, ("policyengine.yaml", "policyengine.yaml"), "configuration"),
    "a parameter without a value": ({}, ("--param", "x"), "NAME=VALUE"),
    "an engine that is not there": ({}, ("--engine", "spark"), "spark"),
    "keyless signing, not in this version": ({}, ("--sigstore",), "keyless"),
    "a ledger, not in this version": ({}, ("--ledger", "sqlite:x"), "ledger"),
    "a report that does not exist": ({}, ("--report", "pdf=x.pdf"), "pdf"),
    "an unknown parameter": ({}, ("--param", "limit=3"), "limit"),
    "a configuration with an unknown key": ({"policyengine.yaml": CONFIG + "polcies: []\n"}, (), "polcies"),
    "a configuration that is a list": ({"policyengine.yaml": "- a\n"}, (), "policyengine.yaml"),
    "a configuration that is no YAML": ({"policyengine.yaml": "a: [\n"}, (), "policyengine.yaml"),
    "a configuration that is not there": ({}, ("other.yaml",), "other.yaml"),
    "a key that is not there": ({}, ("--key", "nokey.pem"), "nokey.pem"),
    "a key that is no key": ({"key.pem": "-----BEGIN nothing\n"}, (), "key.pem"),
    "no key and no word on signing": ({"policyengine.yaml": CONFIG.replace("key: key.pem\n", "")}, (), "--no-sign"),
    "a trust file that is not there": ({}, ("--trust", "trust.yaml"), "trust.yaml"),
    "a profile that is not there": ({}, ("--profile", "profile.yaml"), "profile.yaml"),
    "waivers that are not there": ({}, ("--waivers", "waivers"), "waivers"),
    "a subject that is no file": ({}, ("--subject", "artifact.tar"), "artifact.tar"),
    "a subject with half a digest": ({}, ("--subject", "sha256:12"), "sha256:12"),
    "an output folder that is a file": ({}, ("--out", "site.policy"), "site.policy"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING_DECIDED)
def test_where_nothing_is_decided_it_is_2_with_one_reason_and_no_file(site: Path, name: str) -> None:
    files, more, named = NOTHING_DECIDED[name]
    for file, text in files.items():
        (site / file).unlink() if text is None else (site / file).write_text(text)
    run = _gate(site, *more)
    assert (run.code, run.out) == (2, "")
    assert "error[PE" in run.err
    assert named in run.err
    assert not (site / "out").exists()


def test_a_naive_time_is_wrong_usage(site: Path) -> None:
    run = command("gate", "--at", "2026-04-01T06:00:00", cwd=site)
    assert (run.code, run.out) == (2, "")
    assert "--at" in run.err


def test_a_refused_run_leaves_the_last_decision_as_it_was(site: Path) -> None:
    assert _gate(site).code == 0
    before = {path: path.read_bytes() for path in (site / "out").rglob("*") if path.is_file()}
    (site / "accounts.jsonl").write_text("")
    assert _gate(site).code == 2
    assert {path: path.read_bytes() for path in (site / "out").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--version",), 0),
        (("gate", "--help"), 0),
        (("check", "site.policy"), 0),
        (("check", "bad.policy"), 2),
        (("check", "nowhere"), 2),
        (("test", "site.policy"), 1),
        (("nosuchcommand",), 2),
        (("verify",), 2),
        (("verify", "nowhere.json", "--key", "key.pem"), 2),
        (("schema", "accounts"), 0),
        (("schema", "acounts"), 2),
        (("evidence", "inspect", "nowhere"), 2),
        (("keys", "new", "--out", "key.pem"), 2),
        (("keys", "show", "key.pem"), 0),
        (("framework", "list"), 0),
        (("framework", "show", "nope"), 2),
        (("capa", "list", "nowhere"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_other_commands(site: Path, arguments: tuple[str, ...], code: int) -> None:
    (site / "bad.policy").write_text(POLICY.replace("account.mfa", "account.mfaa"))
    run = command(*arguments, cwd=site)
    assert told_without_traceback(run)
    assert run.code == code, (run.out[:200], run.err[:400])
    assert ("error" in run.err) == (code != 0)


def test_a_bug_is_70_and_decides_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("first line\n\x1b[31msecond")

    monkeypatch.setattr("policyengine.cli.pipeline.decide", broken)
    run = here("gate", site / "policyengine.yaml", "--at", AT_TEXT)
    assert (run.code, run.out) == (70, "")
    assert "internal error, nothing was decided" in run.err
    assert run.err.count("\n") == 1
    assert "\x1b" not in run.err
    assert told_without_traceback(run)
    assert not (site / "out").exists()


def test_a_bug_while_writing_is_70_and_leaves_no_half_a_run(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("policyengine.cli.gate._draft_files", broken)
    run = here("gate", site / "policyengine.yaml", "--at", AT_TEXT)
    assert (run.code, run.out) == (70, "")
    assert not (site / "out").exists()


def test_an_error_inside_one_rule_blocks_and_is_not_a_pass(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from policyengine.engine import reference

    def broken(self: object, *_: object) -> None:
        raise RuntimeError("a rule that cannot be finished")

    monkeypatch.setattr(reference._RuleEvaluation, "_subjects", broken)
    run = here("gate", site / "policyengine.yaml", "--at", AT_TEXT)
    assert run.code == 3
    assert run.out.startswith("BLOCKED")


def test_output_that_nobody_reads_is_not_success(site: Path) -> None:
    """A closed pipe: the verdict could not be told."""
    import subprocess
    import sys

    from gate_runs import REPOSITORY

    words = f"{sys.executable} -m policyengine gate --at {AT_TEXT} --format json >/dev/full; echo code $?"
    done = subprocess.run(
        ["/bin/sh", "-c", words], cwd=site, env={"PYTHONPATH": str(REPOSITORY), "POLICYENGINE_CACHE": ""}, capture_output=True
    )
    assert b"code 0" not in done.stdout
    assert b"Traceback" not in done.stderr
