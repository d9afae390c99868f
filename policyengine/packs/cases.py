"""Runs the ``test`` blocks of a policy: the evidence that a test gives, against the outcomes that it expects.

A root that a test does not give is absent; a given list is complete unless the test says otherwise. Without ``at`` the
evaluation time is :data:`DEFAULT_TIME`, so that a test says the same thing in every year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from policyengine.core.coerce import Mismatch, Reader, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceSet, Origin, Record
from policyengine.core.outcome import Outcome
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.engine.findings import RuleResult
from policyengine.engine.reference import evaluate
from policyengine.lang.testcases import Given, TestCase

DEFAULT_TIME = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that did not hold: what was expected and found, and what the engine said about it."""

    rule: str
    subject: str | None
    expected: Outcome
    got: Outcome | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    title: str
    line: int
    differences: tuple[Difference, ...]
    outcomes: Mapping[str, Outcome]

    @property
    def passed(self) -> bool:
        return not self.differences


def run_cases(plan: Mapping[str, Any], cases: Sequence[TestCase], vocabulary: Vocabulary,
              read: Callable[[str], object] | None = None) -> tuple[CaseResult, ...]:  # fmt: skip
    """Run all cases of one compiled policy. ``read`` gives the plain data of a file that a test names with ``from``."""
    return tuple(_run_case(plan, case, vocabulary, read) for case in cases)


def _run_case(plan: Mapping[str, Any], case: TestCase, vocabulary: Vocabulary,
              read: Callable[[str], object] | None) -> CaseResult:  # fmt: skip
    results = {result.rule: result for result in evaluate(plan, case_evidence(case, vocabulary, read))}
    differences = [
        d for rule, expected, subject in case.expects if (d := _difference(results, rule, Outcome(expected), subject))
    ]
    return CaseResult(case.title, case.line, tuple(differences), {rule: result.outcome for rule, result in results.items()})


def _difference(results: Mapping[str, RuleResult], rule: str, expected: Outcome, subject: str | None) -> Difference | None:
    result = results[rule]
    got = result.outcome if subject is None else dict(result.subjects).get(subject)
    if got is expected:
        return None
    about = [f for f in result.findings if subject in (None, f.subject)]
    why = [f"{f.outcome.words} {f.subject}: {f.message}" for f in about[:5]]
    if subject is not None and got is None:
        why.append("subjects: " + (", ".join(key for key, _ in result.subjects[:10]) or "none"))
    return Difference(rule, subject, expected, got, tuple(why))


def case_evidence(case: TestCase, vocabulary: Vocabulary, read: Callable[[str], object] | None = None) -> EvidenceSet:
    """The evidence that a test gives. Raises :class:`Refusal` if a file that it names does not fit the vocabulary."""
    reader = Reader(vocabulary, strict=False)
    roots: dict[str, Record | Collection] = {}
    origin = Origin(f"test {case.title}")
    for given in case.given:
        raw = given.value
        if given.file is not None:
            if read is None:
                raise Refusal(Diagnostic("PE704", f"no file can be read here: `{given.file}`", line=case.line))
            raw = read(given.file)
        try:
            _give(roots, given, raw, reader, vocabulary, origin)
        except Mismatch as problem:
            message = f"`{'.'.join(given.path)}` {problem.pointer}: {problem.message}"
            raise Refusal(Diagnostic("PE705", message, line=case.line, hint=problem.hint)) from None
    at = timestamp(case.at) if case.at else DEFAULT_TIME
    stated = roots.get("evaluation")
    fields = dict(stated.fields) if isinstance(stated, Record) else {}
    roots["evaluation"] = Record("evaluation", {**fields, "time": at}, origin)
    return EvidenceSet(roots)


def _give(roots: dict[str, Record | Collection], given: Given, raw: object, reader: Reader, vocabulary: Vocabulary,
          origin: Origin) -> None:  # fmt: skip
    name, *rest = given.path
    declared = vocabulary.roots[name].type
    if not rest:
        if declared.many:
            roots[name] = _collection(given, raw, declared, reader, origin)
        else:
            roots[name] = _single(raw, declared.name, reader, vocabulary, origin)
        return
    whole = roots.get(name)
    before = dict(whole.fields) if isinstance(whole, Record) else {}
    roots[name] = Record(
        declared.name, _with_field(before, rest, given, raw, declared.name, reader, vocabulary, origin), origin
    )


def _single(raw: object, type_name: str, reader: Reader, vocabulary: Vocabulary, origin: Origin) -> Record:
    """A single root written as one record: its lists of records count as complete collections."""
    record = reader.record(type_name, raw, origin)
    declared = vocabulary.types[type_name].fields
    fields = {
        name: Collection(value, Completeness.COMPLETE, origin=origin)
        if declared[name].many and declared[name].is_record and isinstance(value, tuple)
        else value
        for name, value in record.fields.items()
    }
    return Record(type_name, fields, origin)


def _with_field(before: Mapping[str, Any], rest: Sequence[str], given: Given, raw: object, type_name: str, reader: Reader,
                vocabulary: Vocabulary, origin: Origin) -> dict[str, Any]:  # fmt: skip
    field = vocabulary.types[type_name].fields[rest[0]]
    value: object
    if len(rest) > 1:
        inner = before.get(rest[0])
        fields = dict(inner.fields) if isinstance(inner, Record) else {}
        value = Record(field.name, _with_field(fields, rest[1:], given, raw, field.name, reader, vocabulary, origin), origin)
    elif field.many and field.is_record:
        value = _collection(given, raw, field, reader, origin)
    else:
        value = reader.value(field, raw, origin, f"/{rest[0]}")
    after = {**before, rest[0]: value}
    return {name: each for name, each in after.items() if each is not None}


def _collection(given: Given, raw: object, declared: FieldType, reader: Reader, origin: Origin) -> Collection:
    read = reader.collection(declared, raw, origin, Completeness(given.state))
    begin = timestamp(given.covers_from) if given.covers_from else None
    until = timestamp(given.covers_until) if given.covers_until else None
    return Collection(read.items, read.state, begin, until, read.origin)
