"""CycloneDX JSON 1.2 to 1.7: components at every depth, dependencies, vulnerabilities, completeness, each fact with its pointer.

The raw document is read as it is (the typed library drops compositions, signatures and model cards). Refused, because two
readers would see two documents: a ``bom-ref`` used twice, a dependency on something that is not in the document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from policyengine.core.coerce import STRONG_DIGESTS, Mismatch, digest, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, Origin, Record, Version
from policyengine.evidence.cyclonedx_findings import vulnerability_rows
from policyengine.evidence.cyclonedx_schema import VERSIONS, check_schema
from policyengine.evidence.document import Document

MAX_COMPONENT_DEPTH = 60
MAX_PROBLEMS = 20
_PURL_TYPE = re.compile(r"pkg:/*([a-z][a-z0-9.+-]*)/", re.IGNORECASE)
_COMPLETENESS = {
    "complete": Completeness.COMPLETE,
    "unknown": Completeness.NOT_STATED,
    "not_specified": Completeness.NOT_STATED,
}
_SCOPE_ASSUMED = "{name}: a component without `scope` counts as `required`, the default of CycloneDX"
_OWN_PROPERTIES = {"policyengine:custom": "custom", "policyengine:isolated": "isolated"}


def recognises(document: object) -> bool:
    """A JSON object that says it is CycloneDX."""
    return isinstance(document, dict) and document.get("bomFormat") == "CycloneDX"


def read_cyclonedx(document: Mapping[str, Any], name: str, raw_digest: str, size: int, at: datetime) -> Document:
    """The document's facts. Raises :class:`Refusal` PE411 (schema), PE412 (references), PE413 (digests, times, limits)."""
    version = document.get("specVersion")
    if not isinstance(version, str) or version not in VERSIONS:
        raise Refusal(Diagnostic("PE410", f"CycloneDX specVersion `{version}` is not read", file=name, pointer="/specVersion",
                                 hint=f"versions read: {', '.join(VERSIONS)}"))  # fmt: skip
    warnings = check_schema(document, version, name)
    return _Reader(document, version, name, raw_digest, size, at).document(warnings)


