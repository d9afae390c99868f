"""Rows of a declared file become records of the vocabulary; a row that cannot is named, counted and kept out.

A collection with a bad row is *incomplete* and says why, so it can fail a rule and never pass one that asks for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from policyengine.core.canonical import sha256_of
from policyengine.core.coerce import Mismatch, Reader, hidden
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.model import Collection, Completeness, EvidenceItem, Origin, Record
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.evidence.declaration import (
    COMPUTED,
    EPOCHS,
    FORMATS,
    Declaration,
    Source,
    declaration_of,
    field_at,
    known_zone,
    type_of,
)
from policyengine.evidence.document import Document
from policyengine.evidence.hash_chain import with_hash_valid
from policyengine.evidence.rows import RawRow, RawRows, csv_rows, document_of, jsonl_rows, listed_rows

__all__ = ["Declaration", "Source", "declaration_of", "read_mapped"]

LISTED = 20
LIST_SEPARATOR = ";"

# What a type without an id of its own is known by: two rows with one such name would let the reader choose.
NAMED_ONCE = {"account": "user_id", "model": "name", "supplier": "name", "trading_partner": "gln"}
# Prose, in which invisible characters are a matter of script and layout. Every other text may be compared with another.
FREE_TEXT = frozenset(
    "alternative_control buyer_address capa_reason contains labelling_method new_value no_audit_reason old_value "
    "problem_statement purpose rationale reason regulatory_reference required_value root_cause seller_address shown_meaning "
    "statement_assertions text value".split()
)

HELD_LISTS = ("audit_trail", "epcis")  # single roots whose lists are collections with a completeness of their own


def read_mapped(raw: bytes, name: str, declaration: Declaration, vocabulary: Vocabulary) -> Document:
    """The document that one declared file becomes.

    Raises ``Refusal`` (PE420 to PE425) for a file that is not of its kind: not UTF-8, no header, a mapped column or a key
    that is not there, a single record with a fault. Damaged rows of a list do not raise; see the module's first line.
    """
    form = declaration.format or FORMATS.get(name.rpartition(".")[2].lower(), "")
    if not form:
        message = "its name does not say whether it is csv, jsonl, json or yaml"
        raise Refusal(Diagnostic("PE423", message, file=name, hint="add `format: csv` to its entry"))
    kind = type_of(declaration.root, vocabulary)
    if kind is None:
        raise Refusal(Diagnostic("PE841", f"there is no evidence root `{declaration.root}`", file=name))
    builder = _Builder(name, declaration, kind, vocabulary)
    if not kind.many:
        return _single(raw, form, builder)
    rows = _rows(raw, name, form, declaration)
    if rows.header is not None:
        builder.check_header(rows.header)
    return _collected(raw, form, rows, builder)


def _rows(raw: bytes, name: str, form: str, declaration: Declaration) -> RawRows:
    if form == "csv":
        return csv_rows(raw, name, declaration.delimiter)
    if form == "jsonl":
        return jsonl_rows(raw, name)
    return listed_rows(document_of(raw, name, form), name, declaration.rows)


def _single(raw: bytes, form: str, builder: _Builder) -> Document:
    name, declaration = builder.name, builder.declaration
    if form not in ("json", "yaml"):
        message = f"`{declaration.root}` is a single record; it is given as json or yaml, not as {form}"
        raise Refusal(Diagnostic("PE423", message, file=name))
    document = document_of(raw, name, form)
    if not isinstance(document, Mapping):
        raise Refusal(Diagnostic("PE422", f"an object with the fields of `{declaration.root}` expected", file=name))
    computed = next((key for key in document if key in COMPUTED.get(builder.type, ())), None)
    if computed is not None:
        message = f"`{computed}` is computed by the engine and never read from a file"
        raise Refusal(Diagnostic("PE424", message, file=name, pointer=f"/{computed}"))
    lists = [key for key in document if type_of(f"{declaration.root}.{key}", builder.vocabulary)]
    if lists and declaration.root in HELD_LISTS:
        hint = f"give it a file of its own: `as: {declaration.root}.{lists[0]}`"
        raise Refusal(Diagnostic("PE424", f"`{lists[0]}` is a list of rows", file=name, pointer=f"/{lists[0]}", hint=hint))
    try:
        record = builder.record(RawRow("", document))
    except Mismatch as wrong:
        raise Refusal(Diagnostic("PE424", wrong.message, file=name, pointer=wrong.pointer, hint=wrong.hint)) from None
    item = EvidenceItem(name, declaration.root, form, sha256_of(raw), len(raw), Completeness.NOT_STATED,
                        feeds=(declaration.root,), warnings=builder.warnings())  # fmt: skip
    return Document(item, {declaration.root: record}, ())


def _collected(raw: bytes, form: str, rows: RawRows, builder: _Builder) -> Document:
    name, declaration = builder.name, builder.declaration
    records: list[Record] = []
    bad: list[str] = []
    for row in rows.rows:
        if row.problem:
            bad.append(f"{row.place}: {row.problem}")
            continue
        try:
            records.append(builder.record(row))
        except Mismatch as wrong:
            field = wrong.pointer.strip("/").replace("/", ".")
            bad.append(f"{row.place}: `{field}`: {wrong.message}" if field else f"{row.place}: {wrong.message}")
    builder.refuse_unknown_names()
    doubles = _doubled(records, builder.vocabulary)
    reasons = [f"{len(bad)} of {len(bad) + len(records)} rows could not be read ({bad[0]})"] if bad else []
    reasons += [f"{_counted(len(doubles), 'id is', 'ids are')} there more than once ({doubles[0]})"] if doubles else []
    whole = declaration.complete is not None and (bool(records) or declaration.may_be_empty)
    state = Completeness.COMPLETE if whole else Completeness.NOT_STATED
    if declaration.complete is False:
        reasons.append("the source states that it is not the whole list")
    if reasons:
        state = Completeness.INCOMPLETE
    found = Collection(
        tuple(records), state, declaration.covers_from, declaration.covers_until, Origin(name), "; ".join(reasons)
    )
    warnings = [*rows.warnings, *builder.warnings(), *_listed(bad, "rows"), *_listed(doubles, "doubled ids")]
    counts = {"rows": len(bad) + len(records), "not_read": len(bad)}
    item = EvidenceItem(name, declaration.root, form, sha256_of(raw), len(raw), state, reason=found.reason or None, counts=counts,
                        feeds=(declaration.root.partition(".")[0],), warnings=tuple(warnings))  # fmt: skip
    root, _, member = declaration.root.partition(".")
    if not member:
        return Document(item, {root: found}, ())
    holder = builder.vocabulary.roots[root].type.name
    return Document(item, {root: Record(holder, {member: found}, Origin(name))}, ())


def _listed(problems: list[str], of_what: str) -> list[str]:
    rest = len(problems) - LISTED
    return problems[:LISTED] + ([f"and {rest} more {of_what}"] if rest > 0 else [])


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _doubled(records: Iterable[Record], vocabulary: Vocabulary) -> list[str]:
    """Rows whose id, or what else names one of their type, another row before them has, with both places."""
    first: dict[tuple[object, ...], Record] = {}
    doubles: list[str] = []
    for record in records:
        keys = _naming(record.type, vocabulary)
        if not keys:
            return []
        key = tuple(record.fields.get(name) for name in keys)
        earlier = first.setdefault(key, record)
        if earlier is not record and earlier.origin and record.origin:
            words = ", ".join(str(part) for part in key)
            doubles.append(f"`{words}`: {earlier.origin.pointer} and {record.origin.pointer}")
    return doubles


def _naming(type_name: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The fields that only one row of a type has with the same values; none for a type whose rows share what they name."""
    declared = vocabulary.types[type_name]
    if declared.key_fields[:1] == ("id",) and declared.fields["id"].always:
        return declared.key_fields
    return (NAMED_ONCE[type_name],) if type_name in NAMED_ONCE else ()


