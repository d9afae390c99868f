"""Conditions of a plan: logic, comparisons, membership, matching, time (language standard 3, 4.1, 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from policyengine.core.model import Collection, Record
from policyengine.core.outcome import CauseKind, Truth, Unknown, all_of, any_of, join, negate, unknown
from policyengine.engine import members as over
from policyengine.engine import moments, relations
from policyengine.engine.citing import CITED, Citer
from policyengine.engine.explain import shown_value
from policyengine.engine.findings import ReadValue
from policyengine.engine.members import Bounds
from policyengine.engine.values import Node, Reader, Run, Scope, Values, constant, path_text


class Conditions(Values):
    """Truth values from values."""

    if TYPE_CHECKING:

        def _no(self, node: Node) -> Reader:
            """No member of which the condition holds; :class:`Meaning` has it."""

    # logic and comparison

    def _and(self, node: Node) -> Reader:
        parts = [self.value(each) for each in node["args"]]
        return lambda scope: all_of(part(scope) for part in parts)

    def _or(self, node: Node) -> Reader:
        parts = [self.value(each) for each in node["args"]]
        return lambda scope: any_of(part(scope) for part in parts)

    def _not(self, node: Node) -> Reader:
        if node["arg"]["op"] == "some":
            return self._no(node["arg"])
        operand = self.value(node["arg"])
        return lambda scope: negate(operand(scope))

    def _if(self, node: Node) -> Reader:
        test, then = self.value(node["test"]), self.value(node["then"])

        def implied(scope: Scope) -> Truth:
            condition = negate(test(scope))
            return True if condition is True else any_of((condition, then(scope)))

        return implied

    def _compare(self, node: Node) -> Reader:
        if node.get("bounds"):
            return self._compare_bounds(node)
        return self._lifted(self._comparison(node), node["left"], node["right"])

    def _comparison(self, node: Node) -> Callable[[Any, Any], Truth]:
        cmp, kind = node["cmp"], node["kind"]
        order = relations.ORDER[cmp]
        if kind == "version":
            return lambda a, b: relations.compare_versions(cmp, a, b)
        if kind == "record":
            return lambda a, b: order(a is b or _identity(a) == _identity(b), True)
        if node.get("ranks"):
            rank = {word: position for position, word in enumerate(node["ranks"])}
            return lambda a, b: order(rank[a], rank[b])
        if node.get("fold"):
            return lambda a, b: order(a.casefold(), b.casefold())
        return order

    def _compare_bounds(self, node: Node) -> Reader:
        left, right, cmp = self._bounds(node["left"]), self._bounds(node["right"]), node["cmp"]

        def compared(scope: Scope) -> Truth:
            sides = (left(scope), right(scope))
            left_open = [side for side in sides if isinstance(side, Unknown)]
            return join(left_open) if left_open else over.compare_bounds(cmp, *sides)

        return compared

    def _bounds(self, node: Node) -> Reader:
        """A number with its bounds: a count, a share, or any other number, which is its own bound."""
        trace = self.trace
        if node["op"] == "count":
            collection = self.members(node["in"])

            def number(scope: Scope) -> Bounds | Unknown:
                return over.count(collection(scope))

        elif node["op"] == "share":
            part = node["in"]
            base, where = self.members(part["in"]), self._test(part["var"], part["where"])

            def number(scope: Scope) -> Bounds | Unknown:
                return over.share(base(scope), partial(where, scope))

        else:
            plain = self.value(node)

            def number(scope: Scope) -> Bounds | Unknown:
                value = plain(scope)
                return value if isinstance(value, Unknown) else Bounds(Fraction(value), Fraction(value))

            return number
        if trace is None:
            return number

        def noted(scope: Scope) -> Bounds | Unknown:
            value = number(scope)
            exact = isinstance(value, Bounds) and value.low == value.high
            text = shown_value(value.low) if isinstance(value, Bounds) and exact else None
            trace.append(ReadValue(f"{node['op']} of {path_text(node['in'])}", text))
            return value

        return noted

    def _one_of(self, node: Node) -> Reader:
        left, negated = self.value(node["left"]), node["negated"]
        equal = self._comparison({"cmp": "eq", "kind": node["kind"], "fold": node.get("fold")})
        collection = self.members(node["in"])
        constants = (
            _constants(node["in"], self.run) if node["kind"] in ("text", "enum", "int") and not node.get("fold") else None
        )

        def listed(scope: Scope) -> Truth:
            value = left(scope)
            if isinstance(value, Unknown):
                return value
            if constants is not None:
                found: Truth = value in constants
            else:
                found = over.some(collection(scope), lambda item: item if isinstance(item, Unknown) else equal(value, item))
            return negate(found) if negated else found

        return listed

    def _recorded(self, node: Node) -> Reader:
        read, negated = self.value(node["arg"]), node["negated"]

        def recorded(scope: Scope) -> bool:
            value = read(scope)
            empty = isinstance(value, Unknown) or value == () or (isinstance(value, Collection) and not value.items)
            return empty if negated else not empty

        return recorded

    def _contains(self, node: Node) -> Reader:
        if node["kind"] == "text":
            return self._lifted(lambda text, part: part in text, node["left"], node["right"])
        collection, member = self.members(node["left"]), self.value(node["right"])

        def contained(scope: Scope) -> Truth:
            wanted = member(scope)
            return wanted if isinstance(wanted, Unknown) else over.some(collection(scope), lambda item: item == wanted)

        return contained

    def _matches(self, node: Node) -> Reader:
        kind = node["kind"]
        if kind == "licences":
            expression, allowed = self.value(node["left"]), self.members(node["right"])

            def permitted(scope: Scope) -> Truth:
                value, listed = expression(scope), over.certain_values(allowed(scope), lambda item: item)
                if isinstance(value, Unknown) or isinstance(listed, Unknown):
                    return join(v for v in (value, listed) if isinstance(v, Unknown))
                return relations.licences_allowed(value, frozenset(map(str, listed)))

            return permitted
        by_kind: dict[str, Callable[[Any, Any], Truth]] = {
            "digests": lambda a, b: relations.same_artifact(_listed(a), _listed(b)),
            "version": relations.version_in_range,
            "purl": relations.purl_matches,
            "text": relations.text_matches,
        }
        return self._lifted(by_kind[kind], node["left"], node["right"])

    # time

    def _deadline(self, node: Node) -> Reader:
        value, span, start = (self.value(node[key]) for key in ("value", "span", "start"))
        held_by = self.members(node["held_by"]) if node.get("held_by") else None
        now = self.run.now if node["kind"] == "timestamp" else self._local_date(self.run.now)
        what = path_text(node["value"])

        def due(scope: Scope) -> Truth:
            length, begin = span(scope), start(scope)
            left_open = [v for v in (length, begin) if isinstance(v, Unknown)]
            if left_open:
                return join(left_open)
            try:
                return moments.deadline(value(scope), length, begin, now, held_by(scope) if held_by else None, what)
            except OverflowError:
                return relations.incomparable(shown_value(begin), shown_value(length))

        return due

    def _within(self, node: Node) -> Reader:
        relation, what = node["relation"], path_text(node["value"])
        today = self._local_date(self.run.now)

        def near(value: Any, span: Any, anchor: Any) -> Truth:
            now = self.run.now if isinstance(value, datetime) else today
            return moments.within(value, span, relation, anchor, now, what)

        return self._lifted(near, node["value"], node["span"], node["anchor"])

    def _in_force(self, node: Node) -> Reader:
        what = path_text(node["record"])
        return self._lifted(lambda record, at: moments.in_force(record, at, what), node["record"], node["at"])

    def _preceded(self, node: Node) -> Reader:
        return self._adjacent(node)

    def _followed(self, node: Node) -> Reader:
        return self._adjacent(node)

    def _adjacent(self, node: Node) -> Reader:
        event, collection, where = node["event"], self.members(node["in"]), self._test(node["var"], node["where"])
        record = self.value(event["of"]) if event["op"] == "field" else None
        sequence = self.value(node["event_sequence"]) if node.get("event_sequence") else None
        at, span = self.value(event), self.value(node["span"]) if node.get("span") else None

        def near(scope: Scope) -> Truth:
            when, length = at(scope), span(scope) if span else None
            left_open = [v for v in (when, length) if isinstance(v, Unknown)]
            if left_open:
                return join(left_open)
            order = sequence(scope) if sequence else None
            try:
                return moments.adjacent(
                    node["op"], record(scope) if record else None, when, None if isinstance(order, Unknown) else order, length,
                    collection(scope), partial(where, scope), node["time"], node["sequence"], self.run.now,
                    self.run.strict)  # fmt: skip
            except OverflowError:
                return relations.incomparable(shown_value(when), shown_value(length))

        if self.trace is None:
            return near
        citer, trace, time = Citer(self, node, node["where"]), self.trace, node["time"]

        def noting(item: Any) -> None:
            trace.append(ReadValue(f"{node['var']}.{time}", shown_value(item.fields.get(time)), item.origin))

        def explained(scope: Scope) -> Truth:
            verdict, when = near(scope), at(scope)
            if isinstance(when, Unknown):
                return verdict
            there: list[Any] = [item for item, _ in collection(scope).items if where(scope, item) is not False]
            if verdict is True:
                there = [item for item in there if _on_the_side(node["op"], item.fields.get(time), when)]
            if not citer.members(scope, _closest(there, time, when), noting):
                citer.nearest(scope, noting)
            return verdict

        return explained

    def _recur(self, node: Node) -> Reader:
        collection, dates, time = self.members(node["in"]), node["dates"], node["time"]
        bounds = [self.value(node[key]) for key in ("every", "begin", "end")]
        now = self._local_date(self.run.now) if dates else self.run.now
        what, trace = path_text(node["in"]), self.trace

        def when(item: Any) -> Any:
            value = item.fields.get(time)
            if value is None:
                return unknown(CauseKind.MISSING_FIELD, f"{time} of a member of {what}", item.origin)
            return self._local_date(value) if dates else value

        def recurring(scope: Scope) -> Truth:
            values = [read(scope) for read in bounds]
            left_open = [v for v in values if isinstance(v, Unknown)]
            if left_open:
                return join(left_open)
            try:
                return judged(scope, values)
            except OverflowError:
                return relations.incomparable(shown_value(values[0]), shown_value(values[1]))

        def judged(scope: Scope, values: list[Any]) -> Truth:
            span, begin, end = values[0], *(self._local_date(v) if dates else v for v in values[1:])
            found = collection(scope)
            if trace is not None:
                times = [when(item) for item in found.certain]
                gap = moments.longest_gap(
                    begin, end, [t for t in times if not isinstance(t, Unknown) and begin <= t <= end], span
                )
                if gap:
                    trace.append(ReadValue(f"longest gap in {what}", f"{shown_value(gap[0])} to {shown_value(gap[1])}"))
            return moments.recurs(found, span, begin, end, when, now, self.run.strict)

        return recurring


def _on_the_side(op: str, time: Any, when: Any) -> bool:
    return time is not None and bool(time <= when if op == "preceded" else time >= when)


def _closest(items: list[Any], time: str, when: Any) -> list[Any]:
    """The few members nearest in time, in list order; those without a time first, for they leave it open."""
    if len(items) <= CITED:
        return items
    distances = [abs(item.fields[time] - when) if item.fields.get(time) is not None else timedelta(-1) for item in items]
    return [items[place] for place in sorted(sorted(range(len(items)), key=distances.__getitem__)[:CITED])]


def _listed(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _identity(record: Any) -> Any:
    return (record.type, record.fields.get("id") or record.origin or id(record)) if isinstance(record, Record) else record


def _constants(node: Node, run: Run) -> frozenset[Any] | None:
    if node["op"] == "parameter":
        return frozenset(run.parameters[node["name"]])
    if node["op"] == "list" and all(each["op"] == "literal" for each in node["items"]):
        return frozenset(constant(each["type"], each["value"]) for each in node["items"])
    return None
