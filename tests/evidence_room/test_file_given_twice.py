"""One file may be declared more than once. It is counted once only where it says the same both times."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from policyengine.core.model import Collection, EvidenceSet, Record
from policyengine.core.strict_yaml import load_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.declaration import declaration_of
from policyengine.evidence.document import Document
from policyengine.evidence.mapping import read_mapped

NOW = Context(datetime(2026, 4, 1, tzinfo=UTC))
RAW = b"a,b\nC-1,C-2\nC-3,C-4\n"


def given(column: str, name: str = "changes.csv") -> Document:
    place: Any = load_yaml(f"{{as: changes, map: {{id: {column}}}}}".encode(), "c.yaml")
    return read_mapped(RAW, name, declaration_of(place, "c.yaml"), vocabulary())


def ids(evidence: EvidenceSet) -> list[object]:
    changes = evidence.roots["changes"]
    assert isinstance(changes, Collection)
    return [each.fields["id"] for each in changes.items if isinstance(each, Record)]


def test_the_same_bytes_read_through_two_maps_are_two_sources() -> None:
    evidence = assemble([given("a"), given("b")], NOW)
    assert sorted(map(str, ids(evidence))) == ["C-1", "C-2", "C-3", "C-4"]
    assert not [warning for item in evidence.items for warning in item.warnings if "given twice" in warning]


def test_the_same_bytes_read_the_same_way_are_counted_once() -> None:
    evidence = assemble([given("a"), given("a", "copy.csv")], NOW)
    assert ids(evidence) == ["C-1", "C-3"]
    assert any("also as `copy.csv`" in warning for item in evidence.items for warning in item.warnings)


def test_their_order_does_not_matter() -> None:
    documents = [given("a"), given("b"), given("a")]
    assert len({tuple(ids(assemble(order, NOW))) for order in itertools.permutations(documents)}) == 1
