"""What the ``compositions`` of a CycloneDX document say of the lists in it.

``unknown`` is an author's statement that parts may be missing, so it makes a list incomplete like the ``incomplete``
ones do. ``not_specified`` states nothing, and takes the statement away from a ``complete`` about the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policyengine.core.model import Completeness

_SILENT = "not_specified"


@dataclass(frozen=True, slots=True)
class Stated:
    """``reason`` says which composition makes the list incomplete; "" otherwise."""

    state: Completeness = Completeness.NOT_STATED
    reason: str = ""


def of_components(compositions: Sequence[Mapping[str, Any]], product: str | None) -> Stated:
    """Complete: said of the product's assembly or of the document as a whole, and nothing else in it is said to be open."""
    return _stated(compositions, "assemblies", product)


def of_dependencies(compositions: Sequence[Mapping[str, Any]], product: str | None) -> Stated:
    """Incomplete also where the components are: what is not listed may lie on the way between two that are."""
    components = of_components(compositions, product)
    stated = _stated(compositions, "dependencies", product)
    return components if components.state is Completeness.INCOMPLETE and stated.state is not Completeness.INCOMPLETE else stated


def _stated(compositions: Sequence[Mapping[str, Any]], kind: str, product: str | None) -> Stated:
    whole, doubted = False, False
    for index, each in enumerate(compositions):
        about = each.get(kind) or ()
        of_document = not any(each.get(other) for other in ("assemblies", "dependencies", "vulnerabilities"))
        if not about and not of_document:
            continue
        aggregate = each.get("aggregate", _SILENT)
        ours = of_document or product in about
        if aggregate == "complete":
            whole = whole or ours
        elif aggregate == _SILENT:
            doubted = doubted or ours
        else:
            return Stated(Completeness.INCOMPLETE, f"its composition {index} says `{aggregate}`{_of(about)}")
    return Stated(Completeness.COMPLETE if whole and not doubted else Completeness.NOT_STATED)


def _of(refs: Iterable[str]) -> str:
    first = next(iter(refs), None)
    return f" of `{first}`" if first else ""
