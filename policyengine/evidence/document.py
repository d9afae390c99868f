"""What a reader gives for one file, or for one envelope in it: the item that the decision lists, and the facts it feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policyengine.core.model import Collection, EvidenceItem, Record


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """``roots`` maps vocabulary roots to what this document says of them; ``assumptions`` are defaults that it applied."""

    item: EvidenceItem
    roots: Mapping[str, Record | Collection]
    assumptions: tuple[str, ...] = ()
