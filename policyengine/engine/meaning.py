"""The meaning of every expression of a plan (language standard 3 and 4): plan node -> function of the variables in scope.

A function gives a value, a truth value, or an :class:`Unknown` with its causes; it never raises for odd evidence. With a
``trace`` the values that decide a verdict are written down on the way; without one nothing is spent on that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from policyengine.core.model import Collection
from policyengine.core.outcome import Truth, Unknown, all_of, any_of, join, negate
from policyengine.engine import members as over
from policyengine.engine.citing import CITED, Citer, open_or
from policyengine.engine.conditions import Conditions
from policyengine.engine.explain import shown_value
from policyengine.engine.findings import ReadValue
from policyengine.engine.members import Members
from policyengine.engine.values import Looker, Node, Reader, Scope, path_text


class Meaning(Conditions):
    """Compiles the nodes of one plan for one run."""

    # collections and quantifiers

    def members(self, node: Node) -> Looker:
        """The function of a collection node."""
        op = node["op"]
        shaped = getattr(self, f"_members_{op}", None)
        if shaped is not None:
            return shaped(node)  # type: ignore[no-any-return]
        read, what, strict, assumptions = self.value(node), path_text(node), self.run.strict, self.run.assumptions
        cached: dict[int, Members] = {}

        def look(scope: Scope) -> Members:
            value = read(scope)
            if not isinstance(value, Collection):
                return over.members_of(value, what, strict)
            found = cached.get(id(value))
            if found is None:
                found = cached[id(value)] = over.members_of(value, what, strict)
                if found.assumed and found.hole is None:
                    assumptions.add(f"{what}: its source does not state completeness; taken as complete")
            return found

        return look

    def _members_list(self, node: Node) -> Looker:
        items = [self.value(each) for each in node["items"]]
        return lambda scope: Members(tuple((read(scope), True) for read in items), what="the list")

    def _members_filter(self, node: Node) -> Looker:
        base, where = self.members(node["in"]), self._test(node["var"], node["where"])
        return lambda scope: over.keep(base(scope), partial(where, scope))

    def _members_distinct(self, node: Node) -> Looker:
        base, read = self.members(node["in"]), self._bound(node["var"], node["value"])
        return lambda scope: over.distinct(base(scope), partial(read, scope))

    def _members_during(self, node: Node) -> Looker:
        base, begin, end, time = self.members(node["in"]), self.value(node["begin"]), self.value(node["end"]), node["time"]

        def during(scope: Scope) -> Members:
            bounds = [begin(scope), end(scope)]
            left_open = [v for v in bounds if isinstance(v, Unknown)]
            found = base(scope)
            if left_open:
                return Members(absent=join(left_open), what=found.what, origin=found.origin)
            return over.within_span(found, bounds[0], bounds[1], time, self.run.strict)

        return during

    def _members_consecutive(self, node: Node) -> Looker:
        base, where, var = self.members(node["in"]), self._test(node["var"], node["where"]), node["var"]
        by, per = self._bound(var, node["by"]), [self._bound(var, each) for each in node["per"]]

        def pairs(scope: Scope) -> Members:
            found = over.keep(base(scope), partial(where, scope))
            return over.consecutive(found, partial(by, scope),
                                    tuple(partial(read, scope) for read in per))  # fmt: skip

        return pairs

    def _some(self, node: Node, witnesses: int = 1) -> Reader:
        base, where = self.members(node["in"]), self._test(node["var"], node["where"])
        if self.trace is None:
            return lambda scope: over.some(base(scope), partial(where, scope))
        citer = Citer(self, node, node["where"])

        def some(scope: Scope) -> Truth:
            found = base(scope)
            verdict = over.some(found, partial(where, scope))
            if verdict is False:
                citer.nearest(scope)
                return verdict
            judged = ((i, where(scope, i) if m is True else all_of((m, where(scope, i)))) for i, m in found.items)
            deciding = open_or(verdict, judged)
            if not citer.members(scope, islice(deciding, witnesses) if verdict is True else deciding):
                citer.nearest(scope)
            return verdict

        return some

    def _no(self, node: Node) -> Reader:
        some = self._some(node, CITED)
        return lambda scope: negate(some(scope))

    def _every(self, node: Node) -> Reader:
        base, where, satisfies = self._quantified(node)
        if_any = bool(node["if_any"])
        if self.trace is None:
            return lambda scope: over.every(
                over.keep(base(scope), partial(where, scope)), partial(satisfies, scope), if_any)  # fmt: skip
        citer = Citer(self, node, node["satisfies"])

        def every(scope: Scope) -> Truth:
            kept = over.keep(base(scope), partial(where, scope))
            verdict = over.every(kept, partial(satisfies, scope), if_any)
            judged = ((i, any_of((satisfies(scope, i), *(() if m is True else (negate(m),))))) for i, m in kept.items)
            if verdict is not True and not citer.members(scope, open_or(verdict, judged)):
                citer.nearest(scope)
            return verdict

        return every

    def _latest(self, node: Node) -> Reader:
        base, where, satisfies = self._quantified(node)
        if_any, time, sequence = bool(node["if_any"]), node["time"], node["sequence"]
        if self.trace is None:
            return lambda scope: over.latest(
                over.keep(base(scope), partial(where, scope)), partial(satisfies, scope), if_any, time, sequence)  # fmt: skip
        citer = Citer(self, node, node["satisfies"])

        def latest(scope: Scope) -> Truth:
            asked: list[tuple[object, Truth]] = []

            def asking(item: object) -> Truth:
                asked.append((item, satisfies(scope, item)))
                return asked[-1][1]

            verdict = over.latest(over.keep(base(scope), partial(where, scope)), asking, if_any, time, sequence)
            if verdict is not True and not citer.members(scope, open_or(verdict, asked)):
                citer.nearest(scope)
            return verdict

        return latest

    def _quantified(self, node: Node) -> tuple[Looker, Callable[[Scope, Any], Any], Callable[[Scope, Any], Any]]:
        var = node["var"]
        return self.members(node["in"]), self._test(var, node["where"]), self._test(var, node["satisfies"])

    def _no_gap(self, node: Node) -> Reader:
        base, read, trace, what = (
            self.members(node["in"]),
            self._bound(node["var"], node["value"]),
            self.trace,
            path_text(node["value"]),
        )

        def run_whole(scope: Scope) -> Truth:
            found = base(scope)
            whole = over.no_gap(found, partial(read, scope))
            if trace is not None and whole is False:
                numbers = [n for n in (read(scope, item) for item in found.certain) if isinstance(n, int)]
                trace.append(ReadValue(what, over.first_break(numbers)))
            return whole

        return run_whole

    def _reachable(self, node: Node) -> Reader:
        component, origin, graph, direct = (
            self.value(node["component"]),
            self.value(node["origin"]),
            self.run.graph,
            node["direct"],
        )
        trace, what = self.trace, f"{path_text(node['component'])} reachable from {path_text(node['origin'])}"

        def reached(scope: Scope) -> Truth:
            found = graph.reaches(component(scope), origin(scope), direct)
            if trace is not None:
                trace.append(ReadValue(what, shown_value(found)))
            return found

        return reached
