"""Names: what a path, a variable and a used policy stand for, and what to say when they stand for nothing."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Severity, Source, Span, nearest
from policyengine.core.vocabulary import Vocabulary
from policyengine.lang import syntax
from policyengine.lang.plan import nodes
from policyengine.lang.types import ERROR, PAIR, TIMESTAMP, Type, is_record, of_field, with_article

Node = dict[str, Any]
NOTHING = frozenset("empty blank missing nothing undefined nil".split())
_IS = re.compile(r"\bis\s+(not\s+)?\Z")
LARGEST_EXPRESSION = 20_000
DEEPEST_EXPRESSION = 60
DEEPEST_PLAN = 150
RESERVED = frozenset(
    "and or not if then some no every the in where satisfies is by of for per during consecutive recur within before after"
    " contains matches count share sum smallest largest earliest latest distinct true false require forbid except when message"
    " because rule test let define given expect at from to on release latest".split()
)
STATED: Mapping[str, Type] = {
    "completeness": Type("enum", values=("complete", "incomplete")), "covers_from": TIMESTAMP, "covers_until": TIMESTAMP,
}  # fmt: skip
STANDARD_SPELLINGS = {
    "event_time": "time", "seq": "sequence", "prev_hash": "previous_hash", "hashes": "digests", "licenses": "licences",
    "license": "licences", "epc_list": "epc_list", "scope_id": "scope", "depends_on": "depends_on",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression of a plan with its type and where the author wrote it."""

    node: Node
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """``key`` is the enum that a table is looked up by, None for a plain parameter."""

    type: Type
    key: Type | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """What one policy declares and may name: its own declarations, and those of the policies it uses, by alias.

    ``missing`` stands for a used policy that was not found and already reported; ``lost`` are names of declarations that
    could not be read.
    """

    id: str
    source: Source
    prefix: str = ""
    parameters: Mapping[str, ParameterInfo] = field(default_factory=dict)
    lets: Mapping[str, syntax.Let] = field(default_factory=dict)
    defines: Mapping[str, syntax.Define] = field(default_factory=dict)
    uses: Mapping[str, Module] = field(default_factory=dict)
    missing: bool = False
    lost: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.parameters, *self.lets, *self.defines)


class TooLarge(Exception):
    """An expression grew past a limit after its defines were written out; ``inside`` are those, outermost first."""

    inside: tuple[tuple[str, str], ...] = ()


