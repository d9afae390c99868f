"""The demo finds exactly the defects that it declares, says that it is synthetic, and makes the same facts of the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_runs import Run, decision_of

from policyengine.demo.defects import DEFECTS, NOT_YET_DUE
from policyengine.demo.files import demo_files
from policyengine.demo.story import NOTICE

FILES = demo_files()
REPEATED = demo_files()
SIGNED_OR_KEY = (".pem", ".intoto.json")


def _found(decision: dict, outcome: str) -> list[tuple[str, str]]:
    return sorted((r["id"], f["subject"]) for r in decision["rules"] for f in r["findings"] if f["outcome"] == outcome)


def test_the_demo_works_and_its_release_is_blocked(demo: tuple[Path, Run]) -> None:
    folder, run = demo
    assert (run.code, run.err) == (0, "")
    assert decision_of(folder / "result")["decision"] == "blocked"
    for name in ("decision.intoto.json", "decision.json", "report.html"):
        assert (folder / "result" / name).stat().st_size > 1000
        assert name == "decision.json" or str(folder / "result" / name) in run.out


def test_found_equals_declared(demo: tuple[Path, Run]) -> None:
    declared = sorted((defect.rule, subject) for defect in DEFECTS for subject in defect.subjects)
    assert len(declared) == len(set(declared))
    assert _found(decision_of(demo[0] / "result"), "fail") == declared


def test_nothing_is_unknown_and_what_is_open_is_declared(demo: tuple[Path, Run]) -> None:
    decision = decision_of(demo[0] / "result")
    assert _found(decision, "unknown") == []
    assert _found(decision, "error") == []
    assert _found(decision, "not_yet_due") == sorted(NOT_YET_DUE)


def test_every_other_rule_passes(demo: tuple[Path, Run]) -> None:
    decision = decision_of(demo[0] / "result")
    touched = {defect.rule for defect in DEFECTS} | {rule for rule, _ in NOT_YET_DUE}
    others = {rule["id"]: rule["outcome"] for rule in decision["rules"] if rule["id"] not in touched}
    not_applicable = {"illegitimate-notified"}
    assert {rule for rule, outcome in others.items() if outcome != "pass"} == not_applicable
    assert len(others) - len(not_applicable) >= 28


def test_without_its_defects_the_release_is_allowed(clean: tuple[Path, Run]) -> None:
    folder, run = clean
    decision = decision_of(folder / "result")
    assert (run.code, run.err) == (0, "")
    assert decision["decision"] == "allowed with warnings", run.out
    assert _found(decision, "not_yet_due") == sorted(NOT_YET_DUE)
    assert {r["outcome"] for r in decision["rules"]} == {"pass", "not_yet_due", "not_applicable"}


def test_every_defect_has_subjects_and_a_sentence() -> None:
    assert [defect.number for defect in DEFECTS] == list(range(1, 12))
    assert all(defect.subjects and all(defect.subjects) and len(defect.what) > 20 for defect in DEFECTS)
    assert len(next(defect for defect in DEFECTS if defect.number == 10).subjects) == 12


def test_same_seed_same_facts() -> None:
    """Keys are made anew each time, and an ECDSA signature differs each time; everything else does not."""
    facts = {name for name in FILES if not name.endswith(SIGNED_OR_KEY)}
    assert len(facts) > 35
    assert [name for name in sorted(facts) if FILES[name] != REPEATED[name]] == []
    assert set(FILES) == set(REPEATED)


def test_another_seed_gives_other_facts() -> None:
    other = demo_files(seed=421)
    assert other["exports/audit-trail.jsonl"] != FILES["exports/audit-trail.jsonl"]
    assert other["evidence/aurora-mes-4.2.0.cdx.json"] != FILES["evidence/aurora-mes-4.2.0.cdx.json"]


@pytest.mark.parametrize("name", ["README.md", "policyengine.yaml", "trust.yaml", "profile.yaml"])
def test_what_a_person_opens_says_that_it_is_synthetic(name: str) -> None:
    assert NOTICE in FILES[name].decode()


def test_the_artifacts_and_the_terminal_say_that_they_are_synthetic(demo: tuple[Path, Run]) -> None:
    artifacts = [content for name, content in FILES.items() if name.startswith("release/")]
    assert len(artifacts) == 2
    assert all(content.startswith(NOTICE.encode()) for content in artifacts)
    assert demo[1].out.startswith(NOTICE)
    assert "(fictional)" in demo[1].out


def test_decision_and_report_say_that_they_are_synthetic(demo: tuple[Path, Run]) -> None:
    """They leave the folder without its README: what they show of system and profile must say it."""
    decision = decision_of(demo[0] / "result")
    assert "synthetic data" in decision["system"]["name"]
    assert decision["profile"]["id"] == "seeburg-synthetic-data"
    report = (demo[0] / "result/report.html").read_text()
    assert "seeburg-synthetic-data" in report
