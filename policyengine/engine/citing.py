"""Which members of a list an explanation cites: witnesses, counterexamples, near misses, else the list as a whole.

A quantifier is judged first and cited afterwards, only in an explanation, so nothing here can change a verdict. The member
that happened to be tried last is never cited for that: where ``some`` found nobody, the members are cited that belong to the
subject (every equality between member and subject held), of them those for which most conditions held, in list order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from policyengine.core.model import Origin, Record
from policyengine.core.outcome import Truth, Unknown
from policyengine.engine.explain import shown_value, subject_key
from policyengine.engine.findings import ReadValue
from policyengine.engine.members import Members
from policyengine.engine.values import Node, Reader, Scope, Values, path_text

CITED = 3

if TYPE_CHECKING:
    Condition = tuple[str, Reader, Reader]  # variable, quiet test, test that writes down what it reads


class Citer:
    """Writes down what decided one quantifier node: ``var in list where conditions``, and what its conditions read outside."""

    def __init__(self, meaning: Values, node: Node, deciding: Node | None) -> None:
        """``deciding`` is what is asked of each cited member: the ``where`` of ``some``, the ``satisfies`` of ``every``."""
        assert meaning.trace is not None  # noqa: S101  # without a trace nobody cites
        self.trace = meaning.trace
        quiet = type(meaning)(meaning.run)
        self.var: str = node["var"]
        self.loud = meaning.value(deciding) if deciding is not None else None
        wheres = [(self.var, node.get("where"))]
        listed = node["in"]
        while listed["op"] == "filter":
            wheres.append((listed["var"], listed["where"]))
            listed = listed["in"]
        self.listed, self.what = quiet.members(listed), path_text(listed)
        self.keys: list[Condition] = []
        self.others: list[Condition] = []
        for var, where in reversed(wheres):
            for each in _conjuncts(where) if where is not None else ():
                place = self.keys if _ties(var, each) else self.others
                place.append((var, quiet.value(each), meaning.value(each)))
        bound = frozenset(var for var, _ in wheres)
        asked = [where for _, where in wheres if where is not None] + ([deciding] if deciding is not None else [])
        self.outside = [meaning.value(path) for each in asked for path in _outer_paths(each, bound)]

    def members(self, scope: Scope, items: Iterable[object], extra: Callable[[Any], None] | None = None) -> bool:
        """Cite these members, at most three; False when there were none."""
        cited = list(islice(items, CITED))
        for item in cited:
            mark = len(self.trace)
            if extra is not None:
                extra(item)
            scope[self.var] = item
            if self.loud is not None:
                self.loud(scope)
            self._named(self.var, item, mark)
        if cited:
            self._outside(scope)
        return bool(cited)

    def nearest(self, scope: Scope, extra: Callable[[Any], None] | None = None) -> None:
        """Cite the near misses, else the list as a whole."""
        found = self.listed(scope)
        near = self._near(scope, found)
        for item in near:
            mark = len(self.trace)
            if extra is not None:
                extra(item)
            for var, _, loud in (*self.keys, *self.others):
                scope[var] = item
                loud(scope)
            self._named(self.var, item, mark)
        if not near and found.absent is None:
            number = len(found.items)
            size = f"{number} {'member' if number == 1 else 'members'}"
            self.trace.extend(ReadValue(self.what, size, place) for place in _files(found) or (None,))
        self._outside(scope)

    def _near(self, scope: Scope, found: Members) -> list[object]:
        if not self.keys:
            return []
        best, near = 0, []
        for item, _ in found.items:
            if not all(self._holds(each, scope, item) for each in self.keys):
                continue
            held = sum(self._holds(each, scope, item) for each in self.others)
            if held > best:
                best, near = held, [item]
            elif held == best and len(near) < CITED:
                near.append(item)
        return near

    @staticmethod
    def _holds(condition: Condition, scope: Scope, item: object) -> bool:
        scope[condition[0]] = item
        return condition[1](scope) is True

    def _named(self, var: str, item: object, mark: int) -> None:
        """A cited member of which no value was written down is cited by its name."""
        if not isinstance(item, Record):
            self.trace.insert(mark, ReadValue(var, shown_value(item)))
        elif not any(each.origin == item.origin for each in self.trace[mark:]):
            self.trace.append(ReadValue(var, subject_key(item), item.origin))

    def _outside(self, scope: Scope) -> None:
        for read in self.outside:
            read(scope)


def open_or(verdict: Truth, judged: Iterable[tuple[object, Truth]]) -> Iterator[object]:
    """The members whose own truth is the verdict; of an unknown verdict, those that are unknown."""
    return (
        item for item, truth in judged if (isinstance(truth, Unknown) if isinstance(verdict, Unknown) else truth is verdict)
    )


def _files(found: Members) -> tuple[Origin, ...]:
    """Where a list stands: its source, else the files of its members; never the line of one member."""
    if found.origin is not None:
        return (found.origin,)
    names = dict.fromkeys(item.origin.name for item, _ in found.items if isinstance(item, Record) and item.origin)
    return tuple(Origin(name) for name in islice(names, CITED))


def _conjuncts(node: Node) -> Iterator[Node]:
    if node["op"] == "and":
        for each in node["args"]:
            yield from _conjuncts(each)
    else:
        yield node


def _ties(var: str, node: Node) -> bool:
    """Does this condition tie the member to something outside it, by equality, a match or being listed?"""
    equality = (node["op"] == "compare" and node["cmp"] == "eq") or node["op"] in ("contains", "matches")
    if not equality or "left" not in node or "right" not in node:
        return False
    left, right = set(_names(node["left"])), set(_names(node["right"]))
    return (var in left and bool(right - {var}) and var not in right) or (
        var in right and bool(left - {var}) and var not in left
    )


def _names(node: Any) -> Iterator[str]:
    """The variables and roots that an expression looks at."""
    if isinstance(node, Mapping):
        if node.get("op") in ("var", "root"):
            yield node["name"]
        for each in node.values():
            yield from _names(each)
    elif isinstance(node, list | tuple):
        for each in node:
            yield from _names(each)


def _outer_paths(node: Any, bound: frozenset[str]) -> Iterator[Node]:
    """The paths ``subject.field`` of an expression that do not start at one of its own variables."""
    if isinstance(node, list | tuple):
        for each in node:
            yield from _outer_paths(each, bound)
    elif isinstance(node, Mapping):
        if isinstance(node.get("var"), str):
            bound |= {node["var"]}
        start = node
        while start.get("op") == "field":
            start = start["of"]
        if start is not node and start.get("op") in ("var", "root"):
            if start["name"] not in bound:
                yield node
            return
        for each in node.values():
            yield from _outer_paths(each, bound)