class Names(ABC):
    """Resolves names for one policy. One instance checks a whole policy; ``start_rule`` begins a new set of variables."""

    def __init__(self, vocabulary: Vocabulary, module: Module, zone: str) -> None:
        self.vocabulary, self.module, self.zone = vocabulary, module, zone
        self.diagnostics: list[Diagnostic] = []
        self.variables: dict[str, Typed] = {}
        self.drawn_from: dict[str, Node] = {}
        self.in_filter = False
        self.used_parameters: set[str] = set()
        self.inlining: list[tuple[str, str]] = []
        self.broken: set[tuple[str, str]] = set()
        self.second_choices: frozenset[tuple[int, int]] = frozenset()
        self.start_rule()

    def start_rule(self) -> None:
        self.taken: set[str] = set()
        self.unbound: set[str] = set()
        self.size = self.depth = 0

    @abstractmethod
    def expression(self, expr: syntax.Expr) -> Typed:
        """Any expression, for names may stand for one; a later file of this room defines it."""

    def grow(self, nodes_added: int) -> None:
        """Count nodes of a rule as they are written out; raises ``TooLarge`` at the limit."""
        self.size += nodes_added
        if self.size > LARGEST_EXPRESSION:
            raise TooLarge(f"more than {LARGEST_EXPRESSION} parts after every define is written out")

    # -- reporting

    def report(self, span: Span, code: str, message: str, hint: str = "", note: str = "") -> None:
        self.diagnostics.append(Diagnostic.at(self.module.source, span, code, message, hint=hint, note=note))

    def warn(self, span: Span, code: str, message: str, hint: str = "", note: str = "") -> None:
        found = Diagnostic.at(self.module.source, span, code, message, hint=hint, note=note, severity=Severity.WARNING)
        self.diagnostics.append(found)

    def wrong(self, span: Span, code: str, message: str, hint: str = "", note: str = "") -> Typed:
        """Report, and give the value that causes no further report."""
        self.report(span, code, message, hint, note)
        return Typed({"op": "error"}, ERROR, span)

    def written(self, span: Span) -> str:
        """The author's text of a span on one line."""
        return " ".join(self.module.source.text[span.start : span.end].split())

    # -- variables

    @contextmanager
    def bound(self, variable: syntax.Name, type_: Type, collection: Node) -> Iterator[str]:
        """The variable in scope; yields its name in the plan, unique in the rule."""
        self._refuse_shadowing(variable)
        unique, number = variable.text, 1
        while unique in self.taken:
            number += 1
            unique = f"{variable.text}_{number}"
        self.taken.add(unique)
        outer = self.variables
        node: Node = {"op": "var", "name": unique, "type": type_.name}
        self.variables = {**outer, variable.text: Typed(node, type_, variable.span)}
        self.drawn_from[unique] = collection
        try:
            yield unique
        finally:
            self.variables = outer

    def _refuse_shadowing(self, name: syntax.Name) -> None:
        text = name.text
        if text in self.variables:
            self.report(name.span, "PE203", f"`{text}` is already a variable here", f"call it `{_other_name(text)}`")
        elif self.refuse_reserved(name) and text in {*self.module.names, *self.module.uses}:
            self.report(name.span, "PE203", f"`{text}` is already declared in this policy", f"call it `{_other_name(text)}`")

    def refuse_reserved(self, name: syntax.Name) -> bool:
        """Report a name that is a root or a keyword; whether it is free."""
        text = name.text
        if text in self.vocabulary.roots:
            hint = f"call it `{_other_name(text)}`"
            self.report(name.span, "PE203", f"`{text}` is evidence, so it cannot be the name of something else", hint)
        elif text in RESERVED:
            hint = f"call it `{_other_name(text)}`"
            self.report(name.span, "PE203", f"`{text}` is a word of the language, so it cannot be a name", hint)
        else:
            return True
        return False

    # -- paths

    def path(self, path: syntax.Path) -> Typed:
        """What ``a.b.c`` stands for."""
        typed, rest = self._head(path)
        for name in rest:
            typed = self.field(typed, name)
        return replace(typed, span=path.span)

    def _head(self, path: syntax.Path) -> tuple[Typed, tuple[syntax.Name, ...]]:
        first, rest = path.names[0], path.names[1:]
        if first.text in self.variables:
            variable = self.variables[first.text]
            self.grow(sum(1 for _ in nodes(variable.node)))
            return variable, rest
        found = self._declared(self.module, first)
        if found is not None:
            return found, rest
        if first.text in self.module.uses:
            used = self.module.uses[first.text]
            if rest and (found := self._declared(used, rest[0])) is not None:
                return found, rest[1:]
            return self._unknown_in_used(first, used, rest), ()
        root = self.vocabulary.roots.get(first.text)
        if root is None:
            if first.text in self.module.lost:
                return Typed({"op": "error"}, ERROR, first.span), ()
            return self._unknown_name(first), ()
        type_ = of_field(root.type)
        self.grow(1)
        return Typed({"op": "root", "name": root.name, "type": type_.name, "many": type_.many}, type_, first.span), rest

    def _declared(self, module: Module, name: syntax.Name) -> Typed | None:
        """A parameter or let of a policy; a define is an error, because it must be called."""
        if name.text in module.parameters:
            return self._parameter(module, name)
        if name.text in module.lets:
            let = module.lets[name.text]
            return self.inline(module, name, let.value, {})
        if name.text in module.defines:
            arguments = ", ".join(parameter.text for parameter, _ in module.defines[name.text].parameters)
            return self.wrong(name.span, "PE209", f"`{name.text}` is a define and needs its arguments",
                              f"write `{name.text}({arguments})`")  # fmt: skip
        return None

    def _parameter(self, module: Module, name: syntax.Name) -> Typed:
        info = module.parameters[name.text]
        self.used_parameters.add(module.prefix + name.text)
        if info.key is not None:
            return self.wrong(name.span, "PE205", f"`{name.text}` is a table and needs its key",
                              f"write `{name.text} for ..` with the field that it is looked up by")  # fmt: skip
        self.grow(1)
        node = {"op": "parameter", "name": module.prefix + name.text, "type": info.type.name, "many": info.type.many}
        return Typed(node, info.type, name.span)

    def inline(self, module: Module, name: syntax.Name, body: syntax.Expr, arguments: Mapping[str, Typed]) -> Typed:
        """The body of a let or define in its own policy, with its own names only. Its mistakes were reported where it stands."""
        key = (module.prefix, name.text)
        if key in self.broken:
            return Typed({"op": "error"}, ERROR, name.span)
        if key in self.inlining:
            circle = " -> ".join([each for _, each in self.inlining[self.inlining.index(key) :]] + [name.text])
            self.broken.update(self.inlining[self.inlining.index(key) :])
            return self.wrong(name.span, "PE208", f"`{name.text}` refers to itself: {circle}",
                              "a let or define may only use others that do not come back to it")  # fmt: skip
        outer = self.module, self.variables, self.diagnostics
        self.module, self.variables, self.diagnostics = module, dict(arguments), []
        self.inlining.append(key)
        try:
            typed = self.expression(body)
        except TooLarge as problem:
            problem.inside = problem.inside or tuple(self.inlining)
            raise
        finally:
            inside = self.diagnostics
            self.module, self.variables, self.diagnostics = outer
            self.inlining.pop()
        errors = [each for each in inside if each.severity is Severity.ERROR]
        circles = [each for each in errors if each.code == "PE208"]
        if circles and key in self.broken:
            self.diagnostics.extend(circles)
        elif errors:
            return self.wrong(name.span, "PE209", f"`{name.text}` cannot be used here: {errors[0].message}", errors[0].hint,
                              f"it is written at {errors[0].file}:{errors[0].line}:{errors[0].column}")  # fmt: skip
        return replace(typed, span=name.span)

    # -- fields

    def field(self, owner: Typed, name: syntax.Name) -> Typed:
        """One step of a path."""
        type_ = owner.type
        if type_ == ERROR:
            return owner
        if type_.many and name.text in STATED and owner.node["op"] in ("root", "field") and is_record(type_):
            return self._stated(owner, name)
        if type_.many:
            hint = f"ask for its members: `some x in .. where x.{name.text} ..`, or `every x in .. satisfies ..`"
            return self.wrong(name.span, "PE220", f"this is a list of {type_.name}, and only a member has `{name.text}`", hint)
        if type_.name.startswith(PAIR):
            return self._side_of_pair(owner, name)
        if not is_record(type_):
            return self.wrong(name.span, "PE201", f"there is no field `{name.text}` in {with_article(type_.name)}",
                              f"leave out `.{name.text}`")  # fmt: skip
        declared = self.vocabulary.types[type_.name].fields
        if name.text not in declared:
            return self._unknown_field(type_.name, name, declared)
        field_type = of_field(declared[name.text])
        self.grow(1)
        node = {"op": "field", "of": owner.node, "name": name.text, "type": field_type.name, "many": field_type.many}
        return Typed(node, field_type, name.span)

    def _stated(self, owner: Typed, name: syntax.Name) -> Typed:
        """What the source says of its own list: whether it is complete, and the time that it covers."""
        type_ = STATED[name.text]
        self.grow(1)
        return Typed({"op": "stated", "of": owner.node, "what": name.text, "type": type_.name}, type_, name.span)

    def _side_of_pair(self, owner: Typed, name: syntax.Name) -> Typed:
        if name.text not in ("earlier", "later"):
            return self.wrong(name.span, "PE201", f"there is no field `{name.text}` in a pair of neighbours",
                              f"write `.earlier.{name.text}` or `.later.{name.text}`")  # fmt: skip
        type_ = Type(owner.type.name.removeprefix(PAIR))
        node = {"op": "field", "of": owner.node, "name": name.text, "type": type_.name, "many": False}
        return Typed(node, type_, name.span)

    def _unknown_field(self, type_name: str, name: syntax.Name, declared: Collection[str]) -> Typed:
        suggestion = suggested(name.text, declared)
        hint = f"did you mean `{suggestion}`?" if suggestion else f"`policyengine schema {type_name}` prints its fields"
        note = f"fields of {type_name}: {', '.join(declared)} (policyengine schema {type_name})"
        return self.wrong(name.span, "PE201", f"there is no field `{name.text}` in {with_article(type_name)}", hint, note)

    def _unknown_name(self, name: syntax.Name) -> Typed:
        if name.text in NOTHING and (
            compared := _IS.search(self.module.source.text, max(0, name.span.start - 40), name.span.start)
        ):
            hint = f"write `{'is recorded' if compared[1] else 'is not recorded'}`; of a list compare `count of`"
            return self.wrong(name.span, "PE137", f"there is no value `{name.text}`", hint)
        if (collection := self._list_of(name.text)) is not None:
            return self._without_loop(name, collection)
        near = [*self.variables, *self.module.names, *self.module.uses]
        suggestion = suggested(name.text, near) or suggested(name.text, self.vocabulary.roots)
        hint = (
            f"did you mean `{suggestion}`?" if suggestion else "`policyengine schema` prints the evidence that a rule can name"
        )
        in_scope = f"names here: {', '.join(near)}" if near else ""
        return self.wrong(
            name.span, "PE200", f"there is no evidence, variable or parameter called `{name.text}`", hint, in_scope
        )

    def _list_of(self, member: str) -> str | None:
        """The list that is called like several of this: ``accounts``, ``sbom.components``."""
        several = (f"{member}s", f"{member.removesuffix('y')}ies")
        for root in self.vocabulary.roots.values():
            if root.name in several and root.type.many and root.type.is_record:
                return root.name
        for root in self.vocabulary.roots.values():
            fields = self.vocabulary.types[root.type.name].fields if root.type.is_record and not root.type.many else {}
            for field_name, of in fields.items():
                if field_name in several and of.many and of.is_record:
                    return f"{root.name}.{field_name}"
        return None

    def _without_loop(self, name: syntax.Name, collection: str) -> Typed:
        """A member of a list that nothing names; told once in a rule, or in a let or define."""
        if name.text in self.unbound:
            return Typed({"op": "error"}, ERROR, name.span)
        self.unbound.add(name.text)
        drawn = (word for word, each in self.variables.items() if each.node.get("name") in self.drawn_from
                 and written_path(self.drawn_from[each.node["name"]]) == collection)  # fmt: skip
        if (word := next(drawn, None)) is not None:
            hint = f"did you mean `{word}`?"
        elif self.inlining:
            hint = f"did you mean `{collection}`?"
        else:
            hint = f"`for each {name.text} in {collection}` is missing"
        return self.wrong(name.span, "PE200", f"there is no evidence, variable or parameter called `{name.text}`", hint)

    def _unknown_in_used(self, alias: syntax.Name, used: Module, rest: tuple[syntax.Name, ...]) -> Typed:
        if used.missing:
            return Typed({"op": "error"}, ERROR, alias.span)
        if not rest:
            return self.wrong(alias.span, "PE200", f"`{alias.text}` is a used policy, not a value",
                              f"name something in it, such as `{alias.text}.{next(iter(used.names), 'name')}`")  # fmt: skip
        suggestion = suggested(rest[0].text, used.names)
        hint = (
            f"did you mean `{alias.text}.{suggestion}`?" if suggestion else f"it declares: {', '.join(used.names) or 'nothing'}"
        )
        return self.wrong(rest[0].span, "PE200", f"there is no `{rest[0].text}` in policy {used.id}", hint)


def written_path(node: Node) -> str:
    """A list as rules write it, where it is a root or a field of one."""
    if node.get("op") == "field":
        return f"{written_path(node['of'])}.{node['name']}"
    return str(node["name"]) if node.get("op") == "root" else ""


def suggested(word: str, known: Collection[str]) -> str | None:
    """The known name that a misspelt one means; also for the spelling of a standard (``bizStep``, ``bom-ref``, ``eventTime``)."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).replace("-", "_").lower()
    for candidate in (snake, STANDARD_SPELLINGS.get(snake, ""), f"{snake}s", snake.removesuffix("s")):
        if candidate in known:
            return candidate
    return nearest(snake, known)


def _other_name(name: str) -> str:
    return f"each_{name}" if not name.endswith("s") else f"one_{name.removesuffix('s')}"
