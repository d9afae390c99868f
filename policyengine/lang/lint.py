"""Warnings about rules that compile and still may not mean what their author meant (families PE31x to PE33x)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Severity, Source, Span
from policyengine.lang import syntax
from policyengine.lang.plan import nodes
from policyengine.lang.stop import shortened
from policyengine.lang.testcases import TestCase
from policyengine.lang.types import with_article

_NEEDED = {"pass": "a passing", "fail": "a failing", "unknown": "an unknown"}


def lint(
    policy: syntax.Policy, rules: Mapping[str, dict[str, Any]], tests: Sequence[TestCase], used: set[str]
) -> Iterator[Diagnostic]:
    """Warnings for one policy whose rules compiled."""
    source = policy.source
    for name in (*(each.name for each in policy.parameters), *(each.name for each in policy.tables)):
        if name.text not in used:
            yield _warning(source, name.span, "PE330", f"the parameter `{name.text}` is never used", "remove it")
    yield from _strays(source, (policy.lets, policy.defines, policy.rules))
    expected = _expected(tests)
    for rule in policy.rules:
        plan = rules.get(rule.id.text)
        if plan is None:
            continue
        missing = [words for outcome, words in _NEEDED.items() if outcome not in expected.get(rule.id.text, set())]
        if missing:
            yield _warning(source, rule.id.span, "PE331", f"rule `{rule.id.text}` has no {' and no '.join(w.split(' ', 1)[1] for w in missing)} test",
                           "add a test for each outcome")  # fmt: skip
        if rule.because is None:
            yield _warning(
                source,
                rule.id.span,
                "PE333",
                f"rule `{rule.id.text}` gives no reason",
                "write `because` and why the clause asks for it",
            )
        if "unknown" not in expected.get(rule.id.text, set()):
            yield from _empty(source, rule)
        yield from _loops(source, rule, plan)
        yield from _messages(source, rule, plan)


def _expected(tests: Sequence[TestCase]) -> dict[str, set[str]]:
    """The outcomes that the tests of each rule expect, for the rule or for one subject."""
    found: dict[str, set[str]] = {}
    for test in tests:
        for rule, outcome, _ in test.expects:
            found.setdefault(rule, set()).add(outcome)
    return found


def _empty(source: Source, rule: syntax.Rule) -> Iterator[Diagnostic]:
    """``every`` where neither the rule nor one of its tests says what happens when there is none."""
    for part in syntax.walk(rule):
        if isinstance(part, syntax.Quantified) and part.quantifier == "every" and not part.if_any:
            span = Span(part.span.start, part.span.start + len("every"))
            written = source.text[part.span.start : part.collection.span.end]
            hint = f"if none is acceptable write `{shortened(written, 60)}, if there are any, ..`, else add a test that expects `unknown`"
            yield _warning(source, span, "PE310", "`every` over an empty list is unknown", hint)


def _strays(source: Source, declared: object) -> Iterator[Diagnostic]:
    """Conditions that stand behind a variable without asking about it: they belong elsewhere, or the variable was meant."""
    for part in syntax.walk(declared):
        if isinstance(part, syntax.Quantified):
            word, conditions = part.quantifier, [part.where, part.satisfies]
        elif isinstance(part, syntax.Comprehension | syntax.Adjacent | syntax.ForEach):
            word, conditions = "where", [part.where]
        else:
            continue
        for condition in conditions:
            for each in _conjuncts(condition):
                if not _mentions(each, part.variable.text):
                    message = f"this condition belongs to the `{word}` before it, but does not mention `{part.variable.text}`"
                    place = "`applies when`" if isinstance(part, syntax.ForEach) else "its own `require`"
                    yield _warning(source, each.span, "PE311", message, f"move it to {place}")


def _mentions(condition: syntax.Expr, variable: str) -> bool:
    return any(isinstance(each, syntax.Path) and each.names[0].text == variable for each in syntax.walk(condition))


def _loops(source: Source, rule: syntax.Rule, plan: dict[str, Any]) -> Iterator[Diagnostic]:
    for loop, made in zip(rule.loops, plan["loops"], strict=True):
        for part in _conjuncts(loop.where):
            if isinstance(part, syntax.Recorded) and not part.negated:
                value = shortened(source.text[part.value.span.start : part.value.span.end], 40)
                message = (
                    f"{with_article(made['type'])} without `{value}` is not judged, so this rule never finds what is missing"
                )
                hint = f"choose by another field, and write `require {value} is recorded and ..`"
                yield _warning(source, part.span, "PE321", message, hint)


def _messages(source: Source, rule: syntax.Rule, plan: dict[str, Any]) -> Iterator[Diagnostic]:
    if not rule.loops:
        return
    written = [clause for clause in rule.clauses if clause.kind in ("require", "forbid")]
    compiled = [clause for clause in plan["clauses"] if clause["kind"] == "require"]
    for clause, made in zip(written, compiled, strict=False):
        if clause.message is not None and not any(True for _ in nodes(made["message"])):
            yield _warning(
                source, clause.message.span, "PE332", "this message names no value of the evidence", "write a path in braces"
            )


def _conjuncts(expr: syntax.Expr | None) -> Iterator[syntax.Expr]:
    if isinstance(expr, syntax.And):
        for each in expr.operands:
            yield from _conjuncts(each)
    elif expr is not None:
        yield expr


def _warning(source: Source, span: Span, code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic.at(source, span, code, message, hint=hint, severity=Severity.WARNING)
