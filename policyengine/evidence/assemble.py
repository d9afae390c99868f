"""All documents of a run become one evidence set, the same whatever the order in which they came.

Pure: the time of the run, its period and its subjects are arguments. What is taken for granted on the way is listed under
``assumptions``; what is left out says why in its item's ``reason``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, EvidenceSet, Origin, Record
from policyengine.core.vocabulary import Vocabulary
from policyengine.core.vocabulary import vocabulary as product_vocabulary
from policyengine.evidence.document import Document
from policyengine.evidence.links import resolve
from policyengine.evidence.merging import Part, merge
from policyengine.evidence.packing import derived_from_epcis
from policyengine.evidence.release import Release, Subject, agree, digests_of, mismatch, release_of

__all__ = ["Context", "Subject", "assemble"]

LISTED = 20
JUDGED_APART = ("software_release", "evaluation", "sbom", "sboms", "system")


@dataclass(frozen=True, slots=True)
class Context:
    """What a run is told beside evidence: its time (aware), period, environment, and the artifacts to be released."""

    at: datetime
    period_from: datetime | None = None
    period_until: datetime | None = None
    environment: str | None = None
    subjects: tuple[Subject, ...] = ()


def assemble(documents: Sequence[Document], context: Context) -> EvidenceSet:
    """The evidence set of a run. Raises ``Refusal`` PE430 to PE433: subjects, releases or single records that contradict."""
    return _Assembly(documents, context, product_vocabulary()).build()


@dataclass(slots=True)
class _Listed:
    """An item under way: what is added to it while the set is put together."""

    item: EvidenceItem
    warnings: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def done(self) -> EvidenceItem:
        kept = self.warnings[:LISTED]
        if len(self.warnings) > LISTED:
            kept.append(f"and {len(self.warnings) - LISTED} more")
        reasons = [*([self.item.reason] if self.item.reason else []), *self.reasons]
        return replace(self.item, warnings=(*self.item.warnings, *kept), reason="; ".join(reasons) or None)


class _Assembly:
    def __init__(self, documents: Sequence[Document], context: Context, vocabulary: Vocabulary) -> None:
        self.context, self.vocabulary = context, vocabulary
        self.assumptions: set[str] = set()
        self.roots: dict[str, Record | Collection] = {}
        self.documents: list[Document] = []
        self.listed: list[_Listed] = []
        self.by_name: dict[str, _Listed] = {}
        seen: dict[object, _Listed] = {}
        for identity, document in _in_order(documents):
            first = seen.get(identity)
            if first is not None:
                other = "" if first.item.name == document.item.name else f", also as `{document.item.name}`"
                first.warnings.append(f"the same file was given twice{other}; it is counted once")
                continue
            listed = seen[identity] = _Listed(document.item)
            self.by_name.setdefault(document.item.name, listed)
            self.documents.append(document)
            self.listed.append(listed)
            self.assumptions.update(document.assumptions)

    def build(self) -> EvidenceSet:
        for name in self.vocabulary.roots:
            if name not in JUDGED_APART and any(name in d.roots for d in self.documents):
                self.roots[name] = self.merged(name)
        if isinstance(self.roots.get("epcis"), Record):
            self.derive_epcis()
        self.roots["evaluation"] = self.evaluation()
        release = self.release()
        self.sboms(release)
        self.system()
        self.roots = resolve(self.roots, self.vocabulary, self.warn)
        self.note_unstated()
        items = sorted((each.done() for each in self.listed), key=lambda i: (i.name, i.digest, i.kind, i.feeds))
        return EvidenceSet(self.roots, tuple(items), tuple(sorted(self.assumptions)))

    def warn(self, record: Record, phrase: str) -> None:
        listed = self.by_name.get(record.origin.name) if record.origin else None
        if listed is not None and record.origin is not None:
            listed.warnings.append(f"{record.origin.pointer}: {phrase}")

    def merged(self, name: str) -> Record | Collection:
        given = [(d, d.roots[name]) for d in self.documents if name in d.roots]
        if self.vocabulary.roots[name].type.many:
            return self.collection(name, [(d, root) for d, root in given if isinstance(root, Collection)])
        return self.record(name, [(d, root) for d, root in given if isinstance(root, Record)])

    def collection(self, what: str, given: list[tuple[Document, Collection]]) -> Collection:
        merged = merge([Part(d.item.name, collection) for d, collection in given], what, self.vocabulary)
        self.assumptions.update(merged.notes)
        return merged.collection

    def record(self, name: str, given: list[tuple[Document, Record]]) -> Record:
        """One record of a single root: its lists joined, its plain fields only as far as nobody contradicts them."""
        fields: dict[str, object] = {}
        for member in dict.fromkeys(m for _, record in given for m in record.fields):
            values = [(d, record.fields[member]) for d, record in given if member in record.fields]
            lists = [(d, value) for d, value in values if isinstance(value, Collection)]
            if lists:
                fields[member] = self.collection(f"{name}.{member}", lists)
            elif all(_plain(value) == _plain(values[0][1]) for _, value in values):
                fields[member] = values[0][1]
            else:
                said = ", ".join(f"`{value}` in `{d.item.name}`" for d, value in values)
                for document, _ in values:
                    self.by_name[document.item.name].warnings.append(f"{name}.{member} is {said}: taken as not recorded")
        return Record(given[0][1].type, fields, given[0][1].origin)

    def only(self, name: str) -> Record | None:
        """The one record that documents give for a root that must not be mixed from several."""
        found = [r for d in self.documents if isinstance(r := d.roots.get(name), Record)]
        for other in found[1:]:
            if _plain(other) != _plain(found[0]):
                places = " and ".join(f"`{r.origin.name}`" if r.origin else "a file" for r in (found[0], other))
                raise Refusal(Diagnostic("PE432", f"{places} describe two different records for `{name}`",
                                         hint="give the one that is under judgement"))  # fmt: skip
        return found[0] if found else None

    def evaluation(self) -> Record:
        context, stated = self.context, self.only("evaluation")
        fields: dict[str, object] = dict(stated.fields) if stated else {}
        given = {"period_from": context.period_from, "period_until": context.period_until, "environment": context.environment}
        fields.update({name: value for name, value in given.items() if value is not None})
        fields["time"] = context.at.astimezone(UTC)
        begin, until = fields.get("period_from"), fields.get("period_until")
        if isinstance(begin, datetime) and isinstance(until, datetime) and begin >= until:
            raise Refusal(
                Diagnostic("PE433", f"the period begins at {begin.isoformat()} and ends at {until.isoformat()}, before it")
            )
        return Record("evaluation", fields, stated.origin if stated else None)

    def release(self) -> Release | None:
        release = release_of(self.only("software_release"), self.context.subjects)
        if release is not None:
            self.roots["software_release"] = release.record
            if release.assumption:
                self.assumptions.add(release.assumption)
        return release

    def system(self) -> None:
        if any("systems" in d.roots for d in self.documents):
            self.roots["systems"] = self.merged("systems")
        system = self.only("system")
        systems = self.roots.get("systems")
        if system is None and isinstance(systems, Collection) and systems.state is not Completeness.INCOMPLETE:
            rows = [each for each in systems.items if isinstance(each, Record)]
            if len(rows) == 1:
                system = rows[0]
                self.assumptions.add("system: the only row of systems is taken as the system under judgement")
        if system is not None:
            self.roots["system"] = system

    def sboms(self, release: Release | None) -> None:
        """All SBOMs under ``sboms``; the one of the release under ``sbom``, or none and the reason at each item."""
        scans = self.verified_scans()
        candidates: list[tuple[_Listed, Record]] = []
        parts: list[tuple[Document, Collection]] = []
        for document, listed in zip(self.documents, self.listed, strict=True):
            single, several = document.roots.get("sbom"), document.roots.get("sboms")
            found = list(several.items) if isinstance(several, Collection) else []
            # A reader may give its document under both names.
            if isinstance(single, Record) and single not in found:
                found.append(single)
            records = [_with_scans(each, scans) for each in found if isinstance(each, Record)]
            if records:
                candidates += [(listed, each) for each in records]
                state = several.state if isinstance(several, Collection) else Completeness.NOT_STATED
                parts.append((document, Collection(tuple(records), state, origin=Origin(document.item.name))))
        if not parts:
            return
        self.roots["sboms"] = self.collection("sboms", parts)
        fitting: list[tuple[_Listed, Record]] = []
        for listed, record in candidates:
            why = mismatch(record, release) if release else _no_product(record)
            if why:
                listed.reasons.append(why)
            else:
                fitting.append((listed, record))
        if len(fitting) > 1:
            for listed, _ in fitting:
                others = ", ".join(f"`{other.item.name}`" for other, _ in fitting if other is not listed)
                listed.reasons.append(f"not used as the SBOM of the release: {others or 'another'} describes the same")
        elif fitting:
            listed, record = fitting[0]
            self.roots["sbom"] = record
            if release is None:
                self.assumptions.add(f"sbom: no release is stated; `{listed.item.name}`, the only SBOM, is taken as its SBOM")
            elif not _by_digest(record, release):
                self.assumptions.add(
                    f"sbom: `{listed.item.name}` is matched with the release by what it is called, not by digest"
                )

    def verified_scans(self) -> list[Record]:
        lists = [d.roots.get("scans") for d in self.documents if d.item.verified]
        return [row for found in lists if isinstance(found, Collection) for row in found.items if isinstance(row, Record)]

    def derive_epcis(self) -> None:
        epcis = self.roots["epcis"]
        events = epcis.fields.get("events") if isinstance(epcis, Record) else None
        if not isinstance(epcis, Record) or not isinstance(events, Collection):
            return
        derived = derived_from_epcis(events, self.context.at)
        fields: dict[str, object] = {**epcis.fields, "events": derived.events}
        if "shipped_items" not in fields and derived.shipped_items is not None:
            fields["shipped_items"] = derived.shipped_items
        self.roots["epcis"] = replace(epcis, fields=fields)
        for name, collection in derived.roots.items():
            self.roots.setdefault(name, collection)
        self.assumptions.update(derived.notes)

    def note_unstated(self) -> None:
        for name, root in self.roots.items():
            lists: Iterable[tuple[str, object]] = [(name, root)]
            if isinstance(root, Record):
                lists = [(f"{name}.{member}", value) for member, value in root.fields.items()]
            for what, value in lists:
                if isinstance(value, Collection) and value.state is Completeness.NOT_STATED and value.items:
                    self.assumptions.add(f"{what}: completeness is not stated, taken as complete")


def _in_order(documents: Sequence[Document]) -> list[tuple[str, Document]]:
    """Each with its identity. Records are compared only among documents of the same bytes, since few are given twice."""
    bytes_given = Counter(document.item.digest for document in documents)
    named = [(_identity(d, bytes_given[d.item.digest] > 1), d) for d in documents]
    return sorted(named, key=lambda each: _order(*each))


def _order(identity: str, document: Document) -> tuple[str, ...]:
    item = document.item
    return item.name, item.digest, item.kind, item.format, *item.feeds, *sorted(document.roots), identity


def _identity(document: Document, with_records: bool) -> str:
    """The same bytes, read as the same thing: a file may be declared twice, for two roots, spans of time, or columns."""
    said: list[object] = []
    for name, root in sorted(document.roots.items()):
        lists: Mapping[str, object] = root.fields if isinstance(root, Record) else {"": root}
        for member, value in sorted(lists.items()):
            if isinstance(value, Collection):
                said.append((name, member, value.state.value, value.covers_from, value.covers_until, len(value.items)))
            else:
                said.append((name, member))
    records = {name: _plain(root) for name, root in sorted(document.roots.items())} if with_records else {}
    content = hashlib.sha256(repr(records).encode("utf-8", "backslashreplace")).hexdigest()
    return repr((document.item.digest, document.item.kind, said, content))


def _plain(value: object) -> object:
    """A value that compares by content: records compare by identity."""
    if isinstance(value, Record):
        return value.type, tuple(sorted((name, _plain(each)) for name, each in value.fields.items()))
    if isinstance(value, Collection):
        return tuple(_plain(each) for each in value.items)
    return tuple(_plain(each) for each in value) if isinstance(value, tuple) else value


def _no_product(sbom: Record) -> str:
    return "" if isinstance(sbom.fields.get("product"), Record) else "does not say what it describes"


def _by_digest(sbom: Record, release: Release) -> bool:
    product, artifacts = sbom.fields.get("product"), release.record.fields.get("artifacts")
    rows = artifacts.items if isinstance(artifacts, Collection) else artifacts
    if not isinstance(product, Record) or not isinstance(rows, tuple):
        return False
    return any(agree(digests_of(product), digests_of(row)) for row in rows if isinstance(row, Record))


def _with_scans(sbom: Record, scans: Sequence[Record]) -> Record:
    """The list of vulnerabilities is whole once this very product was scanned, every component can be looked up, and what
    the scans of it say they found is all in the document."""
    found, parts = sbom.fields.get("vulnerabilities"), sbom.fields.get("components")
    if not isinstance(found, Collection) or found.state is not Completeness.INCOMPLETE:
        return sbom
    ours = _scans_of(sbom, scans)
    if not ours:
        return sbom
    why = _unlisted(found, ours) or _unidentified(parts)
    whole = replace(found, state=Completeness.INCOMPLETE if why else Completeness.COMPLETE, reason=why)
    return replace(sbom, fields={**sbom.fields, "vulnerabilities": whole})


def _scans_of(sbom: Record, scans: Sequence[Record]) -> list[Record]:
    product = sbom.fields.get("product")
    ours = digests_of(product) if isinstance(product, Record) else ()
    return [scan for scan in scans if agree(ours, digests_of(scan, "subject_digests"))]


def _unlisted(found: Collection, scans: Sequence[Record]) -> str:
    """The first thing that a scan found and the document does not list; "" where there is none."""
    listed = {row.fields.get("id") for row in found.items if isinstance(row, Record)}
    for scan in scans:
        results = scan.fields.get("listed_ids")
        place = f"`{scan.origin.name}`" if scan.origin else "a scan"
        if not isinstance(results, tuple):
            return f"the scan {place} does not say what it found"
        missing = next((each for each in results if each not in listed), None)
        if missing is not None:
            return f"the scan {place} found `{missing}`, which the SBOM does not list"
    return ""


def _unidentified(parts: object) -> str:
    if isinstance(parts, Collection) and parts.state in (Completeness.INCOMPLETE, Completeness.ABSENT):
        return "its components are not all listed"
    rows = parts.items if isinstance(parts, Collection) else parts
    if not rows and not (isinstance(parts, Collection) and parts.state is Completeness.COMPLETE):
        return "its components are not listed"
    for row in rows if isinstance(rows, tuple) else (None,):
        if not isinstance(row, Record) or not ("purl" in row.fields or "cpe" in row.fields):
            name = row.fields.get("name") if isinstance(row, Record) else None
            return f"`{name}` has neither purl nor cpe, so no scan can look it up" if name else "its components are not listed"
    return ""