class _Reader:
    def __init__(self, document: Mapping[str, Any], version: str, name: str, raw_digest: str, size: int, at: datetime) -> None:
        self.raw, self.version, self.name, self.digest, self.size, self.at = document, version, name, raw_digest, size, at
        self.problems: list[Diagnostic] = []
        self.by_ref: dict[str, Record] = {}
        self.scope_assumed = False
        self.warnings: list[str] = []
        self.inside: dict[str, list[str]] = {}

    def document(self, warnings: tuple[str, ...]) -> Document:
        raw = self.raw
        metadata = raw.get("metadata") or {}
        written = self._time(metadata.get("timestamp"), "/metadata/timestamp")
        product = self._product(metadata)
        components = tuple(self._components(raw.get("components") or (), "/components", 0, None))
        if product is not None:
            below = (metadata["component"].get("components")) or ()
            nested = tuple(self._components(below, "/metadata/component/components", 1, str(product.fields["bom_ref"])))
            components = nested + components
        self._services(raw.get("services") or (), "/services", 0)
        dependencies = self._dependencies()
        findings, unmatched = vulnerability_rows(raw, self.by_ref, self.name, self._time)
        if self.problems:
            raise Refusal(*self.problems[:MAX_PROBLEMS])
        state = self._completeness(product)
        origin = Origin(self.name)
        fields: dict[str, Any] = {
            "format": "cyclonedx", "digest": self.digest, "completeness": state.value, "schema_valid": True,
            "serial_number": raw.get("serialNumber"), "timestamp": written, "product": product,
            "signed": None if "signature" in raw else False, "authors": self._authors(metadata),
            "components": self._collection(components, state, "/components", "components" in raw),
            "dependencies": self._collection(dependencies, self._stated("dependencies"), "/dependencies", "dependencies" in raw),
            "vulnerabilities": Collection(findings, Completeness.INCOMPLETE, origin=Origin(self.name, "/vulnerabilities"),
                                          reason="nothing shows that this very product was scanned"),
        }  # fmt: skip
        record = Record("sbom", {key: value for key, value in fields.items() if value is not None}, origin)
        kind = "sbom" if components or product is not None else "vex" if raw.get("vulnerabilities") else "bom"
        counts = {"components": len(components), "top_level": len(raw.get("components") or ()), "dependencies": len(dependencies),
                  "vulnerabilities": len(raw.get("vulnerabilities") or ())}  # fmt: skip
        reason = "lists no component and does not say what it describes" if kind == "bom" else None
        if "signature" in raw:
            reason = "holds a signature of its own that is not checked"
        item = EvidenceItem(self.name, kind, f"cyclonedx {self.version}", self.digest, self.size, state, None, None, reason, counts,
                            ("sbom", "sboms") if kind == "sbom" else (), (*warnings, *self.warnings[:MAX_PROBLEMS], *unmatched))  # fmt: skip
        assumptions = (_SCOPE_ASSUMED.format(name=self.name),) if self.scope_assumed else ()
        roots: dict[str, Record | Collection] = {"sbom": record} if kind == "sbom" else {}
        return Document(item, roots, assumptions)

    def _product(self, metadata: Mapping[str, Any]) -> Record | None:
        raw = metadata.get("component")
        return self._component(raw, "/metadata/component") if isinstance(raw, dict) else None

    def _components(self, listed: Any, pointer: str, depth: int, parent: str | None) -> Iterator[Record]:
        if depth > MAX_COMPONENT_DEPTH:
            message = f"components nest deeper than the limit `component depth` of {MAX_COMPONENT_DEPTH}"
            raise Refusal(Diagnostic("PE413", message, file=self.name, pointer=pointer[:200], hint="flatten the document"))
        for index, raw in enumerate(listed):
            at = f"{pointer}/{index}"
            record = self._component(raw, at)
            if parent is not None:
                self.inside.setdefault(parent, []).append(str(record.fields["bom_ref"]))
            yield record
            if raw.get("components"):
                yield from self._components(raw["components"], f"{at}/components", depth + 1, str(record.fields["bom_ref"]))

    def _component(self, raw: Mapping[str, Any], pointer: str) -> Record:
        purl = raw.get("purl")
        found = _PURL_TYPE.match(purl) if purl else None
        version = raw.get("version")
        self._name(raw, pointer)
        fields: dict[str, Any] = {
            "bom_ref": raw.get("bom-ref") or f"#{pointer}",
            "type": raw["type"],
            "name": _text(raw["name"]),
        }
        if version and version.strip():
            fields["version"] = Version(version.strip(), found[1].lower() if found else "")
        if purl:
            fields["purl"] = _text(purl)
            self._one_version(purl.strip(), version, pointer)
        if raw.get("cpe"):
            fields["cpe"] = raw["cpe"]
        scope = raw.get("scope")
        self.scope_assumed |= scope is None
        fields["scope"] = scope or "required"
        supplier = _named(raw.get("supplier"))
        if supplier:
            fields["supplier"] = Record("organization", supplier, Origin(self.name, f"{pointer}/supplier"))
        if raw.get("licenses"):
            expression = _licences(raw["licenses"])
            if expression:
                fields["licences"] = expression
        if raw.get("hashes"):
            fields["digests"] = self._digests(raw["hashes"], f"{pointer}/hashes")
        fields["strongly_hashed"] = any(each.partition(":")[0] in STRONG_DIGESTS for each in fields.get("digests", ()))
        fields["pedigree_recorded"] = bool(raw.get("pedigree"))
        author = raw.get("author") or ", ".join(a.get("name", "") for a in raw.get("authors") or ())
        if author.strip():
            fields["author"] = author.strip()
        for each in raw.get("properties") or ():
            own = _OWN_PROPERTIES.get(each.get("name", ""))
            if own and each.get("value") in ("true", "false"):
                fields[own] = each["value"] == "true"
        record = Record("component", fields, Origin(self.name, pointer))
        self._register(str(fields["bom_ref"]), record, pointer)
        return record

    def _register(self, ref: str, record: Record, pointer: str) -> None:
        if ref in self.by_ref:
            first = self.by_ref[ref].origin
            message = f"the bom-ref `{ref}` is there twice, first at {first.pointer if first else '?'}"
            self._wrong("PE412", f"{pointer}/bom-ref", message, "give each component its own bom-ref")
        self.by_ref[ref] = record

    def _services(self, listed: Any, pointer: str, depth: int) -> None:
        """Services are nodes of the dependency graph, not components."""
        for index, raw in enumerate(listed):
            at = f"{pointer}/{index}"
            if raw.get("bom-ref"):
                self._register(raw["bom-ref"], Record("service", {"name": raw.get("name", "")}, Origin(self.name, at)), at)
            if raw.get("services") and depth < MAX_COMPONENT_DEPTH:
                self._services(raw["services"], f"{at}/services", depth + 1)

    def _digests(self, hashes: Any, pointer: str) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for index, each in enumerate(hashes):
            try:
                one = digest(f"{each['alg']}:{each['content']}")
            except Mismatch as problem:
                self._wrong("PE413", f"{pointer}/{index}", problem.message, problem.hint)
                continue
            if found.setdefault(one.partition(":")[0], one) != one:
                message = f"two {each['alg']} digests, `{found[one.partition(':')[0]]}` and `{one}`"
                self._wrong("PE413", f"{pointer}/{index}", message, "one component has one digest of an algorithm")
        return tuple(sorted(found.values()))

    def _name(self, raw: Mapping[str, Any], pointer: str) -> None:
        if not raw["name"].strip():
            self._wrong("PE413", f"{pointer}/name", "the name is empty", "name the component")
        mixed = mixed_scripts(raw["name"])
        if mixed:
            self.warnings.append(f"{pointer}/name: `{raw['name']}` mixes letters of several scripts: {mixed}")

    def _one_version(self, purl: str, version: object, pointer: str) -> None:
        """A purl that states another version than its component describes two components at once."""
        last = purl.partition("#")[0].partition("?")[0].rpartition("/")[2]
        stated = unquote(last.rpartition("@")[2]) if "@" in last else ""
        if not stated or not isinstance(version, str) or not version.strip():
            return
        bare = version.strip()
        if stated.removeprefix("v") not in (bare.removeprefix("v"), bare.partition(":")[2]):
            message = f"the purl says version `{stated}`, the component says `{bare}`"
            self._wrong("PE413", f"{pointer}/purl", message, "one component has one version")

    def _dependencies(self) -> tuple[Record, ...]:
        """Rows of the graph; what is nested in a component is among what that component depends on."""
        rows: list[Record] = []
        listed = set()
        for index, raw in enumerate(self.raw.get("dependencies") or ()):
            pointer = f"/dependencies/{index}"
            below = list(raw.get("dependsOn") or ())
            for ref in (raw["ref"], *below):
                if ref not in self.by_ref:
                    self._wrong(
                        "PE412", pointer, f"`{ref}` is not in the document", "name a component or service by its bom-ref"
                    )
            if raw["ref"] in listed:
                self._wrong("PE412", pointer, f"`{raw['ref']}` has two entries", "keep one of them")
            listed.add(raw["ref"])
            nested = [ref for ref in self.inside.get(raw["ref"], ()) if ref not in below]
            rows.append(Record("dependency", {"ref": raw["ref"], "depends_on": (*below, *nested)}, Origin(self.name, pointer)))
        return tuple(rows)

    def _completeness(self, product: Record | None) -> Completeness:
        """What the compositions say of the whole: of the product's assembly, or of the document without naming one."""
        said = [each for each in self.raw.get("compositions") or () if "aggregate" in each]
        aggregates = [each["aggregate"] for each in said if not each.get("dependencies") or each.get("assemblies")]
        if any(a not in _COMPLETENESS for a in aggregates):
            return Completeness.INCOMPLETE
        ref = product.fields["bom_ref"] if product is not None else None
        whole = [
            e["aggregate"]
            for e in said
            if ref in (e.get("assemblies") or ()) or not (e.get("assemblies") or e.get("dependencies"))
        ]
        return Completeness.COMPLETE if "complete" in whole else Completeness.NOT_STATED

    def _stated(self, part: str) -> Completeness:
        said = [e["aggregate"] for e in self.raw.get("compositions") or () if "aggregate" in e and e.get(part)]
        if any(a not in _COMPLETENESS for a in said):
            return Completeness.INCOMPLETE
        return Completeness.COMPLETE if said and all(a == "complete" for a in said) else Completeness.NOT_STATED

    def _collection(self, items: tuple[Record, ...], state: Completeness, pointer: str, there: bool) -> Collection | None:
        return Collection(items, state, origin=Origin(self.name, pointer)) if there or items else None

    def _authors(self, metadata: Mapping[str, Any]) -> tuple[str, ...] | None:
        names = [str(a.get("name") or a.get("email") or "").strip() for a in metadata.get("authors") or ()]
        return tuple(dict.fromkeys(n for n in names if n)) or None

    def _time(self, raw: object, pointer: str) -> datetime | None:
        if raw is None:
            return None
        try:
            moment = timestamp(raw)
        except Mismatch as problem:
            self._wrong("PE413", pointer, problem.message, problem.hint)
            return None
        if pointer.startswith("/metadata") and moment > self.at:
            message = f"made at {moment.isoformat()}, after the evaluation at {self.at.isoformat()}"
            self._wrong("PE413", pointer, message, "check the clock of the tool that wrote it, or --at")
        return moment

    def _wrong(self, code: str, pointer: str, message: str, hint: str) -> None:
        if len(self.problems) <= MAX_PROBLEMS:
            self.problems.append(Diagnostic(code, message, file=self.name, pointer=pointer, hint=hint))


