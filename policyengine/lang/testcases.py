"""The ``test`` blocks of a policy as plain data, their names and values checked against the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.lang import syntax
from policyengine.lang.givens import GivenValues
from policyengine.lang.literals import raw_value, read_literal
from policyengine.lang.names import suggested
from policyengine.lang.plan import plan_value
from policyengine.lang.types import with_article


@dataclass(frozen=True, slots=True)
class Given:
    """``path`` are the names of a root and what is below it; ``value`` is plain data, None where ``file`` holds it."""

    path: tuple[str, ...]
    value: object
    state: str = "complete"
    covers_from: str | None = None
    covers_until: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class TestCase:
    """``expects`` are rule id, outcome as in JSON (``not_yet_due``), and the key of one subject or None for the whole rule."""

    __test__ = False  # not a test of pytest

    title: str
    line: int
    given: tuple[Given, ...]
    at: str | None
    expects: tuple[tuple[str, str, str | None], ...]


class TestReader:
    """Reads the tests of one policy; problems are added to ``diagnostics``.

    ``lost`` names what syntax errors took away. ``misnamed``: two rules share an id, so a test may well name the id that
    one of them should have.
    """

    __test__ = False

    def __init__(self, source: Source, vocabulary: Vocabulary, rules: frozenset[str], diagnostics: list[Diagnostic],
                 lost: frozenset[str] = frozenset(), misnamed: bool = False) -> None:  # fmt: skip
        self.source, self.vocabulary, self.rules, self.diagnostics, self.lost = source, vocabulary, rules, diagnostics, lost
        self.misnamed = misnamed
        self.values = GivenValues(source, vocabulary, diagnostics)

    def case(self, test: syntax.Test) -> TestCase | None:
        """The test as data, or None where something in it was reported."""
        before = len(self.diagnostics)
        given = tuple(each for each in (self._given(g) for g in test.given) if each is not None)
        self._each_once(test.given)
        at = self._moment(test.at)
        expects = tuple(self._expect(each) for each in test.expect)
        if len(self.diagnostics) > before:
            return None
        return TestCase(test.title.value, self.source.place(test.span.start)[0], given, at, expects)

    def _given(self, given: syntax.Given) -> Given | None:
        declared = self._declared(given.path)
        if declared is None:
            return None
        path = tuple(name.text for name in given.path.names)
        if (misplaced := _time_of_test(given)) is not None:
            self._report(misplaced, "PE242", "the time of a test is not given as evidence",
                         "write it after the last `given`, as `at 2026-03-01T08:00:00Z`")  # fmt: skip
            return None
        if given.file is not None:
            return Given(path, None, file=given.file.value)
        if given.value is None:
            raise AssertionError("the grammar gives every other `given` a value")
        before = len(self.diagnostics)
        raw = self.values.plain(declared, given.value)
        begin, until = self._extent(given, declared)
        if len(self.diagnostics) > before:
            return None
        return Given(path, raw, "incomplete" if given.incomplete else "complete", begin, until)

    def _extent(self, given: syntax.Given, declared: FieldType) -> tuple[str | None, str | None]:
        """What the test says about the completeness of a list: its coverage, both ends or neither."""
        if not (declared.many and declared.is_record) and (given.incomplete or given.covers_from is not None):
            word = "incomplete" if given.incomplete else "covering"
            end = given.value.span.end if given.value is not None else given.path.span.end
            at = self.source.text.find(word, end)
            self._report(Span(at, at + len(word)), "PE242", f"`{word}` is said of a list of records, and `{given.path.text}` is none",
                         f"leave out `{word}`")  # fmt: skip
            return None, None
        begin, until = self._moment(given.covers_from), self._moment(given.covers_until)
        if begin is not None and until is not None and given.covers_until is not None and timestamp(until) < timestamp(begin):
            self._report(
                given.covers_until.span, "PE242", "the list covers a time that ends before it begins", "swap the two ends"
            )
        return begin, until

    def _each_once(self, given: Sequence[syntax.Given]) -> None:
        """A line may add fields to a record that stands above it; what it would replace is given twice."""
        known: dict[tuple[str, ...], syntax.Given] = {}
        for each in given:
            own = tuple(name.text for name in each.path.names)
            clash = next((path for path in known if path[: len(own)] == own), None)
            if clash is not None:
                line, column = self.source.place(known[clash].path.span.start)
                self._report(each.path.span, "PE207", f"`{'.'.join(clash)}` is given already at line {line}, column {column}",
                             "give it once, with everything that belongs to it")  # fmt: skip
            known.update((path, each) for path in _leaves(each) if path not in known)

    def _declared(self, path: syntax.Path) -> FieldType | None:
        first = path.names[0]
        root = self.vocabulary.roots.get(first.text)
        if root is None:
            close = suggested(first.text, self.vocabulary.roots)
            hint = f"did you mean `{close}`?" if close else "`policyengine schema` prints the evidence that can be given"
            self._report(first.span, "PE200", f"there is no evidence called `{first.text}`", hint)
            return None
        declared = root.type
        for name in path.names[1:]:
            fields = self.vocabulary.types[declared.name].fields if declared.is_record and not declared.many else {}
            if name.text not in fields:
                close = suggested(name.text, fields)
                hint = f"did you mean `{close}`?" if close else f"`policyengine schema {declared.name}` prints its fields"
                self._report(name.span, "PE201", f"there is no field `{name.text}` in {with_article(declared.name)}", hint)
                return None
            declared = fields[name.text]
        return declared

    def _moment(self, literal: syntax.Literal | None) -> str | None:
        if literal is None:
            return None
        try:
            _, read = read_literal(literal)
        except Mismatch as problem:
            self._report(literal.span, "PE237", problem.message, problem.hint)
            return None
        text = str(plan_value(read))
        return text if "T" in text else f"{text}T00:00:00Z"

    def _expect(self, expect: syntax.Expect) -> tuple[str, str, str | None]:
        if expect.rule.text not in self.rules | self.lost and not self.misnamed:
            close = suggested(expect.rule.text, self.rules)
            hint = f"did you mean `{close}`?" if close else f"rules here: {', '.join(sorted(self.rules)) or 'none'}"
            self._report(expect.rule.span, "PE206", f"there is no rule `{expect.rule.text}` in this policy", hint)
        subject = None
        if expect.subject is not None:
            subject = self._subject(expect.subject)
        return expect.rule.text, expect.outcome.replace(" ", "_"), subject

    def _subject(self, value: syntax.Value) -> str | None:
        if not isinstance(value, syntax.Literal):
            self._report(value.span, "PE242", "a subject is named by one text", 'write its key, such as `for "CVE-2021-44228"`')
            return None
        try:
            return value.text if value.kind == "bool" else str(raw_value(value))
        except Mismatch as problem:
            self._report(value.span, "PE237", problem.message, problem.hint)
            return None

    def _report(self, span: Span, code: str, message: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic.at(self.source, span, code, message, hint=hint))


def _time_of_test(given: syntax.Given) -> Span | None:
    """Where a line gives ``evaluation.time``, which only ``at`` sets."""
    path = given.path.text
    if path == "evaluation.time":
        return given.path.span
    if path == "evaluation" and isinstance(given.value, syntax.RecordLiteral):
        return next((name.span for name, _ in given.value.pairs if name.text == "time"), None)
    return None


def _leaves(given: syntax.Given) -> list[tuple[str, ...]]:
    """The paths that a line gives a value to; those of a record are the paths of its fields."""
    pending: list[tuple[tuple[str, ...], syntax.Value | None]] = [(tuple(name.text for name in given.path.names), given.value)]
    found: list[tuple[str, ...]] = []
    while pending:
        path, value = pending.pop()
        if isinstance(value, syntax.RecordLiteral) and value.pairs:
            pending += [((*path, name.text), each) for name, each in value.pairs]
        else:
            found.append(path)
    return found
