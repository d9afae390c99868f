"""Components of a CycloneDX document, at every depth, as records; and the table of what its references can mean.

A fault is noted with its pointer and the reading goes on, so that one run tells all of them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from policyengine.core.coerce import STRONG_DIGESTS, Mismatch, digest
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.model import Origin, Record, Version
from policyengine.evidence.notes import Notes

MAX_COMPONENT_DEPTH = 60
_PLAIN_PURL = re.compile(r"pkg:([a-z][a-z0-9.-]*)/[A-Za-z0-9._~%!$&'()*,;=:/+-]+(?:@[^@?#\s]+)?(?:\?[^\s#]*)?(?:#\S*)?")
_PURL_VERSION = re.compile(r"@([^@/]+)$")
_LENGTHS = {"SHA-256": ("sha256:", 64), "SHA-1": ("sha1:", 40), "SHA-512": ("sha512:", 128), "MD5": ("md5:", 32)}
_HEX = re.compile(r"[0-9a-f]+")
OWN = "policyengine:"
OWN_PROPERTIES = ("custom", "isolated")
SCOPE_ASSUMED = "a component without `scope` counts as `required`, the default of CycloneDX"
PARTS_ASSUMED = "what is nested in a component counts as a dependency of it"


@dataclass(slots=True)
class Inventory:
    """What the references of one document can name: components and services by ``bom-ref``, and what is nested in what."""

    notes: Notes
    declared: dict[str, Record] = field(default_factory=dict)
    nested: dict[str, list[str]] = field(default_factory=dict)

    def product(self, raw: Mapping[str, Any]) -> Record:
        """``metadata.component``: what the document is about."""
        return self._component(raw, "/metadata/component", is_product=True)

    def components(
        self, listed: Sequence[Mapping[str, Any]], pointer: str, parent: str | None = None, depth: int = 0
    ) -> Iterator[Record]:
        """Records in the order of the document, those nested in a component right after it."""
        if depth > MAX_COMPONENT_DEPTH:
            message = f"components nest deeper than the limit `component depth` of {MAX_COMPONENT_DEPTH}"
            raise Refusal(
                Diagnostic("PE413", message, file=self.notes.name, pointer=pointer[:200], hint="flatten the document")
            )
        for index, raw in enumerate(listed):
            place = f"{pointer}/{index}"
            record = self._component(raw, place)
            if parent is not None:
                self.nested.setdefault(parent, []).append(str(record.fields["bom_ref"]))
            yield record
            if below := raw.get("components"):
                yield from self.components(below, f"{place}/components", str(record.fields["bom_ref"]), depth + 1)

    def services(self, listed: Sequence[Mapping[str, Any]], pointer: str) -> None:
        """Services are nodes of the dependency graph, not components."""
        for index, raw in enumerate(listed):
            place = f"{pointer}/{index}"
            if ref := raw.get("bom-ref"):
                self._declare(ref, Record("service", {"name": raw["name"]}, Origin(self.notes.name, place)), place)
            self.services(raw.get("services") or (), f"{place}/services")

    def _component(self, raw: Mapping[str, Any], place: str, is_product: bool = False) -> Record:
        ref = raw.get("bom-ref")
        fields: dict[str, object] = {"bom_ref": ref or f"#{place}", "type": raw["type"], "name": plain(raw["name"])}
        self._name(raw["name"], place)
        purl = self._purl(raw["purl"], place) if raw.get("purl") else None
        version = plain(raw.get("version") or "")
        if version:
            fields["version"] = Version(version, purl[4 : purl.index("/")] if purl else "")
        if purl:
            fields["purl"] = purl
            if version:
                self._versions_agree(purl, version, place)
        if cpe := plain(raw.get("cpe") or ""):
            fields["cpe"] = cpe
        if scope := raw.get("scope"):
            fields["scope"] = scope
        elif not is_product:
            fields["scope"] = "required"
            self.notes.assume(SCOPE_ASSUMED)
        if supplier := _organization(raw.get("supplier") or {}):
            fields["supplier"] = Record("organization", supplier, Origin(self.notes.name, f"{place}/supplier"))
        if licences := licence_expression(raw.get("licenses") or ()):
            fields["licences"] = licences
        self._facts_of_identity(raw, fields, place)
        if properties := raw.get("properties"):
            self._own_properties(properties, fields, f"{place}/properties")
        record = Record("component", fields, Origin(self.notes.name, place))
        if ref:
            self._declare(ref, record, place)
        return record

    def _facts_of_identity(self, raw: Mapping[str, Any], fields: dict[str, object], place: str) -> None:
        digests = self._digests(raw.get("hashes") or (), f"{place}/hashes")
        if digests:
            fields["digests"] = digests
        fields["strongly_hashed"] = any(each.partition(":")[0] in STRONG_DIGESTS for each in digests)
        fields["pedigree_recorded"] = bool(raw.get("pedigree"))
        if author := plain(raw.get("author") or ", ".join(each.get("name", "") for each in raw.get("authors") or ())):
            fields["author"] = author

    def _declare(self, ref: str, record: Record, place: str) -> None:
        first = self.declared.setdefault(ref, record)
        if first is not record:
            where = first.origin.pointer if first.origin else ""
            self.notes.wrong("PE412", f"{place}/bom-ref", f"the bom-ref `{ref}` is there twice, first at {where}",
                             "give every component and service its own")  # fmt: skip

    def _name(self, raw: str, place: str) -> None:
        if not raw.strip():
            self.notes.wrong("PE413", f"{place}/name", "the name is empty", "name the component")
        elif not raw.isascii() and (mixed := mixed_scripts(raw)):
            self.notes.warn(f"{place}/name", f"`{raw}` mixes letters of several scripts: {mixed}")

    def _purl(self, raw: str, place: str) -> str | None:
        """The package URL in its canonical form; None, with a warning, where it is not one: then nothing identifies by it."""
        text = plain(raw)
        if _PLAIN_PURL.fullmatch(text):
            return text
        from packageurl import PackageURL

        try:
            return PackageURL.from_string(text).to_string()
        except ValueError:
            self.notes.warn(f"{place}/purl", f"`{text[:200]}` is not a package URL: taken as not recorded")
            return None

    def _versions_agree(self, purl: str, version: str, place: str) -> None:
        found = _PURL_VERSION.search(purl.partition("?")[0].partition("#")[0])
        if found is None or found[1] == version:
            return
        stated = unquote(found[1])
        if plain(stated).removeprefix("v") != version.rpartition(":")[2].removeprefix("v") and plain(stated) != version:
            message = f"the purl says version `{stated}`, the component says `{version}`"
            self.notes.wrong("PE413", f"{place}/purl", message, "one component has one version")

    def _digests(self, hashes: Sequence[Mapping[str, str]], pointer: str) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for index, each in enumerate(hashes):
            prefix, length = _LENGTHS.get(each["alg"], ("", 0))
            content = each["content"].lower()
            if len(content) == length and _HEX.fullmatch(content):
                one = prefix + content
            else:
                try:
                    one = digest(f"{each['alg']}:{each['content']}")
                except Mismatch as problem:
                    self.notes.wrong("PE413", f"{pointer}/{index}", problem.message, problem.hint)
                    continue
            if found.setdefault(each["alg"], one) != one:
                message = f"two {each['alg']} digests, `{found[each['alg']]}` and `{one}`"
                self.notes.wrong("PE413", f"{pointer}/{index}", message, "one component has one digest of an algorithm")
        return tuple(sorted(found.values()))

    def _own_properties(self, listed: Sequence[Mapping[str, str]], fields: dict[str, object], pointer: str) -> None:
        for index, each in enumerate(listed):
            name = str(each.get("name", ""))
            if not name.startswith(OWN):
                continue
            own, value = name.removeprefix(OWN), each.get("value")
            if own not in OWN_PROPERTIES:
                close = nearest(own, OWN_PROPERTIES)
                hint = (
                    f"did you mean `{OWN}{close}`?" if close else f"known: {', '.join(OWN + known for known in OWN_PROPERTIES)}"
                )
                self.notes.warn(f"{pointer}/{index}", f"the property `{name}` is not used; {hint}")
            elif value not in ("true", "false"):
                self.notes.wrong("PE413", f"{pointer}/{index}/value", f"`{value}` found, `true` or `false` expected")
            elif fields.setdefault(own, value == "true") != (value == "true"):
                self.notes.wrong("PE413", f"{pointer}/{index}", f"the property `{name}` is there twice and differs")


def plain(text: str) -> str:
    """Text as rules compare it: trimmed, NFC."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def mixed_scripts(name: str) -> str:
    """The letters that are not Latin in a name that has Latin ones too, with their code points; "" where there are none."""
    letters = [c for c in name if unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nl"]
    scripts = {c: unicodedata.name(c, "?").partition(" ")[0] for c in letters}
    if "LATIN" not in scripts.values():
        return ""
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '?')}" for c, script in scripts.items() if script != "LATIN")


def licence_expression(listed: Sequence[Mapping[str, Any]]) -> str:
    """One SPDX expression: as it is, or the listed licences joined with AND. One that has only a name becomes a LicenseRef."""
    parts: list[str] = []
    for each in listed:
        licence = each.get("license") or {}
        part = plain(each.get("expression") or licence.get("id") or "") or _licence_ref(plain(licence.get("name") or ""))
        if part and part not in parts:
            parts.append(part)
    if len(parts) == 1:
        return parts[0]
    return " AND ".join(f"({part})" if " " in part else part for part in parts)


def _licence_ref(name: str) -> str:
    """Names that differ only in what an identifier cannot hold stay apart by a short digest."""
    if not name:
        return ""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")
    exact = readable == re.sub(r"[ ,()/]+", "-", name).strip("-")
    return f"LicenseRef-{readable}" if exact else f"LicenseRef-{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _organization(raw: Mapping[str, Any]) -> dict[str, object]:
    urls = raw.get("url") or ()
    said = {"name": plain(raw.get("name") or ""), "url": plain(urls[0]) if urls else ""}
    return {key: value for key, value in said.items() if value}
