"""What is kept between runs is used again, and never where somebody else could have written it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from policyengine.packs.library import find_policies, load_policies, shipped
from policyengine.packs.remembered import Memory, remembered

KEY = "a" * 64


class Maker:
    """Gives plain data and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> dict[str, int]:
        self.asked += 1
        return {"answer": 42}


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "cache" / "policyengine-gxp", tmp_path / "state" / "policyengine-gxp" / "cache.secret")


def _entry(memory: Memory) -> Path:
    (entry,) = memory.folder.glob("*.json")
    return entry


def test_made_once_and_used_again(memory: Memory) -> None:
    make = Maker()
    assert remembered(memory, KEY, make) == remembered(memory, KEY, make) == {"answer": 42}
    assert make.asked == 1


def test_without_a_memory_it_is_made_each_time() -> None:
    make = Maker()
    remembered(None, KEY, make)
    remembered(None, KEY, make)
    assert make.asked == 2


def _plain_digest(entry: Path) -> bytes:
    body = b'{"answer":43}'
    return hashlib.sha256(KEY.encode() + body).hexdigest().encode() + b"\n" + body


def _other_body(entry: Path) -> bytes:
    return entry.read_bytes().replace(b"42", b"43")


def _cut_short(entry: Path) -> bytes:
    return entry.read_bytes()[:-1]


def _nothing(entry: Path) -> bytes:
    return b""


@pytest.mark.parametrize("written", [_plain_digest, _other_body, _cut_short, _nothing])
def test_an_entry_that_somebody_wrote_is_not_believed(memory: Memory, written: Callable[[Path], bytes]) -> None:
    make = Maker()
    remembered(memory, KEY, make)
    _entry(memory).write_bytes(written(_entry(memory)))
    assert remembered(memory, KEY, make) == {"answer": 42}
    assert make.asked == 2


def test_an_entry_under_another_key_is_not_believed(memory: Memory) -> None:
    remembered(memory, KEY, Maker())
    _entry(memory).rename(memory.folder / f"{'b' * 64}.json")
    make = Maker()
    remembered(memory, "b" * 64, make)
    assert make.asked == 1


def test_a_folder_from_another_machine_is_not_believed(memory: Memory, tmp_path: Path) -> None:
    remembered(memory, KEY, Maker())
    make = Maker()
    remembered(Memory(memory.folder, tmp_path / "elsewhere" / "cache.secret"), KEY, make)
    assert make.asked == 1


@pytest.mark.parametrize("which", ["folder", "secret"])
def test_what_others_can_open_is_not_believed(memory: Memory, which: str) -> None:
    remembered(memory, KEY, Maker())
    path: Path = getattr(memory, which)
    path.chmod(path.stat().st_mode | 0o040)
    make = Maker()
    remembered(memory, KEY, make)
    assert make.asked == 1


def test_a_short_secret_keeps_nothing(memory: Memory) -> None:
    memory.secret.parent.mkdir(parents=True)
    memory.secret.touch(mode=0o600)
    remembered(memory, KEY, Maker())
    assert not memory.folder.exists()


def test_only_the_owner_can_read_the_secret_and_the_entries(memory: Memory) -> None:
    remembered(memory, KEY, Maker())
    assert memory.secret.stat().st_mode & 0o777 == 0o600
    assert memory.folder.stat().st_mode & 0o777 == 0o700


def test_remembered_policies_are_the_compiled_ones(memory: Memory) -> None:
    files = find_policies([shipped("policies") / "gxp-common", shipped("policies") / "dscsa"])
    fresh = load_policies(files)
    assert load_policies(files, memory=memory) == fresh
    assert load_policies(files, memory=memory) == fresh
    assert b"dscsa" in _entry(memory).read_bytes()


def test_a_forged_plan_is_compiled_anew(memory: Memory) -> None:
    files = find_policies([shipped("policies") / "gxp-common", shipped("policies") / "dscsa"])
    fresh = load_policies(files, memory=memory)
    mac, _, body = _entry(memory).read_bytes().partition(b"\n")
    plans = json.loads(body)
    for plan in plans:
        for rule in plan["plan"]["rules"]:
            rule["severity"] = "minor"
    _entry(memory).write_bytes(mac + b"\n" + json.dumps(plans).encode())
    assert load_policies(files, memory=memory) == fresh
