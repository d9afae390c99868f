"""Same inputs, time and key: the same decision and drafts, whatever the hash seed, locale, time zone, folder and file order.

An ECDSA signature is random, so the payload of the envelope is compared; everything else byte by byte.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from gate_runs import AT_TEXT, Run, command, payload_of, write_demo

AROUND = {
    "as it is": {"PYTHONHASHSEED": "0"},
    "another hash seed": {"PYTHONHASHSEED": "1"},
    "a third, east, Turkish": {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"},
    "west, no UTF-8": {"PYTHONHASHSEED": "7", "TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "optimised": {"PYTHONHASHSEED": "9", "TZ": "UTC", "PYTHONOPTIMIZE": "2"},
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_demo(folder, defects=True)
    return folder


def _results(folder: Path) -> dict[str, bytes]:
    """Relative name to bytes; of the envelope only what is signed."""
    return {
        path.relative_to(folder).as_posix(): payload_of(path) if path.name.endswith(".intoto.json") else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _judged(site: Path, out: Path, env: dict[str, str], cwd: Path) -> tuple[Run, dict[str, bytes]]:
    shutil.rmtree(site / "result", ignore_errors=True)
    run = command("gate", site / "policyengine.yaml", "--at", AT_TEXT, "--out", out, env=env, cwd=cwd)
    assert run.code == 1, run.err
    report = site / "result/report.html"
    return run, {**_results(out), "report.html": report.read_bytes()}


@pytest.fixture(scope="module")
def first(site: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("first")
    return _judged(site, folder / "out", AROUND["as it is"], folder)


def test_there_is_something_to_compare(first: tuple[Run, dict[str, bytes]]) -> None:
    names = set(first[1])
    assert {"decision.json", "decision.intoto.json", "report.html"} <= names
    assert len([name for name in names if name.startswith("capa/")]) >= 20


@pytest.mark.parametrize("around", list(AROUND)[1:])
def test_the_world_around_changes_nothing(site: Path, first: tuple[Run, dict[str, bytes]], around: str, tmp_path: Path) -> None:
    run, results = _judged(site, tmp_path / "out", AROUND[around], tmp_path)
    assert [name for name in first[1] if results.get(name) != first[1][name]] == []
    assert set(results) == set(first[1])
    assert [line for line in run.out.splitlines() if "/" not in line] == [
        line for line in first[0].out.splitlines() if "/" not in line
    ]


def test_the_same_files_elsewhere_and_copied_in_another_order_are_the_same(
    site: Path, first: tuple[Run, dict[str, bytes]], tmp_path: Path
) -> None:
    """Another folder, directory entries in another order, entries of the configuration in another order."""
    files = [path for path in site.rglob("*") if path.is_file() and "result" not in path.parts]
    Random(11).shuffle(files)  # noqa: S311
    for path in files:
        target = tmp_path / "elsewhere" / path.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    config = tmp_path / "elsewhere/policyengine.yaml"
    lines = config.read_text().splitlines()
    entries = [line for line in lines if "path: " in line]
    assert len(entries) == 36
    shuffled = iter(Random(5).sample(entries, len(entries)))  # noqa: S311
    config.write_text("\n".join(next(shuffled) if line in entries else line for line in lines) + "\n")
    run, results = _judged(tmp_path / "elsewhere", tmp_path / "out", {"PYTHONHASHSEED": "3"}, tmp_path)
    assert [name for name in first[1] if results.get(name) != first[1][name]] == []
    assert run.code == first[0].code


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_e_options_and_policies_changes_nothing(site: Path, seed: int, tmp_path: Path) -> None:
    from policyengine.packs.library import shipped

    evidence = sorted((site / "evidence").iterdir())
    policies = [
        shipped("policies") / name for name in ("21-cfr-part-11", "dscsa", "eu-annex-11", "gamp-5", "gxp-common", "ich-q10")
    ]
    found = []
    for order in (Random(0), Random(seed)):  # noqa: S311
        order.shuffle(evidence)
        order.shuffle(policies)
        words = [word for path in sorted((site / "release").iterdir()) for word in ("-s", path)]
        words += [word for path in evidence for word in ("-e", path)]
        words += [word for path in policies for word in ("-p", path)]
        out = tmp_path / f"out{len(found)}"
        run = command("gate", *words, "--trust", site / "trust.yaml", "--key", site / "keys/decision.pem", "--at", AT_TEXT, "--out", out,
                      env={"PYTHONHASHSEED": str(seed)}, cwd=tmp_path)  # fmt: skip
        assert run.code in (1, 3), run.err
        found.append(_results(out))
    assert found[0] == found[1]


def test_text_and_json_output_are_the_same_decision(site: Path, first: tuple[Run, dict[str, bytes]], tmp_path: Path) -> None:
    import json

    from policyengine.core.canonical import canonical_json

    run = command(
        "gate", site / "policyengine.yaml", "--at", AT_TEXT, "--out", tmp_path / "out", "--format", "json", cwd=tmp_path
    )
    printed = json.loads(run.out)
    assert canonical_json(printed) == canonical_json(json.loads(first[1]["decision.json"]))
    assert json.loads(first[1]["decision.intoto.json"])["predicate"] == printed
