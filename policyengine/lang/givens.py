"""The values that a test gives, read along the syntax tree, so that each wrong one is told at its own place.

Stricter than the coercion of evidence: a test is written by hand in this language, so a date where a text belongs, a key
that is written twice or a value of another kind is a slip of the author's, never a format to be understood.
"""

from __future__ import annotations

from policyengine.core.coerce import Mismatch, Reader
from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.lang import syntax
from policyengine.lang.literals import raw_value, right_kind
from policyengine.lang.names import suggested
from policyengine.lang.types import with_article


class GivenValues:
    """Checks given values; what is wrong is added to ``diagnostics``."""

    def __init__(self, source: Source, vocabulary: Vocabulary, diagnostics: list[Diagnostic]) -> None:
        self.source, self.vocabulary, self.diagnostics = source, vocabulary, diagnostics
        self.reader = Reader(vocabulary, strict=False)

    def plain(self, declared: FieldType, value: syntax.Value) -> object:
        """The value as plain data, None where it was reported."""
        before = len(self.diagnostics)
        self._check(declared, value)
        return raw_value(value) if len(self.diagnostics) == before else None

    def _check(self, declared: FieldType, value: syntax.Value) -> None:
        if declared.many:
            self._list(declared, value)
        elif declared.name == "digests":
            self._digests(value)
        elif declared.is_record:
            self._record(declared.name, value)
        else:
            self._single(declared, value)

    def _list(self, declared: FieldType, value: syntax.Value) -> None:
        if not isinstance(value, syntax.ListLiteral):
            self._wrong(value.span, f"{_found(value)} found, a list expected", "write it in brackets, `[ .. ]`")
            return
        one = FieldType(declared.name, False, False, declared.values, declared.ordered, declared.open)
        seen: set[object] = set()
        for item in value.items:
            before = len(self.diagnostics)
            self._check(one, item)
            if not isinstance(item, syntax.Literal) or len(self.diagnostics) > before:
                continue
            read = self.reader.value(one, raw_value(item))
            if read is None:
                self._wrong(item.span, "an entry of a list is empty", "leave it out")
            elif read in seen:
                self._report(item.span, "PE207", "this entry of the list is there twice", "keep one of them")
            seen.add(read)

    def _record(self, type_name: str, value: syntax.Value) -> None:
        if not isinstance(value, syntax.RecordLiteral):
            self._wrong(
                value.span,
                f"{_found(value)} found, {with_article(type_name)} expected",
                "write it in braces, `{ field: value }`",
            )
            return
        fields = self.vocabulary.types[type_name].fields
        for name, each in self._once(value):
            if name.text in fields:
                self._check(fields[name.text], each)
            else:
                close = suggested(name.text, fields)
                hint = f"did you mean `{close}`?" if close else f"`policyengine schema {type_name}` prints its fields"
                self._report(name.span, "PE201", f"there is no field `{name.text}` in {with_article(type_name)}", hint)

    def _once(self, record: syntax.RecordLiteral) -> list[tuple[syntax.Name, syntax.Value]]:
        """The fields of a record; a name that comes again is reported where it does."""
        seen: set[str] = set()
        for name, _ in record.pairs:
            if name.text in seen:
                self._report(name.span, "PE207", f"`{name.text}` is given twice in this record", "keep one of them")
            seen.add(name.text)
        return list(record.pairs)

    def _digests(self, value: syntax.Value) -> None:
        one = FieldType("digest")
        if isinstance(value, syntax.ListLiteral):
            for item in value.items:
                self._single(one, item)
            return
        if isinstance(value, syntax.RecordLiteral):
            before = len(self.diagnostics)
            self._once(value)
            if len(self.diagnostics) > before:
                return
        self._coerced(FieldType("digests"), value)

    def _single(self, declared: FieldType, value: syntax.Value) -> None:
        if not isinstance(value, syntax.Literal):
            expected = "text" if declared.name == "enum" else with_article(declared.name)
            self._wrong(value.span, f"{_found(value)} found, {expected} expected", "write one value")
        elif not _blank(value) and (slip := right_kind(value, declared)) is not None:
            self._wrong(value.span, slip.message, slip.hint)
        else:
            self._coerced(declared, value)

    def _coerced(self, declared: FieldType, value: syntax.Value) -> None:
        try:
            self.reader.value(declared, raw_value(value))
        except Mismatch as problem:
            code = "PE237" if "out of range" in problem.message else "PE242"
            self._report(value.span, code, problem.message, problem.hint)

    def _wrong(self, span: Span, message: str, hint: str) -> None:
        self._report(span, "PE242", message, hint)

    def _report(self, span: Span, code: str, message: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic.at(self.source, span, code, message, hint=hint))


def _blank(literal: syntax.Literal) -> bool:
    """``""`` is how a test says that nothing is recorded, in a field of any type."""
    return literal.kind == "text" and not literal.text.strip()


def _found(value: syntax.Value) -> str:
    if isinstance(value, syntax.Literal):
        return {"text": "text", "bool": "true or false"}.get(value.kind, with_article(value.kind))
    return "a list" if isinstance(value, syntax.ListLiteral) else "a record"