def _refuse_hidden(value: object, pointer: str) -> None:
    """A name with an invisible character is another name that reads as the same: `ann` would review what `ann` wrote."""
    if isinstance(value, Record):
        for name, each in value.fields.items():
            if name not in FREE_TEXT:
                _refuse_hidden(each, f"{pointer}/{name}")
    elif isinstance(value, tuple):
        for i, each in enumerate(value):
            _refuse_hidden(each, f"{pointer}/{i}")
    elif isinstance(value, str) and (found := hidden(value)):
        raise Mismatch(pointer, f"the invisible character U+{ord(found):04X} in it")


class _Builder:
    """Makes records of one type, and remembers which names of the file it did not know or use."""

    def __init__(self, name: str, declaration: Declaration, kind: FieldType, vocabulary: Vocabulary) -> None:
        self.name, self.declaration, self.type, self.vocabulary = name, declaration, kind.name, vocabulary
        self.reader = Reader(vocabulary)
        self.columns = dict(declaration.columns) if declaration.columns is not None else None
        self.fields: dict[str, FieldType] = {p: field_at(p, self.type, vocabulary) for p in self.columns or {}}
        self.is_csv = False
        self.used: set[str] = set()
        self.unused: dict[str, None] = {}
        self.unknown: dict[tuple[str, str], Diagnostic] = {}
        self.zones = {s.zone: known_zone(s.zone) for s in (self.columns or {}).values() if s.zone}

    def check_header(self, header: tuple[str, ...]) -> None:
        """Every mapped column is there; without a map, every column is a field."""
        self.is_csv = True
        problems: list[Diagnostic] = []
        if self.columns is None:
            self.columns = {}
            for column in header:
                try:
                    field = self.fields[column] = field_at(column, self.type, self.vocabulary)
                except Mismatch as wrong:
                    problems.append(Diagnostic("PE425", wrong.message, file=self.name, line=1, column=1, hint=wrong.hint))
                    continue
                listed = field.many or field.name == "digests"
                self.columns[column] = Source(column, split=LIST_SEPARATOR if listed else "")
        for path, source in self.columns.items():
            if source.column is not None and source.column not in header:
                close = nearest(source.column, header)
                message = f"there is no column `{source.column}`, which `{path}` is mapped from"
                hint = f"did you mean `{close}`?" if close else f"columns: {', '.join(header)}"
                problems.append(Diagnostic("PE425", message, file=self.name, line=1, column=1, hint=hint))
            field = self.fields[path]
            if field.is_record:
                message = f"`{path}` is {'a list of records' if field.many else 'a record'}, and a cell cannot hold that"
                problems.append(Diagnostic("PE425", message, file=self.name, line=1, column=1, hint="use jsonl, json or yaml"))
        if problems:
            raise Refusal(*problems[:LISTED])

    def record(self, row: RawRow) -> Record:
        """The record of one row. Raises ``Mismatch`` for a bad one."""
        origin = Origin(self.name, row.place)
        values = row.value if self.columns is None else self.mapped(row.value, self.columns)
        if self.columns is None and not self.known_names(values, self.type, row.place):
            raise Mismatch("", "a name that is not in the vocabulary")
        if self.declaration.stream and not values.get("stream_id"):
            values = {**values, "stream_id": self.declaration.stream}
        record = self.reader.record(self.type, values, origin)
        self.require_always(record, "")
        _refuse_hidden(record, "")
        if record.type == "audit_event" and self.declaration.check_hash:
            return with_hash_valid(record)
        return record

    def mapped(self, row: Mapping[str, object], columns: Mapping[str, Source]) -> dict[str, object]:
        for column in row:
            if column not in self.unused:
                self.unused[column] = None
        nested: dict[str, object] = {}
        constants: list[tuple[str, object]] = []
        for path, source in columns.items():
            if source.column is None:
                constants.append((path, source.constant))
                continue
            value = self.cell(row, source, self.fields[path], path)
            if value is not None:
                _put(nested, path, value)
        for path, value in constants:
            # A constant describes a record that is there; it does not make one.
            head, dot, _ = path.partition(".")
            if not dot or head in nested or not any(p.startswith(f"{head}.") and s.column for p, s in columns.items()):
                _put(nested, path, value)
        return nested

    def cell(self, row: Mapping[str, object], source: Source, field: FieldType, path: str) -> object:
        """The plain value of one mapped cell, or None where nothing is recorded."""
        raw = _found(row, str(source.column))
        if raw is not None:
            self.used.add(str(source.column))
        if isinstance(raw, str):
            raw = raw.strip()
        if raw is None or (raw == "" and not (source.values and "" in source.values)):
            return None
        at = "/" + path.replace(".", "/")
        if source.split:
            if not isinstance(raw, str):
                raise Mismatch(at, "text with several entries expected")
            entries = [entry.strip() for entry in raw.removesuffix(source.split).split(source.split)]
            return [self.meaning(entry, source, at) for entry in entries] if source.values else entries
        if source.values:
            return self.meaning(raw, source, at)
        if source.form:
            return self.moment(raw, source, field, at)
        return raw

    def meaning(self, raw: object, source: Source, at: str) -> object:
        text = str(raw).lower() if isinstance(raw, bool) else str(raw)
        table = source.values or {}
        if text in table:
            return table[text]
        raise Mismatch(at, f"`{text}` is not in the table of values")

    def moment(self, raw: object, source: Source, field: FieldType, at: str) -> object:
        if source.form in EPOCHS:
            return _epoch(raw, EPOCHS[source.form], at)
        try:
            found = datetime.strptime(str(raw), source.form)  # noqa: DTZ007 (the zone is put in below)
        except ValueError:
            raise Mismatch(at, f"`{raw}` is not of the form `{source.form}`, or does not exist") from None
        if field.name == "date":
            return date(found.year, found.month, found.day)
        try:
            return found.astimezone(UTC) if found.tzinfo else _instant(found, self.zones[source.zone], source.zone, at)
        except OverflowError:
            raise Mismatch(at, f"`{raw}` is out of range") from None

    def known_names(self, raw: object, type_name: str, place: str, pointer: str = "") -> bool:
        """Whether all names of a row are the vocabulary's; each unknown one is remembered once, with its first place."""
        if not isinstance(raw, Mapping):
            return True
        good = True
        declared = self.vocabulary.types[type_name].fields
        for name, value in raw.items():
            field = declared.get(name)
            if field is None or name in COMPUTED.get(type_name, ()):
                good = False
                if (type_name, str(name)) not in self.unknown:
                    self.unknown[type_name, str(name)] = self.unknown_name(str(name), type_name, f"{pointer}/{name}", place)
            elif field.is_record and value is not None:
                for each in value if isinstance(value, list | tuple) else (value,):
                    good = self.known_names(each, field.name, place, f"{pointer}/{name}") and good
        return good

    def unknown_name(self, name: str, type_name: str, pointer: str, place: str) -> Diagnostic:
        try:
            field_at(name, type_name, self.vocabulary)
            message, hint = f"`{name}` cannot be read here", ""
        except Mismatch as wrong:
            message, hint = wrong.message, wrong.hint
        line = int(place.removeprefix("line ")) if place.startswith("line ") else 0
        where = pointer if line else place + pointer
        return Diagnostic("PE425", message, file=self.name, line=line, column=1 if line else 0, pointer=where, hint=hint)

    def refuse_unknown_names(self) -> None:
        if self.unknown:
            raise Refusal(*list(self.unknown.values())[:LISTED])

    def require_always(self, record: Record, pointer: str) -> None:
        """A row without what every row of its type has would answer questions that must not be unknown."""
        for name, field in self.vocabulary.types[record.type].fields.items():
            value = record.fields.get(name)
            if field.always and value is None and name not in COMPUTED.get(record.type, ()):
                raise Mismatch(f"{pointer}/{name}", f"not recorded, and every {record.type} must have it")
            if isinstance(value, Record):
                self.require_always(value, f"{pointer}/{name}")
            elif field.is_record and isinstance(value, tuple):
                for i, each in enumerate(value):
                    self.require_always(each, f"{pointer}/{name}/{i}")

    def warnings(self) -> tuple[str, ...]:
        """What of the file was passed over, and mapped columns that no row has."""
        if self.declaration.columns is None or self.columns is None:
            return ()
        sources = {s.column.partition(".")[0] if s.column not in self.unused else s.column
                   for s in self.columns.values() if s.column}  # fmt: skip
        passed = sorted(column for column in self.unused if column not in sources)
        warnings = [f"columns that are not mapped: {', '.join(passed)}"] if passed else []
        if not self.is_csv and self.unused:
            missing = sorted({s.column for s in self.columns.values() if s.column} - self.used)
            warnings += [f"no row has a value in `{column}`, which is mapped" for column in missing]
        return tuple(warnings)


