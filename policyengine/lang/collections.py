"""Collections: comprehensions, ``distinct``, ``during``, ``consecutive``; quantifiers and aggregates over them."""

from __future__ import annotations

from dataclasses import replace

from policyengine.lang import syntax
from policyengine.lang.comparisons import Comparisons
from policyengine.lang.names import Node, Typed
from policyengine.lang.types import (
    COUNT,
    DECIMAL,
    ERROR,
    INT,
    MOMENTS,
    NUMBERS,
    PAIR,
    SHARE,
    TIMESTAMP,
    Type,
    described,
    is_record,
)

_PICKS_TIMES = {"smallest": "earliest", "largest": "latest"}
_PICKS_OTHERS = {times: others for others, times in _PICKS_TIMES.items()}
_PICKED_TYPES = {"int", "decimal", "duration", "count", "share"} | MOMENTS


class Collections(Comparisons):
    def collection(self, expr: syntax.Expr) -> Typed:
        """An expression that is a list of things."""
        if isinstance(expr, syntax.ListLiteral):
            return self.members(expr, ERROR)
        typed = self.expression(expr)
        if typed.type == ERROR or typed.type.many:
            return typed
        hint = "name a list of the evidence, such as `accounts`, or a field that is a list"
        return self.wrong(expr.span, "PE227", f"a list is needed here, this is {described(typed.type)}", hint)

    def _listliteral(self, expr: syntax.ListLiteral) -> Typed:
        return self.members(expr, ERROR)

    def _comprehension(self, expr: syntax.Comprehension) -> Typed:
        base = self.collection(expr.collection)
        with self.bound(expr.variable, base.type.member, base.node) as var:
            where = self.condition(expr.where).node if expr.where is not None else None
        if base.type == ERROR:
            return base
        node = {"op": "filter", "var": var, "in": base.node, "where": where, "type": base.type.name}
        return Typed(node, base.type, expr.span)

    def _over(self, value: syntax.Path, collection: syntax.Expr) -> tuple[Typed, str, Typed]:
        """``x.f of (x in C)``: the collection, its variable, the value. Over a plain list the first name is the variable."""
        head = value.names[0]
        variable, inner, where = head, collection, None
        if isinstance(collection, syntax.Comprehension):
            variable, inner, where = collection.variable, collection.collection, collection.where
        base = self.collection(inner)
        with self.bound(variable, base.type.member, base.node) as var:
            if variable.text != head.text:
                read = self.wrong(
                    head.span, "PE205", f"`{head.text}` is not the variable of this list", f"write `{variable.text}.`"
                )
            else:
                read = self.path(value)
        if where is None:
            return base, var, read
        with self.bound(variable, base.type.member, base.node) as filtered:
            condition = self.condition(where).node
        if base.type != ERROR:
            node = {"op": "filter", "var": filtered, "in": base.node, "where": condition, "type": base.type.name}
            base = replace(base, node=node)
        return base, var, read

    def _distinct(self, expr: syntax.Distinct) -> Typed:
        base, var, read = self._over(expr.value, expr.collection)
        if ERROR in (base.type, read.type):
            return Typed({"op": "error"}, ERROR, expr.span)
        if read.type.many or is_record(read.type):
            return self.wrong(expr.value.span, "PE227", f"`distinct` needs single values, this is {described(read.type)}",
                              "name a field that is one text, number or date")  # fmt: skip
        node = {"op": "distinct", "var": var, "value": read.node, "in": base.node, "type": read.type.name}
        return Typed(node, read.type.collection, expr.span)

    def _during(self, expr: syntax.During) -> Typed:
        base = self.collection(expr.collection)
        begin, end = self._instant(expr.begin), self._instant(expr.end)
        if ERROR in (base.type, begin.type, end.type):
            return Typed({"op": "error"}, ERROR, expr.span)
        if self._dated(base, expr, begin, end):
            return Typed({"op": "error"}, ERROR, expr.span)
        time, _ = self.time_of(base, expr.collection)
        if time is None:
            return Typed({"op": "error"}, ERROR, expr.span)
        node = {"op": "during", "in": base.node, "begin": begin.node, "end": end.node, "time": time, "type": base.type.name}
        return Typed(node, base.type, expr.span)

    def _dated(self, base: Typed, expr: syntax.During, begin: Typed, end: Typed) -> bool:
        """Report members whose own time is a date: `during` compares instants, and coverage is stated in instants."""
        declared = self.vocabulary.types.get(base.type.name)
        time = declared.time_field if declared else None
        if declared is None or time is None or declared.fields[time].name != "date":
            return False
        name = expr.collection.names[-1].text
        first, last = self.written(begin.span).strip("()"), self.written(end.span).strip("()")
        hint = (f"write `(x in {self.written(expr.collection.span)} where x.{time} is on or after date of {first}"
                f" and x.{time} is before date of {last})`")  # fmt: skip
        self.report(
            expr.collection.span, "PE238", f"`during` needs instants, and the time of {name}, `{time}`, is a date", hint
        )
        return True

    def _instant(self, expr: syntax.Expr) -> Typed:
        typed = self.moment(expr)
        if typed.type in (TIMESTAMP, ERROR):
            return typed
        return self.wrong(expr.span, "PE232", "an instant is needed here, this is a date", "write it with time and offset")

    def time_of(self, base: Typed, expr: syntax.Expr, dates: bool = False) -> tuple[str | None, str | None]:
        """The fields that hold the time and the sequence of a type; reported where a type has no time of its own."""
        declared = self.vocabulary.types.get(base.type.name)
        time = declared.time_field if declared else None
        if declared is None or time is None or (not dates and declared.fields[time].name != "timestamp"):
            hint = "use a list whose type has a time (policyengine schema prints it)"
            self.report(expr.span, "PE238", f"{described(base.type.member)} has no time of its own", hint)
            return None, None
        return time, "sequence" if "sequence" in declared.fields else None

    def _consecutive(self, expr: syntax.Consecutive) -> Typed:
        inner = expr.collection
        base = self.collection(inner.collection)
        with self.bound(inner.variable, base.type.member, base.node) as var:
            where = self.condition(inner.where).node if inner.where is not None else None
            by = self.value(expr.by)
            per = [self.value(path) for path in expr.per]
        if ERROR in (base.type, by.type, *(each.type for each in per)):
            return Typed({"op": "error"}, ERROR, expr.span)
        if by.type.name not in NUMBERS | MOMENTS | {"text"}:
            return self.wrong(expr.by.span, "PE225", f"{described(by.type)} has no order", "order by a number or a time")
        node = {"op": "consecutive", "var": var, "in": base.node, "where": where, "by": by.node,
                "per": [each.node for each in per], "type": base.type.name}  # fmt: skip
        return Typed(node, Type(PAIR + base.type.name, many=True), expr.span)

    def _quantified(self, expr: syntax.Quantified) -> Typed:
        base = self.collection(expr.collection)
        with self.bound(expr.variable, base.type.member, base.node) as var:
            where = self.condition(expr.where).node if expr.where is not None else None
            satisfies = self.condition(expr.satisfies).node if expr.satisfies is not None else None
        if base.type == ERROR:
            return self.truth({"op": "error"}, expr)
        node: Node = {
            "op": {"the latest": "latest"}.get(expr.quantifier, expr.quantifier),
            "var": var,
            "in": base.node,
            "where": where,
        }
        if expr.quantifier in ("every", "the latest"):
            node |= {"if_any": expr.if_any, "satisfies": satisfies}
        if expr.quantifier == "the latest":
            time, sequence = self.time_of(base, expr.collection, dates=True)
            if time is None:
                return self.truth({"op": "error"}, expr)
            node |= {"time": time, "sequence": sequence}
        return self.truth(node, expr)

    def _aggregate(self, expr: syntax.Aggregate) -> Typed:
        if expr.function == "count":
            base = self.collection(expr.collection)
            return Typed({"op": "count", "in": base.node, "type": "int"}, ERROR if base.type == ERROR else COUNT, expr.span)
        if expr.function == "share":
            return self._share(expr)
        if expr.value is None:
            raise AssertionError("the grammar gives every other aggregate a value")
        base, var, read = self._over(expr.value, expr.collection)
        if ERROR in (base.type, read.type):
            return Typed({"op": "error"}, ERROR, expr.span)
        return self._pick(expr, base, var, read)

    def _share(self, expr: syntax.Aggregate) -> Typed:
        part = expr.collection
        if not isinstance(part, syntax.Comprehension) or part.where is None:
            return self.wrong(part.span, "PE222", "a share needs a part: a list with `where`",
                              "write `share of (x in list where ..)`")  # fmt: skip
        typed = self.expression(part)
        if typed.type == ERROR:
            return typed
        return Typed({"op": "share", "in": typed.node, "type": "decimal"}, SHARE, expr.span)

    def _pick(self, expr: syntax.Aggregate, base: Typed, var: str, read: Typed) -> Typed:
        moments = read.type.name in MOMENTS
        if read.type.many or read.type.name not in _PICKED_TYPES or (expr.function == "sum" and moments):
            return self.wrong(expr.span, "PE225", f"`{expr.function}` has no meaning for {described(read.type)}",
                              "it is for numbers, lengths of time and times")  # fmt: skip
        better = (_PICKS_TIMES if moments else _PICKS_OTHERS).get(expr.function)
        if better:
            return self.wrong(expr.span, "PE226", f"`{expr.function}` is not for {described(read.type)}", f"write `{better}`")
        node = {"op": "pick", "fn": expr.function, "var": var, "value": read.node, "in": base.node, "type": read.type.name}
        return Typed(node, {"int": INT, "decimal": DECIMAL}.get(read.type.name, read.type), expr.span)

    def _nogap(self, expr: syntax.NoGap) -> Typed:
        base, var, read = self._over(expr.value, expr.collection)
        if ERROR in (base.type, read.type):
            return self.truth({"op": "error"}, expr)
        if read.type != INT:
            return self._failed(self.wrong(expr.value.span, "PE224", f"`no gap in` needs whole numbers, this is {described(read.type)}",
                                           "name a field such as `sequence`"))  # fmt: skip
        return self.truth({"op": "no_gap", "var": var, "value": read.node, "in": base.node}, expr)
