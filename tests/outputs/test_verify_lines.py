"""What ``verify`` prints: few differences and a count, and no word twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyengine.cli.verify_command import SHIPPED, _line, _policies
from policyengine.decision.verify import Step, _all_or, _Fault
from policyengine.packs.library import shipped


def test_many_differences_are_counted_and_three_are_named():
    with pytest.raises(_Fault, match=r"^5 differences: a; b; c; and 2 more$"):
        _all_or(["a", "b", "c", "d", "e"], "good")
    with pytest.raises(_Fault, match=r"^a; b; c$"):
        _all_or(["a", "b", "c"], "good")


def test_not_checked_is_said_once():
    line = _line(Step(7, "evidence", None, "not checked: nothing was given to compare with"))
    assert line.count("not checked") == 1


def test_shipped_names_what_a_gate_judges_by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named, whole = set(_policies([Path(SHIPPED)])), set(_policies([shipped("policies")]))
    assert "p11-records" in named
    assert whole - named == {"p11-access", "p11-signing", "p11-trail"}
