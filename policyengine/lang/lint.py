"""Warnings about rules that compile and still may not mean what their author meant (families PE31x to PE33x)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Severity, Source, Span
from policyengine.lang import syntax
from policyengine.lang.plan import nodes
from policyengine.lang.testcases import TestCase

_NEEDED = {"pass": "a passing", "fail": "a failing", "unknown": "an unknown"}


def lint(
    policy: syntax.Policy, rules: Mapping[str, dict[str, Any]], tests: Sequence[TestCase], used: set[str]
) -> Iterator[Diagnostic]:
    """Warnings for one policy whose rules compiled."""
    source = policy.source
    for declared in (*policy.parameters, *policy.tables):
        if declared.name.text not in used:
            yield _warning(
                source, declared.name.span, "PE330", f"the parameter `{declared.name.text}` is never used", "remove it"
            )
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
        yield from _loops(source, rule)
        yield from _messages(source, rule, plan)


def _expected(tests: Sequence[TestCase]) -> dict[str, set[str]]:
    """The outcomes that the tests of each rule expect, for the rule or for one subject."""
    found: dict[str, set[str]] = {}
    for test in tests:
        for rule, outcome, _ in test.expects:
            found.setdefault(rule, set()).add(outcome)
    return found


def _loops(source: Source, rule: syntax.Rule) -> Iterator[Diagnostic]:
    for loop in rule.loops:
        for part in _conjuncts(loop.where):
            if isinstance(part, syntax.Recorded) and not part.negated:
                message = "what does not have this field is skipped; if it never arrives, this rule judges nobody"
                yield _warning(source, part.span, "PE321", message, "start from a register, or add a rule on the missing field")


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
