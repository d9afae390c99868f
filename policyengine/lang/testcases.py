"""The ``test`` blocks of a policy as plain data, their names and values checked against the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from policyengine.core.coerce import Mismatch, Reader
from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.lang import syntax
from policyengine.lang.literals import raw_value, read_literal
from policyengine.lang.names import suggested
from policyengine.lang.plan import plan_value


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
    """Reads the tests of one policy; problems are added to ``diagnostics``."""

    __test__ = False

    def __init__(self, source: Source, vocabulary: Vocabulary, rules: frozenset[str], diagnostics: list[Diagnostic]) -> None:
        self.source, self.vocabulary, self.rules, self.diagnostics = source, vocabulary, rules, diagnostics
        self.reader = Reader(vocabulary, strict=False)

    def case(self, test: syntax.Test) -> TestCase | None:
        """The test as data, or None where something in it was reported."""
        before = len(self.diagnostics)
        given = tuple(each for each in (self._given(g) for g in test.given) if each is not None)
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
        if given.file is not None:
            return Given(path, None, file=given.file.value)
        if given.value is None:
            raise AssertionError("the grammar gives every other `given` a value")
        try:
            raw = raw_value(given.value)
            self._coerce(declared, raw)
        except Mismatch as problem:
            where = f" at {problem.pointer}" if problem.pointer else ""
            self._report(given.value.span, "PE242", f"`{given.path.text}`{where}: {problem.message}", problem.hint)
            return None
        begin, until = self._moment(given.covers_from), self._moment(given.covers_until)
        return Given(path, raw, "incomplete" if given.incomplete else "complete", begin, until)

    def _coerce(self, declared: FieldType, raw: object) -> None:
        if declared.many and declared.is_record:
            self.reader.collection(declared, raw)
        else:
            self.reader.value(declared, raw)

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
                self._report(name.span, "PE201", f"there is no field `{name.text}` in a {declared.name}", hint)
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
        if expect.rule.text not in self.rules:
            close = suggested(expect.rule.text, self.rules)
            hint = f"did you mean `{close}`?" if close else f"rules here: {', '.join(sorted(self.rules)) or 'none'}"
            self._report(expect.rule.span, "PE206", f"there is no rule `{expect.rule.text}` in this policy", hint)
        subject = None
        if expect.subject is not None:
            try:
                subject = str(raw_value(expect.subject))
            except Mismatch as problem:
                self._report(expect.subject.span, "PE237", problem.message, problem.hint)
        return expect.rule.text, expect.outcome.replace(" ", "_"), subject

    def _report(self, span: Span, code: str, message: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic.at(self.source, span, code, message, hint=hint))
