"""CycloneDX JSON 1.2 to 1.7: components at every depth, dependencies, vulnerabilities, completeness, each fact with its pointer.

The raw document is read as it is (the typed library drops compositions, signatures and model cards). Refused, because two
readers would see two documents: a ``bom-ref`` used twice, a dependency on something that is not in the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, Origin, Record
from policyengine.evidence.cyclonedx_completeness import Stated, of_components, of_dependencies
from policyengine.evidence.cyclonedx_components import MAX_COMPONENT_DEPTH, PARTS_ASSUMED, Inventory, mixed_scripts, plain
from policyengine.evidence.cyclonedx_findings import vulnerability_rows
from policyengine.evidence.cyclonedx_schema import VERSIONS, check_schema
from policyengine.evidence.document import Document
from policyengine.evidence.notes import Notes

__all__ = ["MAX_COMPONENT_DEPTH", "mixed_scripts", "read_cyclonedx", "recognises"]

NOT_SCANNED = "nothing shows that this very product was scanned"
SIGNATURE_UNCHECKED = "holds a signature of its own that is not checked"
WITHOUT_SUBJECT = "lists no component and does not say what it describes"
OTHER_DOCUMENTS = "it lists no components, and statements about those of other documents are not used by this version"


def recognises(document: object) -> bool:
    """A JSON object that says it is CycloneDX."""
    return isinstance(document, dict) and document.get("bomFormat") == "CycloneDX"


def read_cyclonedx(document: Mapping[str, Any], name: str, raw_digest: str, size: int, at: datetime) -> Document:
    """The document's facts; ``at`` is the time of the run (aware).

    Raises :class:`Refusal`: PE410 (a version that is not read), PE411 (schema), PE412 (references), PE413 (digests, times,
    names and versions that contradict, limits).
    """
    version = document.get("specVersion")
    if not isinstance(version, str) or version not in VERSIONS:
        raise Refusal(Diagnostic("PE410", f"CycloneDX specVersion `{str(version)[:40]}` is not read", file=name,
                                 pointer="/specVersion", hint=f"versions read: {', '.join(VERSIONS)}, as text"))  # fmt: skip
    notes = Notes(name)
    notes.warnings += check_schema(document, version, name)
    return _Reader(document, f"cyclonedx {version}", raw_digest, size, at, notes).document()


class _Reader:
    def __init__(self, raw: Mapping[str, Any], form: str, digest: str, size: int, at: datetime, notes: Notes) -> None:
        self.raw, self.form, self.digest, self.size, self.at, self.notes = raw, form, digest, size, at, notes
        self.inventory = Inventory(notes)

    def document(self) -> Document:
        raw, inventory, metadata = self.raw, self.inventory, self.raw.get("metadata") or {}
        if raw.get("version", 1) < 1:
            self.notes.wrong("PE413", "/version", f"the BOM version is {raw['version']}", "the first version of a BOM is 1")
        about = metadata.get("component")
        product = inventory.product(about) if about is not None else None
        ref = str(product.fields["bom_ref"]) if product is not None else None
        below = (about or {}).get("components") or ()
        components = (*inventory.components(below, "/metadata/component/components", ref, 1),
                      *inventory.components(raw.get("components") or (), "/components"))  # fmt: skip
        inventory.services(raw.get("services") or (), "/services")
        dependencies = self._dependencies()
        findings = tuple(vulnerability_rows(raw, inventory.declared, self.notes, self._time))
        written = self._written(metadata.get("timestamp"))
        self.notes.refuse()
        compositions = raw.get("compositions") or ()
        whole = of_components(compositions, ref)
        fields: dict[str, object] = {
            "format": "cyclonedx", "digest": self.digest, "completeness": whole.state.value, "schema_valid": True,
            "serial_number": raw.get("serialNumber"), "timestamp": written, "product": product,
            "signed": None if "signature" in raw else False, "authors": _authors(metadata),
            "components": self._collection(components, whole, "components"),
            "dependencies": self._collection(dependencies, of_dependencies(compositions, ref), "dependencies"),
            "vulnerabilities": Collection(findings, Completeness.INCOMPLETE, reason=NOT_SCANNED,
                                          origin=Origin(self.notes.name, "/vulnerabilities")),
        }  # fmt: skip
        record = Record("sbom", {key: value for key, value in fields.items() if value is not None}, Origin(self.notes.name))
        counts = {"components": len(components), "top_level": len(raw.get("components") or ()),
                  "dependencies": len(dependencies), "vulnerabilities": len(raw.get("vulnerabilities") or ())}  # fmt: skip
        return self._listed(record, whole, counts, self._kind(record, counts["vulnerabilities"] > 0))

    def _kind(self, record: Record, has_findings: bool) -> str:
        """``vex`` makes statements and lists no parts: taken for a second SBOM of its product, it would displace the first."""
        if "components" in record.fields and record.fields["components"].items:  # type: ignore[attr-defined]
            return "sbom"
        if has_findings and "components" not in self.raw and "dependencies" not in self.raw:
            return "vex"
        return "sbom" if "product" in record.fields else "vex" if has_findings else "bom"

    def _listed(self, record: Record, whole: Stated, counts: Mapping[str, int], kind: str) -> Document:
        """A document that describes nothing is listed with the reason, and feeds nothing."""
        reasons = {"sbom": "", "vex": OTHER_DOCUMENTS, "bom": WITHOUT_SUBJECT}[kind], whole.reason
        signature = SIGNATURE_UNCHECKED if "signature" in self.raw else ""
        item = EvidenceItem(
            self.notes.name, kind, self.form, self.digest, self.size, whole.state,
            reason="; ".join(each for each in (*reasons, signature) if each) or None, counts=counts,
            feeds=("sbom", "sboms") if kind == "sbom" else (), warnings=self.notes.shown_warnings(),
        )  # fmt: skip
        return Document(item, {"sbom": record} if kind == "sbom" else {}, tuple(sorted(self.notes.assumptions)))

    def _dependencies(self) -> tuple[Record, ...]:
        """Rows of the graph. An entry without ``dependsOn`` says that there are none; a component without entry says nothing."""
        rows: list[Record] = []
        entries: dict[str, str] = {}
        declared, nested, name = self.inventory.declared, self.inventory.nested, self.notes.name
        for index, raw in enumerate(self.raw.get("dependencies") or ()):
            pointer, ref, below = f"/dependencies/{index}", raw["ref"], tuple(raw.get("dependsOn") or ())
            if ref not in declared:
                self._dangling(f"{pointer}/ref", ref)
            for position, other in enumerate(below):
                if other not in declared:
                    self._dangling(f"{pointer}/dependsOn/{position}", other)
            if entries.setdefault(ref, pointer) != pointer:
                self.notes.wrong(
                    "PE412", pointer, f"`{ref}` has a second entry, the first is at {entries[ref]}", "join the two"
                )
            if ref in nested and (parts := [part for part in nested[ref] if part not in below]):
                below = (*below, *parts)
                self.notes.assume(PARTS_ASSUMED)
            rows.append(Record("dependency", {"ref": ref, "depends_on": below}, Origin(name, pointer)))
        return tuple(rows)

    def _dangling(self, pointer: str, ref: str) -> None:
        message = f"`{ref}` is no component or service of this document"
        self.notes.wrong("PE412", pointer, message, "list it, or take the reference out")

    def _collection(self, rows: tuple[Record, ...], stated: Stated, key: str) -> Collection | None:
        """None where the document does not have the list at all, which is not the same as an empty one."""
        if key not in self.raw and not rows:
            return None
        return Collection(rows, stated.state, origin=Origin(self.notes.name, f"/{key}"), reason=stated.reason)

    def _written(self, raw: object) -> datetime | None:
        written = self._time(raw, "/metadata/timestamp")
        if written is not None and written > self.at:
            message = f"made at {written.isoformat()}, after the evaluation at {self.at.isoformat()}"
            self.notes.wrong("PE413", "/metadata/timestamp", message, "check the clock of the tool that wrote it, or --at")
        return written

    def _time(self, raw: object, pointer: str) -> datetime | None:
        if raw is None:
            return None
        try:
            return timestamp(raw)
        except Mismatch as problem:
            self.notes.wrong("PE413", pointer, problem.message, problem.hint)
            return None


def _authors(metadata: Mapping[str, Any]) -> tuple[str, ...] | None:
    names = (plain(each.get("name") or each.get("email") or "") for each in metadata.get("authors") or ())
    return tuple(dict.fromkeys(name for name in names if name)) or None
