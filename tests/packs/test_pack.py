"""A pack is judged whole: what its ``pack.yaml`` lists is what lies beside it, or nothing of it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.packs.library import compile_all, default_packs, find_policies, load_policies
from policyengine.packs.remembered import Memory

POLICY = """policy site-{name} version 1.0.0
  title "Rules of {name}"

rule {code}-01 "Every component has a version"
  severity minor
  supports 21-cfr-part-11 "11.10(a)"
  for each component in sbom.components
  require component.version is recorded
"""
PACK = """id: site
title: Rules of the site
version: 1.0.0
owner: Quality Systems
policies: [first.policy, second.policy]
frameworks: []
approvals:
  - {by: A. Author, role: quality-assurance, on: 2026-05-02}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack = tmp_path / "site"
    pack.mkdir()
    (pack / "first.policy").write_text(POLICY.format(name="first", code="ONE"))
    (pack / "second.policy").write_text(POLICY.format(name="second", code="TWO"))
    (pack / "pack.yaml").write_text(PACK)
    return pack


def _refused(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refusal:
        load_policies(find_policies([folder]))
    return [(each.code, f"{each.file} {each.pointer} {each.message}") for each in refusal.value.diagnostics]


def test_a_whole_pack_is_compiled(folder: Path) -> None:
    assert [policy.id for policy in load_policies(find_policies([folder]))] == ["site-first", "site-second"]


def test_shipped_packs_are_whole() -> None:
    assert all(result.plan for result in compile_all(find_policies(default_packs())))


def test_a_policy_that_slipped_out_is_named(folder: Path) -> None:
    (folder / "second.policy").unlink()
    assert _refused(folder) == [("PE709", "site/pack.yaml  `second.policy` is listed and is not there")]


def test_a_policy_that_slipped_in_is_named(folder: Path) -> None:
    (folder / "third.policy").write_text(POLICY.format(name="third", code="THREE"))
    assert _refused(folder) == [("PE709", "site/pack.yaml  `third.policy` is there and is not listed")]


def test_a_pack_without_any_policy_is_refused_beside_a_whole_one(folder: Path) -> None:
    empty = folder.parent / "empty"
    empty.mkdir()
    (empty / "pack.yaml").write_text(PACK)
    with pytest.raises(Refusal, match="PE702"):
        find_policies([folder, empty])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda text: text.replace("owner: Quality Systems\n", ""), "'owner' is a required property"),
        (lambda text: text.replace("version: 1.0.0", "version: 1.0"), ".version"),
        (lambda text: text.replace("[first.policy, second.policy]", "[]"), ".policies"),
        (lambda text: text.replace("[first.policy, second.policy]", "[../first.policy]"), ".policies[0]"),
        (lambda text: text.replace("2026-05-02", "yesterday"), ".approvals[0].on"),
        (lambda text: text + "signed: true\n", "'signed' was unexpected"),
    ],
)
def test_a_faulty_pack_file_is_refused_with_its_place(folder: Path, change: Callable[[str], str], place: str) -> None:
    (folder / "pack.yaml").write_text(change(PACK))
    ((code, told),) = _refused(folder)
    assert code == "PE708"
    assert place in told


def test_memory_does_not_hide_a_changed_pack(folder: Path, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache", tmp_path / "state" / "secret")
    load_policies(find_policies([folder]), memory=memory)
    (folder / "pack.yaml").write_text(PACK.replace(", second.policy", ""))
    with pytest.raises(Refusal, match="PE709"):
        load_policies(find_policies([folder]), memory=memory)


def test_a_policy_named_on_its_own_needs_no_pack(folder: Path) -> None:
    (folder / "pack.yaml").write_text("nothing of a pack")
    assert [policy.id for policy in load_policies(find_policies([folder / "first.policy"]))] == ["site-first"]
