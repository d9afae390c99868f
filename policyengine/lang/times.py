"""Conditions about time: deadlines, ``is within``, ``recur``, ``is preceded`` and ``is followed`` (language standard 4.3)."""

from __future__ import annotations

from policyengine.lang import syntax
from policyengine.lang.collections import Collections
from policyengine.lang.names import Node, Typed
from policyengine.lang.types import DATE, ERROR, TIMESTAMP, described


class Times(Collections):
    def _deadline(self, expr: syntax.Deadline) -> Typed:
        value, length, start = self.moment(expr.value), self.length(expr.within), self.moment(expr.start)
        kind = self._one_kind(value, start, length)
        if kind is None:
            return self.truth({"op": "error"}, expr)
        node = {"op": "deadline", "value": value.node, "span": length.node, "start": start.node, "kind": kind,
                "held_by": self._held_by(value.node)}  # fmt: skip
        return self.truth(node, expr)

    def _held_by(self, node: Node) -> Node | None:
        """The collection whose coverage limits a missing value: where the variable was drawn from, without its filters."""
        while node["op"] in ("field", "date_of"):
            node = node["of"] if node["op"] == "field" else node["arg"]
        source = self.drawn_from.get(node["name"]) if node["op"] == "var" else None
        while source is not None and source["op"] in ("filter", "during"):
            source = source["in"]
        return source if source is not None and source["op"] in ("root", "field") else None

    def _one_kind(self, left: Typed, right: Typed, length: Typed) -> str | None:
        """``date`` or ``timestamp`` where both sides are that and the length can move it; None after a report."""
        if ERROR in (left.type, right.type, length.type):
            return None
        if left.type != right.type:
            self.dates_and_times(left, right)
            return None
        if left.type == TIMESTAMP and length.type.name == "period":
            self.period_needs_date(
                length,
                f"date of {self.written(left.span)} .. {self.written(length.span)} .. date of {self.written(right.span)}",
            )
            return None
        self.whole_days(length, left.type)
        return left.type.name

    def _within(self, expr: syntax.Within) -> Typed:
        value, length, anchor = self.moment(expr.value), self.length(expr.within), self.moment(expr.anchor)
        if {value.type, anchor.type} == {TIMESTAMP} and length.type.name == "period":
            rewritten = (f"date of {self.written(value.span)} is within {self.written(length.span)} {expr.relation}"
                         f" date of {self.written(anchor.span)}")  # fmt: skip
            self.period_needs_date(length, rewritten)
            return self.truth({"op": "error"}, expr)
        kind = self._one_kind(value, anchor, length)
        if kind is None:
            return self.truth({"op": "error"}, expr)
        node = {
            "op": "within",
            "value": value.node,
            "span": length.node,
            "relation": expr.relation,
            "anchor": anchor.node,
            "kind": kind,
        }
        return self.truth(node, expr)

    def _recur(self, expr: syntax.Recur) -> Typed:
        base = self.collection(expr.collection)
        interval, begin, end = self.length(expr.interval), self.moment(expr.begin), self.moment(expr.end)
        if ERROR in (base.type, interval.type, begin.type, end.type):
            return self.truth({"op": "error"}, expr)
        if begin.type != end.type:
            return self._failed(self.dates_and_times(begin, end))
        dates = begin.type == DATE
        if not dates and interval.type.name == "period":
            self.period_needs_date(interval, f"from date of {self.written(begin.span)} to date of {self.written(end.span)}")
            return self.truth({"op": "error"}, expr)
        self.whole_days(interval, begin.type)
        time, _ = self.time_of(base, expr.collection, dates=dates)
        if time is None:
            return self.truth({"op": "error"}, expr)
        node = {
            "op": "recur",
            "in": base.node,
            "every": interval.node,
            "begin": begin.node,
            "end": end.node,
            "time": time,
            "dates": dates,
        }
        return self.truth(node, expr)

    def _adjacent(self, expr: syntax.Adjacent) -> Typed:
        event, sequence = self._event(expr.event)
        length = self.length(expr.within) if expr.within is not None else None
        base = self.collection(expr.collection)
        with self.bound(expr.variable, base.type.member, base.node) as var:
            where = self.condition(expr.where).node if expr.where is not None else None
        if ERROR in (event.type, base.type) or (length is not None and length.type == ERROR):
            return self.truth({"op": "error"}, expr)
        if length is not None and length.type.name == "period":
            self.period_needs_date(length, "a duration in days")
            return self.truth({"op": "error"}, expr)
        time, own_sequence = self.time_of(base, expr.collection)
        if time is None:
            return self.truth({"op": "error"}, expr)
        node = {"op": expr.direction, "event": event.node, "event_sequence": sequence, "span": length.node if length else None,
                "var": var, "in": base.node, "where": where, "time": time, "sequence": own_sequence}  # fmt: skip
        return self.truth(node, expr)

    def _event(self, expr: syntax.Expr) -> tuple[Typed, Node | None]:
        """An event as its own time, with its sequence where its type has one; or a time as it is."""
        typed = self.value(expr)
        if typed.type in (TIMESTAMP, ERROR):
            return typed, None
        declared = self.vocabulary.types.get(typed.type.name)
        if declared is None or declared.time_field is None or declared.fields[declared.time_field].name != "timestamp":
            hint = "name an event, or a field of type timestamp"
            return self.wrong(expr.span, "PE238", f"{described(typed.type)} has no time of its own", hint), None
        node = {"op": "field", "of": typed.node, "name": declared.time_field, "type": "timestamp", "many": False}
        sequence = None
        if "sequence" in declared.fields:
            sequence = {"op": "field", "of": typed.node, "name": "sequence", "type": "int", "many": False}
        return Typed(node, TIMESTAMP, expr.span), sequence
