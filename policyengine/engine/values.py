"""Values of a plan: constants, paths, tables, arithmetic; what a run looks at; how an explanation notes what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Context, Decimal
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from policyengine.core.coerce import timestamp
from policyengine.core.model import Collection, Completeness, Period, Record, Version
from policyengine.core.outcome import CauseKind, Unknown, join, unknown
from policyengine.engine import members as over
from policyengine.engine import moments, relations
from policyengine.engine.explain import shown_value
from policyengine.engine.findings import ReadValue
from policyengine.engine.members import Members

Node: TypeAlias = Mapping[str, Any]
Scope: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[[Scope], Any]
Looker: TypeAlias = Callable[[Scope], Members]


_EXACT = Context(prec=200)


@dataclass
class Run:
    """What one evaluation of one plan looks at. ``assumptions`` collects what was taken as complete."""

    roots: Mapping[str, Any]
    parameters: Mapping[str, Any]
    now: datetime
    zone: tzinfo
    strict: bool
    graph: relations.Graph
    assumptions: set[str] = field(default_factory=set)


def constant(type_name: str, value: Any) -> Any:
    """A typed value from its form in a plan."""
    if isinstance(value, list):
        return tuple(constant(type_name, each) for each in value)
    makers: dict[str, Callable[[Any], Any]] = {
        "decimal": Decimal, "date": date.fromisoformat, "timestamp": timestamp, "version": Version, "period": Period,
        "duration": lambda seconds: timedelta(seconds=seconds),
    }  # fmt: skip
    return makers[type_name](value) if type_name in makers else value


def path_text(node: Node) -> str:
    """How the author would write a value node; for causes and explanations."""
    op = node["op"]
    if op == "stated":
        return f"{path_text(node['of'])}.{node['what']}"
    if op == "field":
        return f"{path_text(node['of'])}.{node['name']}"
    if op in ("var", "root", "parameter", "lookup"):
        return str(node["name"])
    if op == "date_of":
        return f"date of {path_text(node['arg'])}"
    return path_text(node["in"]) if "in" in node else op.replace("_", " ")


class Values:
    """Compiles the nodes of one plan for one run."""

    def __init__(self, run: Run, trace: list[ReadValue] | None = None) -> None:
        self.run = run
        self.trace = trace

    def value(self, node: Node) -> Reader:
        """The function of an expression node."""
        return getattr(self, f"_{node['op']}")(node)  # type: ignore[no-any-return]

    # values

    def _literal(self, node: Node) -> Reader:
        value = constant(node["type"], node["value"])
        return lambda _: value

    def _parameter(self, node: Node) -> Reader:
        value = self.run.parameters[node["name"]]
        return lambda _: value

    def _lookup(self, node: Node) -> Reader:
        table, key, name = self.run.parameters[node["name"]], self.value(node["key"]), node["name"]

        def entry(scope: Scope) -> Any:
            wanted = key(scope)
            if isinstance(wanted, Unknown):
                return wanted
            found = table.get(wanted)
            return unknown(CauseKind.NO_TABLE_ENTRY, f"{name} for {wanted}") if found is None else found

        return self._noted(entry, name)

    def _root(self, node: Node) -> Reader:
        name = node["name"]
        value = self.run.roots.get(name)
        if value is None:
            value = unknown(CauseKind.ABSENT, name)
        return lambda _: value

    def _var(self, node: Node) -> Reader:
        name = node["name"]
        return lambda scope: scope[name]

    def _field(self, node: Node) -> Reader:
        name, path, base, many = node["name"], path_text(node), self.value(node["of"]), node.get("many")

        def read(scope: Scope) -> Any:
            record = base(scope)
            if record.__class__ is Unknown:
                return record
            value = record.fields.get(name)
            if value is not None:
                return value
            if many and record.type in ("sbom", "audit_trail", "epcis"):
                return unknown(CauseKind.ABSENT, path, record.origin)
            return unknown(CauseKind.MISSING_FIELD, path, record.origin)

        return self._noted_list(read, path, base) if many else self._noted(read, path, base)

    def _stated(self, node: Node) -> Reader:
        """What the source of a list says of it. Silence is unknown as an incomplete list is: it is no missing field of a row."""
        listed, what, path = self.value(node["of"]), node["what"], path_text(node)

        def read(scope: Scope) -> Any:
            found = listed(scope)
            if isinstance(found, Unknown):
                return found
            if not isinstance(found, Collection):
                return unknown(CauseKind.INCOMPLETE, f"{path} is not stated")
            if found.state is Completeness.ABSENT:
                return unknown(CauseKind.ABSENT, path, found.origin)
            if what == "completeness":
                said: Any = found.state.value if found.state is not Completeness.NOT_STATED else None
            else:
                said = found.covers_from if what == "covers_from" else found.covers_until
            return unknown(CauseKind.INCOMPLETE, f"{path} is not stated", found.origin) if said is None else said

        return self._noted(read, path)

    def _noted(self, read: Reader, path: str, base: Reader | None = None) -> Reader:
        """In an explanation, write down what was read."""
        trace = self.trace
        if trace is None:
            return read

        def noted(scope: Scope) -> Any:
            value = read(scope)
            record = base(scope) if base else None
            if not isinstance(value, Record):
                trace.append(ReadValue(path, shown_value(value), record.origin if isinstance(record, Record) else None))
            return value

        return noted

    def _noted_list(self, read: Reader, path: str, base: Reader) -> Reader:
        """In an explanation, write down a list of plain values, or that a row records none; lists of records are cited by member."""
        trace = self.trace
        if trace is None:
            return read

        def noted(scope: Scope) -> Any:
            value = read(scope)
            missing = isinstance(value, Unknown) and all(cause.kind is CauseKind.MISSING_FIELD for cause in value.causes)
            if missing or (isinstance(value, tuple) and not any(isinstance(each, Record) for each in value)):
                record = base(scope)
                trace.append(ReadValue(path, shown_value(value), record.origin if isinstance(record, Record) else None))
            return value

        return noted

    def _date_of(self, node: Node) -> Reader:
        return self._lifted(self._local_date, node["arg"])

    def _local_date(self, value: Any) -> date:
        return value.astimezone(self.run.zone).date() if isinstance(value, datetime) else value

    def _add(self, node: Node) -> Reader:
        return self._lifted(lambda a, b: _moved(a, b, 1), node["left"], node["right"])

    def _sub(self, node: Node) -> Reader:
        return self._lifted(lambda a, b: _moved(a, b, -1), node["left"], node["right"])

    def _pick(self, node: Node) -> Reader:
        collection, read, choose = self.members(node["in"]), self._bound(node["var"], node["value"]), _PICKS[node["fn"]]

        def picked(scope: Scope) -> Any:
            values = over.certain_values(collection(scope), partial(read, scope))
            if isinstance(values, Unknown):
                return values
            try:
                return choose(values)
            except OverflowError:
                return relations.incomparable(shown_value(values[0]), shown_value(values[-1]))

        return self._noted(picked, f"{node['fn']} {path_text(node['value'])}")

    def _lifted(self, function: Callable[..., Any], *nodes: Node | None) -> Reader:
        """A function of known values; with an unknown one, the unknown. What overflows cannot be compared."""
        readers = [self.value(node) for node in nodes if node is not None]

        def lifted(scope: Scope) -> Any:
            values = [read(scope) for read in readers]
            left_open = [v for v in values if isinstance(v, Unknown)]
            if left_open:
                return join(left_open)
            try:
                return function(*values)
            except OverflowError:
                return relations.incomparable(shown_value(values[0]), shown_value(values[-1]))

        return lifted

    if TYPE_CHECKING:

        def members(self, node: Node) -> Looker:
            """The function of a collection node; :class:`Meaning` has it."""

    # variables

    def _bound(self, var: str, node: Node) -> Callable[[Scope, Any], Any]:
        """The node as a function of scope and the member that the variable stands for; reads are not written down."""
        read = type(self)(self.run).value(node)

        def bound(scope: Scope, item: Any) -> Any:
            scope[var] = item
            return read(scope)

        return bound

    def _test(self, var: str, node: Node | None) -> Callable[[Scope, Any], Any]:
        return self._bound(var, node) if node is not None else lambda _scope, _item: True


def _moved(left: Any, right: Any, sign: int) -> Any:
    if isinstance(left, date) and isinstance(right, timedelta | Period):
        return moments.shifted(left, right, sign)
    if isinstance(left, Period):
        return Period(left.months + sign * right.months)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _EXACT.add(left, right) if sign > 0 else _EXACT.subtract(left, right)
    return left + right if sign > 0 else left - right


_PICKS: Mapping[str, Callable[[list[Any]], Any]] = {
    "sum": lambda values: reduce(lambda total, each: _moved(total, each, 1), values),
    "smallest": min,
    "largest": max,
    "earliest": min,
    "latest": max,
}
