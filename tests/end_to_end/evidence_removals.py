"""Every way to take away a piece of the evidence that a rule reads: one field, one list, one root at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policyengine.core.model import Collection, Completeness, EvidenceSet, Record

Change = Callable[[Any], Any]
REMOVED = object()


@dataclass(frozen=True, slots=True)
class Removal:
    """What is taken away (``audit_event.reason``, or a root) and how: ``removed``, ``empty``, ``incomplete``, ``empty, incomplete``.

    ``apply`` gives the evidence without it, or None where there was nothing to take away.
    """

    what: str
    how: str
    apply: Callable[[EvidenceSet], EvidenceSet | None]

    @property
    def is_root(self) -> bool:
        return "." not in self.what


def nodes(plan: object) -> Iterator[Mapping[str, Any]]:
    """Every node of a plan, or of a part of one."""
    if isinstance(plan, Mapping):
        if "op" in plan:
            yield plan
        for each in plan.values():
            yield from nodes(each)
    elif isinstance(plan, list | tuple):
        for each in plan:
            yield from nodes(each)


def judged_parts(rule: Mapping[str, Any]) -> list[Any]:
    """What decides a rule: not the texts of its messages and drafts."""
    clauses = [clause["expr"] for clause in rule["clauses"]]
    return [rule["applies"], [[loop["in"], loop["where"]] for loop in rule["loops"]], clauses]


def removals(rule: Mapping[str, Any]) -> list[Removal]:
    """All removals that concern one rule, each once. ``evaluation.time`` is the run's own and stays."""
    found: dict[tuple[str, str], Removal] = {}
    for node in nodes(judged_parts(rule)):
        for each in _of_node(node):
            found.setdefault((each.what, each.how), each)
    return [found[key] for key in sorted(found)]


def _of_node(node: Mapping[str, Any]) -> Iterator[Removal]:
    if node["op"] == "root" and node["name"] != "evaluation":
        yield from _ways(
            node["name"], node["many"], lambda change: lambda evidence: _root_changed(evidence, node["name"], change)
        )
    if node["op"] == "field" and not node["of"]["type"].startswith("pair of "):
        owner, name = node["of"]["type"], node["name"]
        if (owner, name) != ("evaluation", "time"):
            many = bool(node.get("many"))
            yield from _ways(
                f"{owner}.{name}", many, lambda change: lambda evidence: _fields_changed(evidence, owner, name, change)
            )


def _ways(what: str, many: bool, change: Callable[[Change], Callable[[EvidenceSet], EvidenceSet | None]]) -> Iterator[Removal]:
    yield Removal(what, "removed", change(lambda _: REMOVED))
    if many:
        yield Removal(what, "empty", change(_emptied))
        yield Removal(what, "incomplete", change(_incomplete))
        yield Removal(what, "empty, incomplete", change(lambda value: _incomplete(_emptied(value))))


def _emptied(value: Any) -> Any:
    return Collection(origin=value.origin) if isinstance(value, Collection) else ()


def _incomplete(value: Any) -> Any:
    """Only a collection knows what is missing from it; a list of plain values is as it is."""
    if isinstance(value, Collection):
        return replace(value, state=Completeness.INCOMPLETE, covers_from=None, covers_until=None)
    return REMOVED


def _root_changed(evidence: EvidenceSet, name: str, change: Change) -> EvidenceSet | None:
    if name not in evidence.roots:
        return None
    changed = change(evidence.roots[name])
    rest = {key: value for key, value in evidence.roots.items() if key != name}
    return EvidenceSet(rest if changed is REMOVED else {**rest, name: changed})


def _fields_changed(evidence: EvidenceSet, owner: str, name: str, change: Change) -> EvidenceSet | None:
    touched = False

    def walk(value: Any) -> Any:
        nonlocal touched
        if isinstance(value, Record):
            fields = {key: walk(each) for key, each in value.fields.items()}
            if value.type == owner and name in fields:
                touched = True
                fields[name] = change(fields[name])
            return Record(value.type, {k: v for k, v in fields.items() if v is not REMOVED}, value.origin)
        if isinstance(value, Collection):
            return replace(value, items=tuple(walk(each) for each in value.items))
        if isinstance(value, tuple):
            return tuple(walk(each) for each in value)
        return value

    changed = EvidenceSet({key: walk(value) for key, value in evidence.roots.items()})
    return changed if touched else None
