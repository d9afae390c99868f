"""The examples of docs/evidence.md are what the program does, and the roots it says are refused are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from policyengine.core.model import Record
from policyengine.core.strict_yaml import load_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.declaration import KEYS, NOT_MAPPABLE, Declaration, declaration_of
from policyengine.evidence.mapping import read_mapped

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_entry_reads_a_file() -> None:
    entry: Any = load_yaml(examples("yaml")[0].encode(), "docs")
    raw = b"EVT_NO,TS,USER,ACT\n1,02.03.2026 08:00:00,ann,INS\n"
    trail: Any = read_mapped(raw, entry["path"], declaration_of(entry, "docs"), vocabulary()).roots["audit_trail"]
    events = trail.fields["events"]
    assert events.state == "complete"
    assert events.items[0].fields["kind"] == "record.create"


def test_the_table_has_exactly_the_keys() -> None:
    table = PAGE.partition("| key | meaning |")[2].partition("### Sources")[0]
    assert {*re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE), "path"} == set(KEYS)


def test_the_csv_and_the_single_record() -> None:
    accounts: Any = read_mapped(examples("csv")[0].encode(), "a.csv", Declaration("accounts"), vocabulary()).roots["accounts"]
    assert accounts.items[0].fields["roles"] == ("qa", "reviewer")
    assert accounts.reason == ""
    system = read_mapped(examples("yaml")[1].encode(), "s.yaml", Declaration("system"), vocabulary()).roots["system"]
    assert isinstance(system, Record)
    assert system.fields["id"] == "MES-01"


def test_the_hash_of_the_example() -> None:
    assert "sha256:" + hashlib.sha256(examples("json")[0].strip().encode()).hexdigest() in PAGE


def test_the_refused_roots_are_named() -> None:
    assert all(f"`{root}`" in PAGE for root in NOT_MAPPABLE)
