"""The vocabulary that rules can name: roots and types, declared once in ``vocabulary.schema`` beside this file.

Notation of that file: ``T[]`` collection; ``!`` always recorded; ``@`` the time of its type; ``(a|b)`` closed enum;
``(a<b)`` ordered enum; ``~(a|b)`` open enum. A type that begins with a bare type name has all fields of that type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from policyengine.core.canonical import sha256_of

_SCHEMA = Path(__file__).with_name("vocabulary.schema")
PLAIN_TYPES = frozenset("bool text int decimal date timestamp duration period version purl licences digest digests".split())


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of a field or root. ``name`` is a plain type, ``enum``, or a record type; ``many`` for ``T[]``."""

    name: str
    many: bool = False
    always: bool = False
    values: tuple[str, ...] = ()
    ordered: bool = False
    open: bool = False

    @property
    def is_record(self) -> bool:
        return self.name not in PLAIN_TYPES and self.name != "enum"

    @property
    def words(self) -> str:
        """As the vocabulary writes it: ``component[]``, ``(low<high)``."""
        if self.name == "enum":
            body = ("<" if self.ordered else "|").join(self.values)
            return f"{'~' if self.open else ''}({body})"
        return self.name + ("[]" if self.many else "")


@dataclass(frozen=True, slots=True)
class RecordType:
    """A type with its fields in declared order, and the field that holds its own time.

    ``key_fields`` name a row for people and waivers: ``id`` alone where it is recorded, else the others together.
    """

    name: str
    fields: Mapping[str, FieldType]
    time_field: str | None
    key_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Root:
    name: str
    type: FieldType
    source: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    roots: Mapping[str, Root]
    types: Mapping[str, RecordType]
    digest: str


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary of this version of the product."""
    return parse_vocabulary(_SCHEMA.read_text("utf-8"))


def vocabulary_digest() -> str:
    """The digest of the vocabulary's text, without reading its content."""
    return sha256_of(_SCHEMA.read_bytes())


def parse_vocabulary(text: str) -> Vocabulary:
    """Read the notation above. Raises ``ValueError`` with the line that it cannot read."""
    roots: dict[str, Root] = {}
    types: dict[str, RecordType] = {}
    bodies: dict[str, str] = {}
    in_types = False
    for line in text.splitlines():
        if line.startswith("# types"):
            in_types = True
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(": ")
        if in_types:
            bodies[name] = rest
        else:
            declared, _, source = rest.partition("#")
            roots[name] = Root(name, _field_type(declared.strip()), source.strip())
    for name in bodies:
        _record_type(name, bodies, types)
    return Vocabulary(roots, types, sha256_of(text.encode()))


def _record_type(name: str, bodies: Mapping[str, str], types: dict[str, RecordType]) -> RecordType:
    if name in types:
        return types[name]
    fields: dict[str, FieldType] = {}
    time_field: str | None = None
    for position, part in enumerate(re.split(r",\s*(?![^(]*\))", bodies[name])):
        head, _, declared = part.strip().partition(" ")
        if not declared:
            if position or head not in bodies:
                raise ValueError(f"type {name}: cannot read {part!r}")
            parent = _record_type(head, bodies, types)
            fields.update(parent.fields)
            time_field = parent.time_field
            continue
        field_name = head.rstrip("!@")
        fields[field_name] = _field_type(declared, always="!" in head)
        if "@" in head or (field_name == "time" and time_field is None):
            time_field = field_name
    named = [n for n, f in fields.items() if f.always and f.name in ("text", "enum") and not f.many]
    key = named if len(named) == 1 else [n for n in named if n != "name"]
    if "id" in fields:
        key = ["id", *(n for n in key if n != "id")]
    types[name] = RecordType(name, fields, time_field, tuple(key))
    return types[name]


def _field_type(declared: str, always: bool = False) -> FieldType:
    enum = re.fullmatch(r"(~?)\((.*)\)", declared)
    if enum:
        ordered = "<" in enum[2]
        return FieldType("enum", False, always, tuple(re.split(r"[|<]", enum[2])), ordered, bool(enum[1]))
    many = declared.endswith("[]")
    return FieldType(declared.removesuffix("[]"), many, always)