def _named(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        return {}
    urls = raw.get("url")
    url = urls[0] if isinstance(urls, list) and urls else urls if isinstance(urls, str) else None
    return {
        key: value.strip()
        for key, value in (("name", raw.get("name")), ("url", url))
        if isinstance(value, str) and value.strip()
    }


def _text(raw: str) -> str:
    return unicodedata.normalize("NFC", raw).strip()


def mixed_scripts(name: str) -> str:
    """The letters that are not Latin in a name that has Latin ones too, with their code points; "" where there are none."""
    scripts = {
        c: unicodedata.name(c, "?").partition(" ")[0]
        for c in name
        if unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nl"
    }
    if "LATIN" not in scripts.values():
        return ""
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '?')}" for c, script in scripts.items() if script != "LATIN")


def _licences(listed: Any) -> str:
    """An SPDX expression: as it is, or the listed licences joined with AND; one that has only a name becomes a LicenseRef."""
    parts = []
    for each in listed:
        licence = each.get("license") or {}
        if each.get("expression"):
            parts.append(str(each["expression"]).strip())
        elif licence.get("id"):
            parts.append(str(licence["id"]))
        elif licence.get("name"):
            parts.append("LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", str(licence["name"])).strip("-"))
    if len(parts) == 1:
        return parts[0]
    return " AND ".join(f"({part})" if " " in part else part for part in parts)
