"""What a site says of a file it exports itself: which root it feeds, how its columns map, what it covers (cli.md form).

An entry of ``evidence:`` in the configuration becomes a frozen :class:`Declaration`. Everything that can be wrong in it is
found here, before a file is opened, all problems at once; the reference is ``docs/evidence.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from policyengine.core.coerce import Mismatch, Reader, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.model import Origin
from policyengine.core.vocabulary import FieldType, Vocabulary
from policyengine.core.vocabulary import vocabulary as product_vocabulary

FORMATS = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "yaml": "yaml", "yml": "yaml"}
KEYS = ("path", "as", "format", "covers", "complete", "may_be_empty", "map", "rows", "stream", "delimiter", "hash")
SOURCE_KEYS = ("column", "const", "format", "zone", "values", "split")
EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000}

# Unsigned rows must never stand where rules expect what a verified signature or this engine says.
NOT_MAPPABLE = {
    **dict.fromkeys(
        ("attestations", "provenances", "verification_summaries", "scans", "test_results", "model_attestations",
         "unverified_attestations"), "only signed statements feed it"),
    **dict.fromkeys(("sbom", "sboms"), "only CycloneDX and SPDX documents feed it"),
    "signature_dossiers": "the engine computes it",
}  # fmt: skip
COMPUTED = {"audit_event": ("hash_valid",), "evaluation": ("time",)}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one field comes from: a column (with its reading) or a constant (``column`` is None)."""

    column: str | None = None
    constant: object = None
    form: str = ""
    zone: str = ""
    values: Mapping[str, object] | None = None
    split: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared file. ``root`` is a root or a collection below one (``audit_trail.events``); ``format`` "" means by suffix.

    ``columns`` maps dotted vocabulary paths to sources, or is None where the file uses the names of the vocabulary.
    ``complete`` is the source's own statement that this is the whole list (True), that it is not (False), or none (None).
    ``may_be_empty`` says that a whole list without entries is a statement too, and not an export that found nothing to read.
    ``rows`` names the key that holds the list in a JSON or YAML object. ``check_hash`` recomputes the hash chain.
    """

    root: str
    format: str = ""
    columns: Mapping[str, Source] | None = None
    covers_from: datetime | None = None
    covers_until: datetime | None = None
    complete: bool | None = None
    rows: str = ""
    stream: str = ""
    delimiter: str = ","
    check_hash: bool = True
    may_be_empty: bool = False


def declaration_of(raw: Mapping[str, object], place: Origin | str, vocabulary: Vocabulary | None = None) -> Declaration:
    """The declaration in an entry of the configuration. Raises ``Refusal`` (PE840 to PE844) with every problem found."""
    entry = _Entry(place if isinstance(place, Origin) else Origin(place), vocabulary or product_vocabulary())
    declaration = entry.read(raw)
    if entry.problems or declaration is None:
        raise Refusal(*entry.problems[:20])
    return declaration


def type_of(root: str, vocabulary: Vocabulary) -> FieldType | None:
    """The type that ``as:`` names: a root, or a list of records below a single root; None where there is no such thing."""
    name, dot, member = root.partition(".")
    found = vocabulary.roots.get(name)
    if found is None or not dot:
        return found.type if found else None
    if found.type.many:
        return None
    below = vocabulary.types[found.type.name].fields.get(member)
    return below if below and below.many and below.is_record else None


def field_at(path: str, type_name: str, vocabulary: Vocabulary) -> FieldType:
    """The type of the field at a dotted path such as ``actor.user_id``. Raises ``Mismatch`` with the nearest name."""
    head, dot, rest = path.partition(".")
    fields = vocabulary.types[type_name].fields
    field = fields.get(head)
    if field is None:
        close = nearest(path, paths_of(type_name, vocabulary)) or nearest(head, fields)
        hint = f"did you mean `{close}`?" if close else f"fields: {', '.join(fields)}"
        raise Mismatch(path, f"there is no field `{head}` in `{type_name}`", hint)
    if head in COMPUTED.get(type_name, ()):
        raise Mismatch(path, f"`{head}` is computed by the engine and never read from a file")
    if not dot:
        return field
    if not field.is_record or field.many:
        words = "a list" if field.many else f"a {field.name}"
        raise Mismatch(path, f"`{head}` is {words} and has no field `{rest}`")
    return field_at(rest, field.name, vocabulary)


def paths_of(type_name: str, vocabulary: Vocabulary) -> Iterable[str]:
    """Names of the fields, and one level below the single records among them."""
    for name, field in vocabulary.types[type_name].fields.items():
        yield name
        if field.is_record and not field.many:
            yield from (f"{name}.{below}" for below in vocabulary.types[field.name].fields)


def missing_targets(columns: Iterable[str], type_name: str, vocabulary: Vocabulary) -> list[str]:
    """Fields that every row must have and no column gives, also in the records below that are mapped in part."""
    groups: dict[str, list[str]] = {}
    for path in columns:
        head, _, rest = path.partition(".")
        groups.setdefault(head, []).extend([rest] if rest else [])
    declared = vocabulary.types[type_name].fields
    computed = COMPUTED.get(type_name, ())
    missing = [name for name, field in declared.items() if field.always and name not in groups and name not in computed]
    for head, below in groups.items():
        if below and head in declared:
            missing += [f"{head}.{path}" for path in missing_targets(below, declared[head].name, vocabulary)]
    return missing


class _Entry:
    def __init__(self, place: Origin, vocabulary: Vocabulary) -> None:
        self.place, self.vocabulary, self.problems = place, vocabulary, list[Diagnostic]()

    def problem(self, code: str, below: str, message: str, hint: str = "") -> None:
        place = self.place
        self.problems.append(Diagnostic(code, message, file=place.name, pointer=place.pointer + below, hint=hint))

    def read(self, raw: Mapping[str, object]) -> Declaration | None:
        self.strict_keys(raw, KEYS, "")
        root = raw.get("as")
        if not isinstance(root, str):
            self.problem("PE841", "", "`as` is missing; it names the evidence root that the file feeds",
                         "such as `as: audit_trail.events`")  # fmt: skip
            return None
        kind = self.root_type(root)
        if kind is None:
            return None
        form = self.one_of(raw, "format", tuple(FORMATS))
        begin, until = self.covers(raw.get("covers"))
        complete = self.yes_or_no(raw, "complete")
        if not kind.many and (complete is not None or begin or until):
            self.problem("PE842", "", f"`{root}` is a single record: `complete` and `covers` are for lists")
        empty = self.yes_or_no(raw, "may_be_empty") is True
        if empty and complete is not True:
            self.problem("PE842", "/may_be_empty", "only a list that is declared `complete: true` may be empty")
        columns = self.columns(raw["map"], kind) if raw.get("map") is not None else None
        stream = self.text(raw, "stream")
        if stream and "stream_id" not in self.vocabulary.types[kind.name].fields:
            self.problem("PE842", "/stream", f"a {kind.name} has no stream")
        delimiter = self.text(raw, "delimiter", strip=False) or ","
        if len(delimiter) != 1 or delimiter in '"\r\n':
            self.problem("PE842", "/delimiter", "one character expected", "such as `;`")
        check = self.one_of(raw, "hash", ("rfc8785", "not_checked")) != "not_checked"
        return Declaration(root, FORMATS.get(form, ""), columns, begin, until, complete, self.text(raw, "rows"), stream,
                           delimiter, check, empty)  # fmt: skip

    def yes_or_no(self, raw: Mapping[str, object], key: str) -> bool | None:
        said = raw.get(key)
        if said is None or isinstance(said, bool):
            return said
        self.problem("PE842", f"/{key}", "true or false expected")
        return None

    def strict_keys(self, raw: Mapping[str, object], known: tuple[str, ...], below: str) -> None:
        for key in raw:
            if key not in known:
                close = nearest(str(key), known)
                hint = f"did you mean `{close}`?" if close else f"keys: {', '.join(known)}"
                self.problem("PE840", f"{below}/{pointer_part(str(key))}", f"there is no key `{key}` here", hint)

    def root_type(self, root: str) -> FieldType | None:
        why = NOT_MAPPABLE.get(root.partition(".")[0])
        if why:
            self.problem("PE841", "/as", f"`{root}` cannot be fed by a mapped file: {why}")
            return None
        kind = type_of(root, self.vocabulary)
        if kind is None:
            known = list(self.vocabulary.roots)
            for name, each in self.vocabulary.roots.items():
                if not each.type.many:
                    fields = self.vocabulary.types[each.type.name].fields.items()
                    known += [f"{name}.{field}" for field, below in fields if below.many and below.is_record]
            close = nearest(root, known)
            self.problem("PE841", "/as", f"there is no evidence root `{root}`", f"did you mean `{close}`?" if close else "")
        return kind

    def text(self, raw: Mapping[str, object], key: str, strip: bool = True) -> str:
        value = raw.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or not (value.strip() if strip else value):
            self.problem("PE842", f"/{key}", "text expected")
            return ""
        return value.strip() if strip else value

    def one_of(self, raw: Mapping[str, object], key: str, known: tuple[str, ...]) -> str:
        value = self.text(raw, key)
        if value and value not in known:
            close = nearest(value, known)
            hint = f"did you mean `{close}`?" if close else ""
            self.problem("PE842", f"/{key}", f"`{value}` is not one of {', '.join(known)}", hint)
        return value

    def covers(self, raw: object) -> tuple[datetime | None, datetime | None]:
        if raw is None:
            return None, None
        if not isinstance(raw, Mapping) or not raw:
            self.problem("PE842", "/covers", "`from` and `until` expected")
            return None, None
        self.strict_keys(raw, ("from", "until"), "/covers")
        ends: dict[str, datetime | None] = {"from": None, "until": None}
        for key in ends:
            if raw.get(key) is not None:
                try:
                    ends[key] = timestamp(raw[key])
                except Mismatch as wrong:
                    self.problem("PE842", f"/covers/{key}", wrong.message, wrong.hint)
        begin, until = ends["from"], ends["until"]
        if begin and until and begin >= until:
            self.problem("PE842", "/covers", "`from` is not before `until`")
        return begin, until

    def columns(self, raw: object, kind: FieldType) -> Mapping[str, Source]:
        if not isinstance(raw, Mapping) or not raw:
            self.problem("PE843", "/map", "field names with their columns expected", "such as `map: {id: EVT_NO}`")
            return {}
        columns: dict[str, Source] = {}
        for path, source in raw.items():
            below = f"/map/{pointer_part(str(path))}"
            try:
                field = field_at(str(path), kind.name, self.vocabulary)
            except Mismatch as wrong:
                self.problem("PE843", below, wrong.message, wrong.hint)
                continue
            read = self.source(source, field, below)
            if read is not None:
                columns[str(path)] = read
        for path in columns:
            parents = [path[: i.start()] for i in re.finditer(r"\.", path)]
            if any(parent in columns for parent in parents):
                self.problem("PE843", f"/map/{path}", f"`{path}` and the whole `{parents[0]}` are both mapped")
        if not self.problems:
            for path in missing_targets(columns, kind.name, self.vocabulary):
                self.problem("PE843", "/map", f"nothing gives `{path}`, and every {kind.name} must have it")
        return columns

    def source(self, raw: object, field: FieldType, below: str) -> Source | None:
        if isinstance(raw, str) and raw.strip():
            return Source(raw)
        if not isinstance(raw, Mapping):
            self.problem("PE843", below, 'a column name or a mapping such as `{column: TS, format: "%Y-%m-%d"}` expected')
            return None
        before = len(self.problems)
        self.strict_keys(raw, SOURCE_KEYS, below)
        if "const" in raw:
            if len(raw) > 1:
                self.problem("PE843", below, "`const` stands alone")
            elif raw["const"] is None:
                self.problem("PE843", f"{below}/const", "a value expected")
            else:
                self.fits(field, raw["const"], f"{below}/const")
            return Source(constant=raw["const"]) if len(self.problems) == before else None
        column = raw.get("column")
        if not isinstance(column, str) or not column.strip():
            self.problem("PE843", below, "`column` or `const` is missing")
            return None
        split = raw.get("split", "")
        if "split" in raw and (not isinstance(split, str) or not split):
            self.problem("PE843", f"{below}/split", "the text between two entries expected", 'such as `split: ";"`')
        elif split and not field.many and field.name != "digests":
            self.problem("PE843", f"{below}/split", f"the field is a single {field.name}, not a list")
        values = self.values(raw["values"], field, f"{below}/values") if "values" in raw else None
        form, zone = self.form(raw, field, below)
        if len(self.problems) > before:
            return None
        return Source(column, None, form, zone, values, str(split))

    def fits(self, field: FieldType, value: object, below: str) -> object:
        try:
            return Reader(self.vocabulary).value(field, value)
        except Mismatch as wrong:
            self.problem("PE843", below, wrong.message, wrong.hint)
            return None

    def values(self, raw: object, field: FieldType, below: str) -> Mapping[str, object]:
        if not isinstance(raw, Mapping) or not raw:
            self.problem("PE843", below, "values of the column with what they mean expected", "such as `{INS: create}`")
            return {}
        one = FieldType(field.name, False, False, field.values, field.ordered, field.open)
        table: dict[str, object] = {}
        for key, value in raw.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                self.problem("PE843", below, f"the value `{key}` of the column is not text", "write it in quotes")
                continue
            if value is not None:
                self.fits(one, value, f"{below}/{pointer_part(str(key))}")
            table[str(key).strip()] = value
        return table

    def form(self, raw: Mapping[str, object], field: FieldType, below: str) -> tuple[str, str]:
        form, zone = raw.get("format", ""), raw.get("zone", "")
        if not isinstance(form, str) or not isinstance(zone, str):
            self.problem("PE843", below, "`format` and `zone` are texts")
            return "", ""
        if not form and not zone:
            return "", ""
        if field.name not in ("timestamp", "date") or field.many or "values" in raw or "split" in raw:
            self.problem("PE843", below, "`format` and `zone` are for the times and dates of single values")
            return "", ""
        if not form:
            self.problem("PE843", below, "`zone` needs `format`", 'such as `format: "%Y-%m-%d %H:%M:%S"`')
        elif form not in EPOCHS:
            self.check_form(form, zone, field, below)
        elif zone or field.name == "date":
            self.problem("PE843", below, f"`{form}` is an instant and needs no zone")
        if zone and known_zone(zone) is None:
            self.problem("PE843", f"{below}/zone", f"there is no time zone `{zone}`", "an IANA name such as `Europe/Zurich`")
        return form, zone

    def check_form(self, form: str, zone: str, field: FieldType, below: str) -> None:
        directives = set(re.findall(r"%-?([a-zA-Z])", form))
        if local := sorted(directives & set("ZcxX")):
            self.problem("PE843", f"{below}/format", f"`%{local[0]}` depends on the machine that reads it")
        if not directives & set("YyG") or not directives & set("dj"):
            self.problem("PE843", f"{below}/format", "a year, a month and a day expected", 'such as "%d.%m.%Y %H:%M:%S"')
        if field.name == "date":
            if zone:
                self.problem("PE843", f"{below}/zone", "a date has no time zone")
            return
        if not directives & set("HI"):
            self.problem("PE843", f"{below}/format", "an hour expected: the field is an instant")
        if "z" not in directives and not zone:
            self.problem(
                "PE843", below, "the times have no offset; `zone` says which they are in", "such as `zone: Europe/Zurich`"
            )
        if "z" in directives and zone:
            self.problem("PE843", f"{below}/zone", "the times have an offset (`%z`), and `zone` contradicts it")


def known_zone(name: str) -> object:
    """The IANA zone of this name, or None."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def pointer_part(key: str) -> str:
    """A key as one part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
