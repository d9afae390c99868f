"""Conditions over single values: logic, comparisons, ``is recorded``, ``contains``, ``matches``, ``is in force``, reachability."""

from __future__ import annotations

from abc import abstractmethod

from policyengine.core.coerce import Mismatch
from policyengine.lang import syntax
from policyengine.lang.literals import licence, purl_pattern, version_range
from policyengine.lang.names import Node, Typed
from policyengine.lang.types import (
    BOOL,
    COMPARE,
    ERROR,
    MOMENTS,
    TEXT,
    WORDS_FOR_OTHERS,
    WORDS_FOR_TIMES,
    Type,
    compare_kind,
    described,
    has_order,
    of_field,
    with_article,
)
from policyengine.lang.values import Values

_MATCH_KINDS = {"digest": "digests", "digests": "digests", "version": "version", "purl": "purl", "text": "text",
                "licences": "licences"}  # fmt: skip
_SYMBOLS = frozenset({"=", "!=", ">=", "<=", ">", "<"})


class Comparisons(Values):
    @abstractmethod
    def collection(self, expr: syntax.Expr) -> Typed:
        """A collection or a list; a later file of this room defines it."""

    def truth(self, node: Node, expr: syntax.Expr) -> Typed:
        return Typed(node, BOOL, expr.span)

    # -- logic

    def _and(self, expr: syntax.And) -> Typed:
        return self.truth({"op": "and", "args": [self.condition(each).node for each in expr.operands]}, expr)

    def _or(self, expr: syntax.Or) -> Typed:
        return self.truth({"op": "or", "args": [self.condition(each).node for each in expr.operands]}, expr)

    def _not(self, expr: syntax.Not) -> Typed:
        return self.truth({"op": "not", "arg": self.condition(expr.operand).node}, expr)

    def _if(self, expr: syntax.If) -> Typed:
        test, then = self.condition(expr.condition), self.condition(expr.consequence)
        return self.truth({"op": "if", "test": test.node, "then": then.node}, expr)

    # -- comparisons

    def _comparison(self, expr: syntax.Comparison) -> Typed:
        left, right = self.expression(expr.left), self.expression(expr.right)
        left, right = self.as_type(left, right.type), self.as_type(right, left.type)
        if ERROR in (left.type, right.type):
            return self.truth({"op": "error"}, expr)
        kind = compare_kind(left.type, right.type)
        if kind is None:
            return self._failed(self.mismatch(expr.span, left, right))
        cmp = COMPARE[expr.operator]
        if cmp not in ("eq", "ne") and not self._ordered(expr, kind, left, right):
            return self.truth({"op": "error"}, expr)
        self._fold_needs_text(expr, expr.ignoring_case, kind)
        node: Node = {"op": "compare", "cmp": cmp, "left": left.node, "right": right.node, "kind": kind,
                      "fold": expr.ignoring_case,
                      "bounds": bool({left.type.name, right.type.name} & {"count", "share"})}  # fmt: skip
        if kind == "enum" and left.type.ordered and cmp not in ("eq", "ne"):
            node["ranks"] = list(left.type.values)
        return self.truth(node, expr)

    def _failed(self, typed: Typed) -> Typed:
        """A condition that was reported: bool, so that nothing around it is reported too."""
        return Typed(typed.node, BOOL, typed.span)

    def _ordered(self, expr: syntax.Comparison, kind: str, left: Typed, right: Typed) -> bool:
        if not has_order(kind, left.type, right.type):
            hint = "use `is`, `is not` or `is one of`"
            if kind == "enum" and left.type.ordered and right.type.ordered:
                hint = "order is defined inside one enum only; compare with a value of the same field"
            self.report(expr.operator_span, "PE225", f"{described(left.type)} has no order", hint)
            return False
        if self.written(expr.operator_span) in _SYMBOLS:
            return True
        better = (WORDS_FOR_TIMES if kind in MOMENTS else WORDS_FOR_OTHERS).get(expr.operator)
        if better is not None:
            what = "dates and times" if kind in MOMENTS else "numbers, lengths, versions and ranks"
            self.report(expr.operator_span, "PE226", f"`{expr.operator}` is not for {what}", f"write `is {better}`")
        return better is None

    def _fold_needs_text(self, expr: syntax.Expr, fold: bool, kind: str) -> None:
        if fold and kind != "text":
            self.report(expr.span, "PE224", "`ignoring case` is for text only", "leave it out")

    def _oneof(self, expr: syntax.OneOf) -> Typed:
        left = self.value(expr.value)
        among = self.members(expr.collection, left.type)
        if left.type != ERROR and left.node["op"] == "literal":
            left = self.as_type(left, among.type)
        if ERROR in (left.type, among.type.member):
            return self.truth({"op": "error"}, expr)
        kind = compare_kind(left.type, among.type.member)
        if kind is None:
            hint = (
                'write the values as a list: `is one of ["..", ".."]`'
                if left.type.name == "enum"
                else "use a list of its own type"
            )
            return self._failed(self.wrong(expr.collection.span, "PE229", f"{described(left.type)} is never in"
                                           f" {described(among.type)}", hint))  # fmt: skip
        self._fold_needs_text(expr, expr.ignoring_case, kind)
        node = {
            "op": "one_of",
            "left": left.node,
            "in": among.node,
            "negated": expr.negated,
            "fold": expr.ignoring_case,
            "kind": kind,
        }
        return self.truth(node, expr)

    def members(self, expr: syntax.Expr, wanted: Type) -> Typed:
        """A collection whose text literals take the type that is wanted, as after ``is one of``."""
        if not isinstance(expr, syntax.ListLiteral):
            return self.collection(expr)
        items = []
        for value in expr.items:
            if not isinstance(value, syntax.Literal):
                items.append(
                    self.wrong(
                        value.span, "PE229", "a list in a condition holds plain values only", "write its values one by one"
                    )
                )
                continue
            item = self.as_type(self._literal(value), wanted)
            if ERROR not in (item.type, wanted) and compare_kind(item.type, wanted.member) is None:
                item = self.wrong(value.span, "PE229", f"{described(wanted.member)} is never {described(item.type)}",
                                  "list values of its own type")  # fmt: skip
            items.append(item)
        if not items:
            return self.wrong(expr.span, "PE229", "an empty list holds nothing", "list at least one value")
        type_ = next((item.type for item in items if item.type != ERROR), ERROR)
        return Typed({"op": "list", "items": [item.node for item in items], "type": type_.name}, type_.collection, expr.span)

    # -- tests

    def _recorded(self, expr: syntax.Recorded) -> Typed:
        arg = self.expression(expr.value)
        if arg.type == ERROR:
            return self.truth({"op": "error"}, expr)
        self.field_needed(arg)
        return self.truth({"op": "recorded", "arg": arg.node, "negated": expr.negated}, expr)

    def field_needed(self, typed: Typed) -> None:
        """``is recorded`` asks about a field, or the date of one; a root or a count is always there or not a value."""
        node = typed.node
        while node["op"] == "date_of":
            node = node["arg"]
        if node["op"] in ("field", "var", "stated", "error"):
            return
        hint = "name a field, such as `x.signed_at is recorded`"
        if node["op"] == "root":
            hint = (
                f"name a field of it; for members write `some x in {node['name']}`"
                if node["many"]
                else f"name a field: `{node['name']}.. is recorded`"
            )
        self.report(typed.span, "PE228", "`is recorded` asks about a field of a record", hint)

    def _contains(self, expr: syntax.Contains) -> Typed:
        left, right = self.expression(expr.value), self.value(expr.member)
        right = self.as_type(right, left.type.member) if left.type.many else right
        if ERROR in (left.type, left.type.member, right.type):
            return self.truth({"op": "error"}, expr)
        if left.type.many and compare_kind(left.type.member, right.type) is not None:
            return self.truth({"op": "contains", "left": left.node, "right": right.node, "kind": "list"}, expr)
        if left.type == TEXT and right.type == TEXT:
            return self.truth({"op": "contains", "left": left.node, "right": right.node, "kind": "text"}, expr)
        hint = "`contains` asks for a member of a list, or for a part of a text"
        if left.type.name == "digests":
            hint = f"write `{self.written(left.span)} matches {self.written(right.span)}`"
        return self._failed(
            self.wrong(expr.span, "PE229", f"{described(left.type)} does not contain {described(right.type)}", hint)
        )

    def _matches(self, expr: syntax.Matches) -> Typed:
        left = self.value(expr.value)
        kind = _MATCH_KINDS.get(left.type.name)
        if left.type == ERROR:
            self.expression(expr.pattern)
            return self.truth({"op": "error"}, expr)
        if kind is None:
            self.expression(expr.pattern)
            hint = "it is for digests, versions, package URLs, licences and text"
            return self._failed(
                self.wrong(expr.value.span, "PE230", f"`matches` has no meaning for {described(left.type)}", hint)
            )
        if kind == "licences":
            right = self._licence_list(expr.pattern)
        elif kind == "digests":
            right = self._digests(expr.pattern)
        else:
            right = self._pattern(expr.pattern, kind)
        if right.type == ERROR:
            return self._failed(right)
        return self.truth({"op": "matches", "left": left.node, "right": right.node, "kind": kind}, expr)

    def _licence_list(self, pattern: syntax.Expr) -> Typed:
        right = self.members(pattern, TEXT) if isinstance(pattern, syntax.ListLiteral) else self.expression(pattern)
        if right.type == ERROR or right.type == ERROR.collection:
            return Typed({"op": "error"}, ERROR, right.span)
        if not right.type.many or right.type.name not in ("text", "licences"):
            return self.wrong(pattern.span, "PE230", f"licences match a list of allowed ids, this is {described(right.type)}",
                              'write `matches ["MIT", "Apache-2.0"]`, or name a parameter of type list of text')  # fmt: skip
        if isinstance(pattern, syntax.ListLiteral):
            for item, node in zip(pattern.items, right.node["items"], strict=True):
                try:
                    licence(str(node["value"]))
                except Mismatch as found:
                    return self.wrong(item.span, "PE237", found.message, found.hint)
        return right

    def _digests(self, pattern: syntax.Expr) -> Typed:
        right = self.as_type(self.value(pattern), Type("digests"))
        if right.type.name in ("digest", "digests", "error"):
            return right
        return self.wrong(pattern.span, "PE230", f"digests match digests, this is {described(right.type)}",
                          "name the digests of the other artifact")  # fmt: skip

    def _pattern(self, pattern: syntax.Expr, kind: str) -> Typed:
        """A pattern is the author's: a literal or a parameter. Evidence that could say ``*`` would match everything."""
        right = self.value(pattern)
        if right.type == ERROR:
            return right
        if right.type != TEXT or right.node["op"] not in ("literal", "parameter"):
            what = {"version": "a VERS range", "purl": "a pattern for a package URL", "text": "a text with `*` and `?`"}[kind]
            return self.wrong(pattern.span, "PE230", f"{what} is needed here, as a text of the policy or a parameter",
                              "write it in quotes; to compare two fields use `is`")  # fmt: skip
        if right.node["op"] == "literal" and kind != "text":
            try:
                (version_range if kind == "version" else purl_pattern)(right.node["value"])
            except Mismatch as found:
                return self.wrong(pattern.span, "PE237", found.message, found.hint)
        return right

    def _inforce(self, expr: syntax.InForce) -> Typed:
        record, at = self.value(expr.record), self.moment(expr.at)
        if ERROR in (record.type, at.type):
            return self.truth({"op": "error"}, expr)
        type_ = self.vocabulary.types.get(record.type.name)
        if type_ is None or not {"valid_from", "valid_until"} <= set(type_.fields):
            hint = "it needs a record with `valid_from` and `valid_until`, such as a grant"
            return self._failed(
                self.wrong(expr.record.span, "PE235", f"`is in force` has no meaning for {described(record.type)}", hint)
            )
        declared = of_field(type_.fields["valid_from"])
        if declared != at.type:
            return self._failed(self.wrong(expr.at.span, "PE232", f"{with_article(record.type.name)} is valid from {described(declared)},"
                                           f" this is {described(at.type)}", "name a time of the same kind"))  # fmt: skip
        return self.truth({"op": "in_force", "record": record.node, "at": at.node, "kind": at.type.name}, expr)

    def _reachable(self, expr: syntax.Reachable) -> Typed:
        sides = []
        for side in (expr.component, expr.origin):
            typed = self.value(side)
            if typed.type.name not in ("component", "error"):
                typed = self.wrong(side.span, "PE236", f"a component is needed here, this is {described(typed.type)}",
                                   "name a component, such as `finding.component` or `sbom.product`")  # fmt: skip
            sides.append(typed.node)
        return self.truth({"op": "reachable", "component": sides[0], "origin": sides[1], "direct": expr.direct}, expr)
