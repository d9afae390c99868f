"""Single values: literals and the type they take, arithmetic, ``date of``, table lookups, calls of defines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from policyengine.core.coerce import Mismatch
from policyengine.core.diagnostic import Span, nearest
from policyengine.core.vocabulary import PLAIN_TYPES
from policyengine.lang import syntax
from policyengine.lang.literals import enum_value, read_literal, text_becomes
from policyengine.lang.names import DEEPEST_EXPRESSION, Module, Names, ParameterInfo, TooLarge, Typed, suggested
from policyengine.lang.plan import plan_value
from policyengine.lang.types import (
    BECOMES_FROM_TEXT,
    BOOL,
    COUNT,
    DATE,
    ERROR,
    NUMBERS,
    SHARE,
    SPANS,
    TEXT,
    TIMESTAMP,
    Type,
    described,
    is_record,
    of_field,
    sum_type,
)


class Values(Names):
    """``expression`` types anything; ``condition``, ``value``, ``moment`` and ``length`` demand one kind of thing."""

    def expression(self, expr: syntax.Expr) -> Typed:
        self.depth += 1
        if self.depth > DEEPEST_EXPRESSION:
            raise TooLarge(f"more than {DEEPEST_EXPRESSION} levels after every define is written out")
        try:
            self.grow(1)
            handler: Callable[[Any], Typed] = getattr(self, f"_{type(expr).__name__.lower()}")
            return handler(expr)
        finally:
            self.depth -= 1

    def condition(self, expr: syntax.Expr) -> Typed:
        """An expression that is true or false."""
        typed = self.expression(expr)
        if typed.type in (BOOL, ERROR):
            return typed
        if typed.type == TEXT and isinstance(expr, syntax.Literal):
            if self.told_before(expr.span):
                return Typed({"op": "error"}, ERROR, expr.span)
            return self.wrong(expr.span, "PE221", "a text alone is not a condition",
                              f'to allow several values write `is one of [.., "{expr.text}"]`')  # fmt: skip
        hint = "compare it with something, or ask whether it `is recorded`"
        return self.wrong(expr.span, "PE221", f"a condition is true or false, this is {described(typed.type)}", hint)

    def value(self, expr: syntax.Expr) -> Typed:
        """An expression that is one value: no list, no count."""
        typed = self.expression(expr)
        if typed.type.many:
            hint = "write `.. contains ..`, or ask for its members with `some`, `no` or `every`"
            return self.wrong(expr.span, "PE220", f"one value is needed here, this is {described(typed.type)}", hint)
        if typed.type in (COUNT, SHARE):
            return self.wrong(expr.span, "PE222", f"`{typed.type.name} of` can only be compared with a number",
                              f"write `{self.written(expr.span)} is at least 1`")  # fmt: skip
        return typed

    def moment(self, expr: syntax.Expr) -> Typed:
        """A date or an instant."""
        typed = self.value(expr)
        if typed.type in (DATE, TIMESTAMP, ERROR):
            return typed
        return self.wrong(expr.span, "PE224", f"a date or a time is needed here, this is {described(typed.type)}",
                          "name a field that ends in `_at` or `_on`, or `time`")  # fmt: skip

    def length(self, expr: syntax.Expr) -> Typed:
        """A duration or a period."""
        typed = self.value(expr)
        if typed.type.name in SPANS or typed.type == ERROR:
            return typed
        return self.wrong(expr.span, "PE234", f"a length of time is needed here, this is {described(typed.type)}",
                          "write `30 days`, `24 hours` or `6 months`, or name a parameter of type duration")  # fmt: skip

    def told_before(self, text: Span) -> bool:
        """Whether the reading of the words already said that this text is a second choice, ``is "x" or "y"``."""
        source = self.module.source
        before = source.text[: text.start].rstrip()
        joint = len(before) - (2 if before.endswith("or") else 3)
        return bool(self.second_choices) and source.place(joint) in self.second_choices

    # -- literals

    def _literal(self, literal: syntax.Literal) -> Typed:
        try:
            type_, read = read_literal(literal)
        except Mismatch as found:
            return self.wrong(literal.span, "PE237", found.message, found.hint)
        return Typed({"op": "literal", "type": type_.name, "value": plan_value(read)}, type_, literal.span)

    def as_type(self, typed: Typed, target: Type) -> Typed:
        """A text literal as the type of the other side; anything else as it is."""
        if typed.type != TEXT or typed.node["op"] != "literal" or target.name not in BECOMES_FROM_TEXT:
            return typed
        text = typed.node["value"]
        if target.name == "enum":
            return self._as_enum(typed, target.member, text)
        try:
            value = text_becomes(target, text)
        except Mismatch as found:
            return self.wrong(typed.span, "PE237", found.message, found.hint)
        return Typed({"op": "literal", "type": target.name, "value": value}, target.member, typed.span)

    def _as_enum(self, typed: Typed, target: Type, text: str) -> Typed:
        hint = enum_value(target, text)
        if hint is not None and (self.in_filter or not target.open):
            note = f"its values: {', '.join(target.values)}"
            if target.open:
                note += "; a `for each` with another value would judge nobody, so it is refused here"
            return self.wrong(typed.span, "PE204", f"`{text}` is not a value of this field", hint, note)
        if hint is not None:
            self.warn(typed.span, "PE322", f"`{text}` is not a known value of this field", hint,
                      f"known values: {', '.join(target.values)}; others can occur in evidence")  # fmt: skip
        return Typed({"op": "literal", "type": "enum", "value": text}, target, typed.span)

    # -- names

    def _path(self, path: syntax.Path) -> Typed:
        return self.path(path)

    def _lookup(self, lookup: syntax.Lookup) -> Typed:
        module, name = self._module_of(lookup.table)
        key = self.value(lookup.key)
        info = module.parameters.get(name.text) if module else None
        if module is None or info is None or info.key is None:
            return self._no_table(module or self.module, name, info)
        self.used_parameters.add(module.prefix + name.text)
        if key.type != ERROR and (key.type.name != "enum" or set(key.type.values) != set(info.key.values)):
            return self.wrong(lookup.key.span, "PE239", f"the table `{name.text}` is looked up by {described(info.key)},"
                              f" this is {described(key.type)}", "name a field with the same values")  # fmt: skip
        node = {"op": "lookup", "name": module.prefix + name.text, "key": key.node, "type": info.type.name}
        return Typed(node, info.type, lookup.span)

    def _no_table(self, module: Module, name: syntax.Name, info: ParameterInfo | None) -> Typed:
        tables = [each for each, declared in module.parameters.items() if declared.key]
        if info is None and (name.text in module.lost or module.missing):
            return Typed({"op": "error"}, ERROR, name.span)
        if info is not None:
            return self.wrong(name.span, "PE205", f"`{name.text}` is one value, not a table", f"write `{name.text}` alone")
        close = nearest(name.text, tables)
        listed = f"tables: {', '.join(tables)}" if tables else "declare `parameter .. by type.field = { .. }`"
        return self.wrong(name.span, "PE205", f"there is no table parameter `{name.text}`",
                          f"did you mean `{close}`?" if close else listed)  # fmt: skip

    def _module_of(self, path: syntax.Path) -> tuple[Module | None, syntax.Name]:
        """The policy that declares a parameter or define, and its name there."""
        if len(path.names) == 1:
            return self.module, path.names[0]
        if len(path.names) == 2 and path.names[0].text in self.module.uses:
            return self.module.uses[path.names[0].text], path.names[1]
        return None, path.names[0]

    def _call(self, call: syntax.Call) -> Typed:
        module, name = self._module_of(call.function)
        arguments = [self.value(argument) for argument in call.arguments]
        define = module.defines.get(name.text) if module else None
        if module is None or define is None:
            return self._no_define(call, module, name)
        written = (
            f"{call.function.text}({', '.join(f'{parameter.text}: {type_.text}' for parameter, type_ in define.parameters)})"
        )
        if len(arguments) != len(define.parameters):
            needed = len(define.parameters)
            return self.wrong(call.span, "PE209", f"`{name.text}` takes {needed} argument{'s' * (needed != 1)}, {len(arguments)} given",
                              f"write `{written}`")  # fmt: skip
        given: dict[str, Typed] = {}
        for (parameter, type_name), argument in zip(define.parameters, arguments, strict=True):
            wanted = self.named_type(type_name.text)
            adapted = self.as_type(argument, wanted) if wanted else argument
            if wanted and not self._fits(adapted.type, wanted):
                return self.wrong(argument.span, "PE209", f"`{parameter.text}` of `{name.text}` is {described(wanted)},"
                                  f" this is {described(argument.type)}", f"write `{written}`")  # fmt: skip
            given[parameter.text] = adapted
        return replace(self.inline(module, name, define.body, given), span=call.span)

    def _no_define(self, call: syntax.Call, module: Module | None, name: syntax.Name) -> Typed:
        lost = name.text in (module or self.module).lost
        if lost or (module is not None and module.missing):
            return Typed({"op": "error"}, ERROR, call.span)
        if module is None:
            aliases = ", ".join(self.module.uses) or "none"
            return self.wrong(name.span, "PE200", f"`{name.text}` is no used policy", f"policies used here: {aliases}")
        known = [*module.defines, *(f"{alias}.{each}" for alias, used in self.module.uses.items() for each in used.defines)]
        close = suggested(call.function.text, known) or next((each for each in known if each.endswith("." + name.text)), None)
        hint = f"did you mean `{close}`?" if close else f"defines here: {', '.join(known) or 'none'}"
        return self.wrong(name.span, "PE200", f"there is no define `{name.text}`", hint)

    def named_type(self, name: str) -> Type | None:
        """A plain type or a record type of the vocabulary by its name."""
        return Type(name) if name in PLAIN_TYPES or name in self.vocabulary.types else None

    def _fits(self, given: Type, wanted: Type) -> bool:
        if given == ERROR or given.name == wanted.name or (given.name, wanted.name) == ("int", "decimal"):
            return True
        if not (is_record(given) and is_record(wanted)):
            return False
        has = self.vocabulary.types[given.name].fields
        return all(name in has and of_field(has[name]) == of_field(each)
                   for name, each in self.vocabulary.types[wanted.name].fields.items())  # fmt: skip

    # -- arithmetic

    def _sum(self, sum_: syntax.Sum) -> Typed:
        left, right = self.value(sum_.left), self.value(sum_.right)
        if ERROR in (left.type, right.type):
            return Typed({"op": "error"}, ERROR, sum_.span)
        result = sum_type(sum_.operator, left.type, right.type)
        if result is None:
            return self._no_sum(sum_, left, right)
        self.whole_days(right if right.type.name in SPANS else left, result)
        op = "add" if sum_.operator == "+" else "sub"
        node = {"op": op, "left": left.node, "right": right.node, "kind": result.name, "type": result.name}
        return Typed(node, result, sum_.span)

    def _no_sum(self, sum_: syntax.Sum, left: Typed, right: Typed) -> Typed:
        names = {left.type.name, right.type.name}
        if names == {"timestamp", "period"}:
            period, instant = (right, left) if right.type.name == "period" else (left, right)
            return self.period_needs_date(
                period, f"date of {self.written(instant.span)} {sum_.operator} {self.written(period.span)}"
            )
        if names == {"timestamp", "date"}:
            return self.dates_and_times(left, right)
        hint = "numbers, dates, times and lengths of time can be added; nothing else"
        verb = "added to" if sum_.operator == "+" else "taken from"
        first, second = (right, left) if sum_.operator == "-" else (left, right)
        return self.wrong(sum_.span, "PE233", f"{described(first.type)} cannot be {verb} {described(second.type)}", hint)

    def _dateof(self, date_of: syntax.DateOf) -> Typed:
        arg = self.value(date_of.value)
        if arg.type == DATE:
            return self.wrong(date_of.span, "PE232", "this is a date already", f"write `{self.written(arg.span)}`")
        if arg.type not in (TIMESTAMP, ERROR):
            return self.wrong(date_of.value.span, "PE224", f"`date of` needs a time, this is {described(arg.type)}",
                              "name a field of type timestamp")  # fmt: skip
        return Typed({"op": "date_of", "arg": arg.node, "zone": self.zone, "type": "date"}, DATE, date_of.span)

    # -- what dates, times and lengths may do together

    def period_needs_date(self, period: Typed, rewritten: str) -> Typed:
        days = ""
        if period.node["op"] == "literal":
            years, months = divmod(period.node["value"], 12)
            days = f", or {years * 365 + months * 30} days"
        return self.wrong(
            period.span, "PE231", "months and years need a date, this is a timestamp", f"write `{rewritten}`{days}"
        )

    def dates_and_times(self, left: Typed, right: Typed) -> Typed:
        """Report that a date meets a timestamp; the caret is at the timestamp."""
        instant = left if left.type == TIMESTAMP else right
        return self.wrong(instant.span, "PE232", "a date and a time do not compare, this is a timestamp",
                          f"write `date of {self.written(instant.span)}`")  # fmt: skip

    def whole_days(self, length: Typed, target: Type) -> None:
        """A date moves by whole days only."""
        if (
            target == DATE
            and length.type.name == "duration"
            and length.node["op"] == "literal"
            and length.node["value"] % 86400
        ):
            self.report(length.span, "PE234", "a date can only be moved by whole days", "write it in days, or compare times")

    def numeric(self, typed: Typed) -> bool:
        return typed.type.name in NUMBERS and not typed.type.many

    def mismatch(self, span: Span, left: Typed, right: Typed) -> Typed:
        """Report two types that never compare, with the hint that fits."""
        if {left.type, right.type} == {DATE, TIMESTAMP}:
            return self.dates_and_times(left, right)
        hint = "compare values of one type"
        for one, other in ((left, right), (right, left)):
            if one.type.many:
                hint = f"write `{self.written(one.span)} contains ..`"
            elif is_record(one.type) and not is_record(other.type):
                key = self.vocabulary.types[one.type.name].key_fields if one.type.name in self.vocabulary.types else ()
                hint = f"compare a field of it, such as `{self.written(one.span)}.{next(iter(key), 'id')}`"
        if left.type.name in ("digests", "digest") and right.type.name in ("digests", "digest"):
            hint = f"write `{self.written(left.span)} matches {self.written(right.span)}`"
        return self.wrong(span, "PE224", f"{described(left.type)} does not compare with {described(right.type)}", hint)
