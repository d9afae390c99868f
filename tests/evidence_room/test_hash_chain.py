"""The canonical form of audit events, its seal, and what a changed or moved row does to it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest

from policyengine.core.coerce import Mismatch
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.declaration import Declaration
from policyengine.evidence.hash_chain import seal
from policyengine.evidence.mapping import read_mapped

EVENTS: list[dict[str, Any]] = [
    {"id": "E1", "time": "2026-03-01T09:00:00.500+01:00", "actor": {"user_id": "ann"}, "kind": "record.create"},
    {
        "id": "E2",
        "time": "2026-03-01T10:00:00Z",
        "actor": {"user_id": "bob"},
        "kind": "record.modify",
        "reason": "typing error",
    },
    {"id": "E3", "time": "2026-03-01T11:00:00Z", "actor": {"user_id": "ann"}, "kind": "record.delete"},
]


def judged(rows: list[dict[str, Any]], check_hash: bool = True) -> list[object]:
    declaration = Declaration("audit_trail.events", check_hash=check_hash)
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    trail: Any = read_mapped(raw, "trail.jsonl", declaration, vocabulary()).roots["audit_trail"]
    return [row.fields.get("hash_valid") for row in trail.fields["events"].items]


def test_the_canonical_form_is_as_documented() -> None:
    sealed = seal(EVENTS, vocabulary())
    first = '{"actor":{"user_id":"ann"},"id":"E1","kind":"record.create","sequence":1,"time":"2026-03-01T08:00:00.5Z"}'
    assert sealed[0]["hash"] == "sha256:" + hashlib.sha256(first.encode()).hexdigest()
    assert "previous_hash" not in sealed[0]
    assert sealed[1]["previous_hash"] == sealed[0]["hash"]
    assert [row["sequence"] for row in sealed] == [1, 2, 3]
    assert "hash" not in EVENTS[0]


def test_what_was_sealed_is_valid_and_sealing_again_changes_nothing() -> None:
    sealed = seal(EVENTS, vocabulary())
    assert judged(sealed) == [True, True, True]
    assert seal(sealed, vocabulary()) == sealed


def test_streams_have_chains_of_their_own() -> None:
    rows = [{"id": str(i), "stream_id": "ab"[i % 2]} for i in range(4)]
    assert [row["sequence"] for row in seal(rows, vocabulary())] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "change", [{"reason": "none"}, {"sequence": 7}, {"previous_hash": "sha256:" + "0" * 64}, {"field": "x"}]
)
def test_an_edited_row_is_not_valid(change: dict[str, Any]) -> None:
    sealed = seal(EVENTS, vocabulary())
    sealed[1].update(change)
    assert judged(sealed) == [True, False, True]


def test_the_same_instant_in_another_offset_is_the_same_event() -> None:
    sealed = seal(EVENTS, vocabulary())
    sealed[1]["time"] = "2026-03-01T12:00:00.000+02:00"
    assert judged(sealed) == [True, True, True]


def test_without_a_hash_nothing_is_said_and_unchecked_ones_neither() -> None:
    assert judged(EVENTS) == [None, None, None]
    assert judged(seal(EVENTS, vocabulary()), check_hash=False) == [None, None, None]


def test_the_chain_survives_a_csv_file() -> None:
    out = io.StringIO()
    columns = ["id", "sequence", "time", "actor.user_id", "kind", "reason", "previous_hash", "hash"]
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in seal(EVENTS, vocabulary()):
        flat = {**row, "actor.user_id": row["actor"]["user_id"]}  # type: ignore[index]
        writer.writerow([flat.get(column, "") for column in columns])
    trail: Any = read_mapped(out.getvalue().encode(), "t.csv", Declaration("audit_trail.events"), vocabulary()).roots[
        "audit_trail"
    ]
    assert [row.fields["hash_valid"] for row in trail.fields["events"].items] == [True, True, True]


def test_what_is_no_event_is_not_sealed() -> None:
    with pytest.raises(Mismatch):
        seal([{"id": "E1", "colour": "red"}], vocabulary())
