"""A whole policy: its header, parameters, tables, lets, defines and rules, from syntax tree to plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policyengine.core.coerce import Mismatch, Reader
from policyengine.core.diagnostic import Span, nearest
from policyengine.core.model import Period
from policyengine.core.vocabulary import FieldType
from policyengine.lang import syntax
from policyengine.lang.literals import raw_value, read_literal, right_kind
from policyengine.lang.names import DEEPEST_PLAN, Module, Node, TooLarge, Typed
from policyengine.lang.plan import depth_of, plan_value
from policyengine.lang.times import Times
from policyengine.lang.types import ERROR, PARAMETER_TYPES

SPLIT = "split the rule, or use fewer defines inside each other"
_HOLE = re.compile(r"\{([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)\}")
LANGUAGES = ("2",)


class Check(Times):
    """Gives the parts of a plan; what is wrong is in ``diagnostics``."""

    # -- header

    def header(self, header: syntax.Header) -> dict[str, Any]:
        if header.language is not None and header.language not in LANGUAGES:
            self.report(
                header.span, "PE241", f"language version {header.language} is not known", f"write `language {LANGUAGES[-1]}`"
            )
        begin, until = self._date(header.effective_from), self._date(header.effective_until)
        if begin and until and until < begin:
            self.report(header.effective_until.span if header.effective_until else header.span, "PE241",
                        f"the policy ends on {until}, before it begins on {begin}", "swap the dates")  # fmt: skip
        return {
            "id": header.id.text, "version": header.version, "title": header.title, "owner": header.owner, "purpose": header.purpose,
            "effective_from": begin, "effective_until": until, "time_zone": header.time_zone.value if header.time_zone else "UTC",
        }  # fmt: skip

    def zone_known(self, header: syntax.Header) -> None:
        if header.time_zone is None:
            return
        try:
            ZoneInfo(header.time_zone.value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.report(
                header.time_zone.span,
                "PE241",
                f"`{header.time_zone.value}` is not a time zone",
                'write `"Europe/Zurich"` or `"UTC"`',
            )

    def _date(self, literal: syntax.Literal | None) -> str | None:
        if literal is None:
            return None
        try:
            return str(plan_value(read_literal(literal)[1]))
        except Mismatch as problem:
            self.report(literal.span, "PE237", problem.message, problem.hint)
            return None

    # -- parameters

    def parameter(self, parameter: syntax.Parameter) -> dict[str, Any]:
        self.refuse_reserved(parameter.name)
        value = self._typed_value(parameter.type, parameter.value)
        allowed = self._allowed(parameter.type, parameter.allowed)
        for each in value if isinstance(value, list) else [value]:
            self._within_allowed(parameter, each, allowed)
        return self._declaration(parameter.name, parameter.type, value, allowed, parameter.note, None)

    def table(self, table: syntax.Table) -> dict[str, Any]:
        self.refuse_reserved(table.name)
        key = self.table_key(table)
        allowed = self._allowed(table.type, table.allowed)
        entries: dict[str, Any] = {}
        for name, value in table.entries.pairs:
            if key is not None and name.text not in key.values:
                close = nearest(name.text, key.values)
                hint = f"did you mean `{close}`?" if close else f"its values: {', '.join(key.values)}"
                self.report(name.span, "PE239", f"`{name.text}` is not a value of {table.key.text}", hint)
            if name.text in entries:
                self.report(name.span, "PE207", f"`{name.text}` has two entries", "keep one of them")
            entries[name.text] = self._typed_value(table.type, value)
            self._within_allowed(table, entries[name.text], allowed)
        missing = [value for value in (key.values if key else ()) if value not in entries]
        if missing:
            self.warn(
                table.entries.span, "PE320", f"no entry for {', '.join(missing)}", "a subject with this value will be unknown"
            )
        type_, _, field = table.key.text.rpartition(".")
        return self._declaration(table.name, table.type, entries, allowed, table.note, {"type": type_, "field": field})

    def table_key(self, table: syntax.Table) -> FieldType | None:
        """The closed enum that a table is looked up by; reported where the path names anything else."""
        names = [name.text for name in table.key.names]
        declared = self.vocabulary.types.get(names[0]) if len(names) == 2 else None
        field = declared.fields.get(names[1]) if declared else None
        if field is not None and field.name == "enum" and not field.open:
            return field
        self.report(table.key.span, "PE239", f"`{table.key.text}` is not a closed list of values",
                    "name a type and its field, such as `vulnerability.severity`")  # fmt: skip
        return None

    def _declaration(self, name: syntax.Name, type_: syntax.TypeName, value: Any, allowed: Any, note: syntax.Text | None,
                     key: Any) -> dict[str, Any]:  # fmt: skip
        return {"name": name.text, "type": type_.name, "many": type_.many, "value": value, "allowed": allowed,
                "note": note.value if note else None, "key": key}  # fmt: skip

    def _typed_value(self, type_: syntax.TypeName, value: syntax.Value) -> Any:
        if type_.name not in PARAMETER_TYPES:
            close = nearest(type_.name, PARAMETER_TYPES)
            hint = f"did you mean `{close}`?" if close else f"types: {', '.join(sorted(PARAMETER_TYPES))}"
            self.report(type_.span, "PE205", f"`{type_.name}` is not a type of a parameter", hint)
            return None
        one = FieldType(type_.name)
        for each in value.items if type_.many and isinstance(value, syntax.ListLiteral) else (value,):
            if isinstance(each, syntax.Literal) and not (type_.many and each is value) and (slip := right_kind(each, one)):
                self.report(each.span, "PE205", slip.message, slip.hint)
                return None
        try:
            typed = Reader(self.vocabulary).value(FieldType(type_.name, type_.many), raw_value(value))
        except Mismatch as problem:
            self.report(value.span, "PE205", problem.message, problem.hint)
            return None
        if typed is None:
            self.report(value.span, "PE205", "a parameter needs a value", "write the default here")
        return plan_value(typed) if typed is not None else None

    def _allowed(self, type_: syntax.TypeName, allowed: syntax.Allowed | None) -> dict[str, Any] | None:
        if allowed is None:
            return None
        one = syntax.TypeName(type_.span, type_.name, False)
        if allowed.values is not None:
            return {"values": [self._typed_value(one, each) for each in allowed.values.items]}
        if allowed.low is None or allowed.high is None:
            raise AssertionError("the grammar gives a range both its ends")
        return {"low": self._typed_value(one, allowed.low), "high": self._typed_value(one, allowed.high)}

    def _within_allowed(self, owner: syntax.Parameter | syntax.Table, value: Any, allowed: dict[str, Any] | None) -> None:
        if allowed is None or value is None or None in allowed.values():
            return
        if not permitted(owner.type.name, value, allowed):
            self.report(owner.name.span, "PE205", f"the value of `{owner.name.text}` is outside what it allows",
                        "change the value, or what is allowed")  # fmt: skip

    # -- lets and defines, where they stand

    def declared_alone(self, module: Module) -> None:
        """Check each let and define once in its own place, used or not."""
        for let in module.lets.values():
            self.refuse_reserved(let.name)
            self.start_rule()
            self._guarded(let.name, let.value)
        for define in module.defines.values():
            self.refuse_reserved(define.name)
            self.start_rule()
            arguments: dict[str, Typed] = {}
            for name, type_name in define.parameters:
                self.refuse_reserved(name)
                type_ = self.named_type(type_name.text)
                if type_ is None:
                    known = (*sorted(PARAMETER_TYPES), *self.vocabulary.types)
                    close = nearest(type_name.text, known)
                    hint = (
                        f"did you mean `{close}`?" if close else "use a plain type, or a type that `policyengine schema` prints"
                    )
                    self.report(type_name.span, "PE209", f"there is no type `{type_name.text}`", hint)
                node = {"op": "var", "name": name.text, "type": type_.name if type_ else "error"}
                arguments[name.text] = Typed(node, type_ or ERROR, name.span)
            outer, self.variables = self.variables, arguments
            self._guarded(define.name, define.body)
            self.variables = outer

    def _guarded(self, name: syntax.Name, body: syntax.Expr) -> None:
        """Check one body. What is reported here is broken, so that no use of it, and no chain of uses, is told again."""
        key = (self.module.prefix, name.text)
        if key in self.broken:
            return
        self.inlining.append(key)
        try:
            node = self.expression(body).node
            refuse_deep(node)
        except TooLarge as problem:
            self.broken.update([*problem.inside, key])
            self.report(name.span, "PE211", str(problem), SPLIT)
            return
        finally:
            self.inlining.remove(key)
        if not error_free(node):
            self.broken.add(key)

    # -- rules

    def rule(self, rule: syntax.Rule, controls: Mapping[str, Collection[str]] | None) -> dict[str, Any] | None:
        self.start_rule()
        self.variables = {}
        try:
            made = self._rule(rule, controls)
            refuse_deep(made)
        except TooLarge as problem:
            self.report(rule.id.span, "PE211", str(problem), SPLIT)
            return None
        return made

    def _rule(self, rule: syntax.Rule, controls: Mapping[str, Collection[str]] | None) -> dict[str, Any]:
        if not rule.damaged:
            self._whole(rule)
        references = [self._reference(each, text, controls) for each in rule.references for text in each.controls]
        applies = self.condition(rule.applies).node if rule.applies is not None else None
        with ExitStack() as scope:
            loops = [self._loop(each, scope) for each in rule.loops]
            clauses = [self._clause(each) for each in rule.clauses]
            capa = self._capa(rule.capa) if rule.capa else None
        return {
            "id": rule.id.text, "title": rule.title.value, "references": references, "severity": rule.severity.text if rule.severity else None,
            "because": rule.because.value if rule.because else None, "applies": applies, "loops": loops, "clauses": clauses, "capa": capa,
        }  # fmt: skip

    def _whole(self, rule: syntax.Rule) -> None:
        """What every rule needs; of one with a damaged clause nobody knows what that clause was."""
        severities = "write `severity critical`, `major`, `minor` or `observation`"
        clauses = "write `meets` or `supports`, a framework and its clause"
        for there, lacks, hint in (
            (rule.severity is not None, "has no severity", severities),
            (bool(rule.references), "names no clause", clauses),
            (
                any(each.kind in ("require", "forbid") for each in rule.clauses),
                "requires nothing",
                "write `require` or `forbid`",
            ),
        ):
            if not there:
                self.report(rule.id.span, "PE210", f"rule `{rule.id.text}` {lacks}", hint)

    def _reference(
        self, reference: syntax.Reference, control: syntax.Text, controls: Mapping[str, Collection[str]] | None
    ) -> dict[str, Any]:
        framework = reference.framework.text
        if controls is not None and framework not in controls:
            close = nearest(framework, controls)
            hint = f"did you mean `{close}`?" if close else f"frameworks: {', '.join(sorted(controls))}"
            self.report(reference.framework.span, "PE240", f"there is no framework `{framework}`", hint)
        elif controls is not None and control.value not in controls[framework]:
            close = nearest(control.value, controls[framework])
            hint = f"did you mean `{close}`?" if close else f"`policyengine framework show {framework}` prints its clauses"
            self.report(control.span, "PE240", f"there is no clause `{control.value}` in {framework}", hint)
        return {"relation": reference.relation, "framework": framework, "control": control.value}

    def _loop(self, loop: syntax.ForEach, scope: ExitStack) -> dict[str, Any]:
        base = self.collection(loop.collection)
        var = scope.enter_context(self.bound(loop.variable, base.type.member, base.node))
        where = None
        if loop.where is not None:
            self.in_filter = True
            where = self.condition(loop.where).node
            self.in_filter = False
        if_none = loop.if_none.replace(" ", "_") if loop.if_none else None
        return {"var": var, "type": base.type.name, "in": base.node, "where": where, "if_none": if_none}

    def _clause(self, clause: syntax.Clause) -> dict[str, Any]:
        expr = self.condition(clause.condition).node
        word = {"except": "except when", "unknown": "unknown when"}.get(clause.kind, clause.kind)
        if clause.kind == "forbid":
            expr = {"op": "not", "arg": expr}
        return {
            "kind": "require" if clause.kind == "forbid" else clause.kind, "expr": expr, "if_unknown_fail": clause.if_unknown_fail,
            "message": self._parts(clause.message), "because": self._parts(clause.because), "text": f"{word} {self.written(clause.condition.span)}",
        }  # fmt: skip

    def _capa(self, capa: syntax.Capa) -> dict[str, Any]:
        due = None
        if capa.due_in is not None:
            try:
                _, length = read_literal(capa.due_in)
                if isinstance(length, Period):
                    self.report(capa.due_in.span, "PE234", "a due date is counted in days", "write it in days")
                else:
                    due = plan_value(length)
            except Mismatch as problem:
                self.report(capa.due_in.span, "PE237", problem.message, problem.hint)
        texts = {kind: self._parts(getattr(capa, kind)) for kind in ("correction", "corrective", "preventive", "effectiveness")}
        return {"category": capa.category.value if capa.category else None, "owner": capa.owner.value if capa.owner else None, "due_in": due,
                "group_by": [self.value(path).node for path in capa.group_by], **texts}  # fmt: skip

    # -- texts with holes

    def _parts(self, text: syntax.Text | None) -> list[Any] | None:
        if text is None:
            return None
        parts: list[Any] = []
        at = 0
        for hole in _HOLE.finditer(text.value):
            self._literal_part(parts, text, text.value[at : hole.start()])
            path = self._hole_path(text, hole[1])
            parts.append({"expr": self.path(path).node, "path": hole[1]})
            at = hole.end()
        self._literal_part(parts, text, text.value[at:])
        return parts

    def _literal_part(self, parts: list[Any], text: syntax.Text, part: str) -> None:
        if "{" in part or "}" in part:
            self.report(
                text.span,
                "PE243",
                "a brace in a text holds a path, such as `{account.user_id}`",
                "write a path between the braces",
            )
        if part:
            parts.append(part)

    def _hole_path(self, text: syntax.Text, written: str) -> syntax.Path:
        """The path of a hole, with the place where it stands in the source."""
        inside = self.module.source.text[text.span.start : text.span.end].find("{" + written + "}")
        start = text.span.start + inside + 1 if inside >= 0 else text.span.start
        names = []
        for name in written.split("."):
            names.append(syntax.Name(Span(start, start + len(name)), name))
            start += len(name) + 1
        return syntax.Path(Span(names[0].span.start, names[-1].span.end), tuple(names))


def refuse_deep(part: object) -> None:
    """Raises ``TooLarge`` where a part of a plan is nested so deep that a later reader could run out of stack."""
    if depth_of(part) > DEEPEST_PLAN:
        raise TooLarge(f"deeper than the limit `plan depth` of {DEEPEST_PLAN} after every define is written out")


def permitted(type_name: str, value: Any, allowed: Mapping[str, Any]) -> bool:
    """Whether a value in plan form lies in what its parameter allows."""
    if "values" in allowed:
        return value in allowed["values"]
    from decimal import Decimal

    read = Decimal if type_name == "decimal" else (lambda each: each)
    return bool(read(allowed["low"]) <= read(value) <= read(allowed["high"]))


def error_free(node: Node) -> bool:
    """Whether a part of a plan holds no place that was reported."""
    from policyengine.lang.plan import nodes

    return all(each["op"] != "error" for each in nodes(node))
