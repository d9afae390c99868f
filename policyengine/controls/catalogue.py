"""Control catalogues: what each clause of a framework asks, and how far a machine can decide it.

A catalogue is one YAML file, ``frameworks/<id>/catalogue.yaml``. Every key is known and every clause is complete, or the
file is refused as a whole: a clause that silently drops out of a catalogue would drop out of every coverage statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.strict_yaml import load_yaml

FORMAT = 1


class Status(StrEnum):
    """Legal weight. Rules that answer drafts only give observations and never block."""

    IN_FORCE = "in-force"
    GUIDANCE = "guidance"
    DRAFT = "draft"


class Automation(StrEnum):
    """How far a machine can decide a clause when its evidence is complete and authentic."""

    FULL = "full"
    PARTIAL = "partial"
    PROCEDURAL = "procedural"

    @property
    def words(self) -> str:
        """For reports: ``automated``, ``partly automated`` or ``procedural``."""
        return {"full": "automated", "partial": "partly automated", "procedural": "procedural"}[self]

    @property
    def meaning(self) -> str:
        return _AUTOMATION_MEANING[self]


_AUTOMATION_MEANING = {
    Automation.FULL: "a machine can decide the clause for a given scope, if the evidence is complete and authentic",
    Automation.PARTIAL: "a machine decides necessary conditions; adequacy, intent and context stay with people",
    Automation.PROCEDURAL: "a machine sees only that a statement or document exists, is approved, current and signed",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One clause. ``requirement`` is the project's own wording; ``verified`` says whether it was read at the source."""

    id: str
    key: str
    title: str
    kind: str
    requirement: str
    automation: Automation
    evidence: tuple[str, ...]
    severity: str
    severity_reason: str
    citations: tuple[str, ...]
    verified: str
    automation_note: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A framework and its controls by id, in the order of the file. ``digest`` is that of the file's bytes.

    ``effective`` is a date or a month as written, None for a draft; ``as_of`` is the day of our own knowledge.
    """

    id: str
    title: str
    long_title: str
    issuer: str
    jurisdiction: str
    status: Status
    effective: str | None
    edition: str
    as_of: str
    currency: str
    licence: str
    scope: str | None
    notes: tuple[str, ...]
    sources: Mapping[str, str]
    controls: Mapping[str, Control]
    digest: str


_HEAD_TEXTS = ("id", "title", "long_title", "issuer", "jurisdiction", "edition", "as_of", "currency", "licence")
_HEAD_KEYS = (*_HEAD_TEXTS, "status", "effective", "scope", "notes", "sources")
_CONTROL_TEXTS = ("id", "key", "title", "requirement", "severity_reason")
_CONTROL_WORDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("requirement", "definition", "scope"),
    "automation": tuple(Automation),
    "severity": ("critical", "major", "minor", "observation"),
    "verified": ("source", "from-knowledge"),
}
_CONTROL_LISTS = ("evidence", "citations")
_CONTROL_KEYS = (*_CONTROL_TEXTS, *_CONTROL_WORDS, *_CONTROL_LISTS)
_DATE = re.compile(r"\d{4}-\d\d(-\d\d)?")
_FRAMEWORK_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load_catalogue(raw: bytes, name: str) -> Catalogue:
    """The catalogue in the bytes of a YAML file; ``name`` is shown in diagnostics.

    Raises :class:`Refusal` with every problem found: PE711 (shape, missing or unknown key), PE712 (a word that is not
    allowed here), PE713 (an id or key that stands twice), and those of :func:`load_yaml`.
    """
    reader = _Reader(name)
    top = reader.mapping(load_yaml(raw, name), "", ("catalogue", "framework", "controls"))
    if top.get("catalogue", FORMAT) != FORMAT or isinstance(top.get("catalogue"), bool):
        reader.problem("PE712", "/catalogue", f"this version reads catalogues of format {FORMAT} only")
    head = reader.mapping(top.get("framework"), "/framework", _HEAD_KEYS)
    texts = {key: reader.text(head, key, "/framework") for key in _HEAD_TEXTS}
    status = reader.word(head, "status", "/framework", tuple(Status))
    effective = reader.optional_text(head, "effective", "/framework")
    scope = reader.optional_text(head, "scope", "/framework")
    notes = reader.texts(head, "notes", "/framework", empty_allowed=True)
    sources = reader.names(head, "sources", "/framework")
    if texts["id"] and not _FRAMEWORK_ID.fullmatch(texts["id"]):
        reader.problem("PE712", "/framework/id", f"`{texts['id']}` is not a framework id", "lower case, digits and hyphens")
    for key, value in (("as_of", texts["as_of"]), ("effective", effective)):
        if value and not _DATE.fullmatch(value):
            reader.problem("PE712", f"/framework/{key}", f"`{value}` is not a date", 'write it as "2026-03-01" or "2026-03"')
    if effective is None and status and status != Status.DRAFT:
        reader.problem("PE711", "/framework/effective", "only a draft has no date from which it holds")
    controls = _controls(reader, top.get("controls"))
    if reader.problems:
        raise Refusal(*reader.problems)
    return Catalogue(**texts, status=Status(status), effective=effective, scope=scope, notes=notes,
                     sources=MappingProxyType(sources), controls=MappingProxyType(controls), digest=sha256_of(raw))  # fmt: skip


def _controls(reader: _Reader, raw: object) -> dict[str, Control]:
    controls: dict[str, Control] = {}
    seen: dict[str, set[str]] = {"id": set(), "key": set()}
    if not isinstance(raw, list) or not raw:
        reader.problem("PE711", "/controls", "a list of at least one control is expected")
        return controls
    for position, each in enumerate(raw):
        place = f"/controls/{position}"
        row = reader.mapping(each, place, _CONTROL_KEYS, ("automation_note",))
        if not row:
            continue
        texts = {key: reader.text(row, key, place) for key in _CONTROL_TEXTS}
        words = {key: reader.word(row, key, place, allowed) for key, allowed in _CONTROL_WORDS.items()}
        lists = {key: reader.texts(row, key, place) for key in _CONTROL_LISTS}
        note = reader.optional_text(row, "automation_note", place) or ""
        for name, before in seen.items():
            if texts[name] in before:
                reader.problem("PE713", f"{place}/{name}", f"the {name} `{texts[name]}` stands twice")
            before.add(texts[name])
        if reader.problems:
            continue
        controls[texts["id"]] = Control(
            **texts, kind=words["kind"], automation=Automation(words["automation"]), severity=words["severity"],
            verified=words["verified"], evidence=lists["evidence"], citations=lists["citations"], automation_note=note)  # fmt: skip
    return controls


class _Reader:
    """Reads plain data strictly and collects every problem, so that one run shows them all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Diagnostic] = []

    def problem(self, code: str, pointer: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(code, message, file=self.name, pointer=pointer, hint=hint))

    def mapping(self, raw: object, place: str, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, object]:
        if not isinstance(raw, Mapping):
            self.problem("PE711", place, "a mapping is expected")
            return {}
        known = (*required, *optional)
        for key in raw:
            if key not in known:
                close = nearest(str(key), known)
                self.problem(
                    "PE711", f"{place}/{key}", f"there is no key `{key}` here", f"did you mean `{close}`?" if close else ""
                )
        for key in required:
            if key not in raw:
                self.problem("PE711", place, f"the key `{key}` is missing")
        return raw

    def text(self, row: Mapping[str, object], key: str, place: str) -> str:
        value = row.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if key in row:
            self.problem("PE711", f"{place}/{key}", "a text is expected", "put numbers and dates between quotation marks")
        return ""

    def optional_text(self, row: Mapping[str, object], key: str, place: str) -> str | None:
        return None if row.get(key) is None else self.text(row, key, place) or None

    def word(self, row: Mapping[str, object], key: str, place: str, allowed: tuple[str, ...]) -> str:
        value = self.text(row, key, place)
        if value and value not in allowed:
            close = nearest(value, allowed)
            hint = f"did you mean `{close}`?" if close else ""
            self.problem("PE712", f"{place}/{key}", f"`{value}` is not one of {', '.join(allowed)}", hint)
        return value

    def texts(self, row: Mapping[str, object], key: str, place: str, empty_allowed: bool = False) -> tuple[str, ...]:
        value = row.get(key)
        if isinstance(value, list) and (value or empty_allowed) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(value)
        if key in row:
            self.problem("PE711", f"{place}/{key}", "a list of texts is expected")
        return ()

    def names(self, row: Mapping[str, object], key: str, place: str) -> dict[str, str]:
        value = row.get(key)
        if isinstance(value, Mapping) and value and all(isinstance(v, str) and v.strip() for v in value.values()):
            return {str(name): text for name, text in value.items()}
        if key in row:
            self.problem("PE711", f"{place}/{key}", "names with a text each are expected")
        return {}