def _put(nested: dict[str, object], path: str, value: object) -> None:
    *heads, last = path.split(".")
    for head in heads:
        below = nested.setdefault(head, {})
        if not isinstance(below, dict):
            raise Mismatch("/" + path.replace(".", "/"), f"`{head}` is given twice")
        nested = below
    nested[last] = value


def _found(row: Mapping[str, object], column: str) -> object:
    """The value of a column; below nested objects by a dotted name where no key is called that."""
    if column in row:
        return row[column]
    value: object = row
    for part in column.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _epoch(raw: object, per_second: int, at: str) -> datetime:
    if isinstance(raw, bool) or not str(raw).lstrip("-").isdecimal():
        raise Mismatch(at, f"`{raw}` is not a whole number")
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(str(raw)) * (1_000_000 // per_second))
    except (OverflowError, ValueError):
        raise Mismatch(at, f"`{raw}` is out of range") from None


def _instant(local: datetime, zone: object, zone_name: str, at: str) -> datetime:
    """The instant of a local time. One that the clocks skipped, or showed twice, is refused: which was meant is not known."""
    from zoneinfo import ZoneInfo

    if not isinstance(zone, ZoneInfo):
        raise Mismatch(at, f"there is no time zone `{zone_name}`")
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == local
    why = "is there twice: the clocks were set back" if exists else "does not exist: the clocks were set forward"
    raise Mismatch(at, f"`{local.isoformat(' ')}` {why} in {zone_name}")
