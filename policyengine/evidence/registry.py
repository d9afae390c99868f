"""What a file is follows from its content, never from its name: the readers, and the formats that are known but not read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.strict_json import load_json
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence import attestation, cyclonedx
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.signing.trust import Trust

READ_HERE = "this version reads CycloneDX JSON, in-toto statements in DSSE envelopes or Sigstore bundles, and EPCIS 2.0 JSON"
DECLARE = "a site's own export is named in the configuration with `as:`, the root that it feeds"
_FIRST_BYTES = 4096
_WIDEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader is given beside the file: the time of the run, and who is trusted."""

    at: datetime
    trust: Trust | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read: ``recognises`` looks at the parsed JSON, ``read`` gets it with the file and its digest."""

    name: str
    recognises: Callable[[object], bool]
    read: Callable[[Any, SourceFile, str, Reading], tuple[Document, ...]]


def _cyclonedx(document: Any, file: SourceFile, raw_digest: str, reading: Reading) -> tuple[Document, ...]:
    return (cyclonedx.read_cyclonedx(document, file.name, raw_digest, len(file.raw), reading.at),)


def _attestations(document: Any, file: SourceFile, _digest: str, reading: Reading) -> tuple[Document, ...]:
    return attestation.read_attestations([("", document, file.raw)], file.raw, file.name, reading.trust, reading.at)


def _is_epcis(document: object) -> bool:
    if not isinstance(document, dict) or not ("type" in document or "epcisBody" in document):
        return False
    from policyengine.evidence.epcis import is_epcis

    return is_epcis(document) or "epcisBody" in document


def _epcis(_document: Any, file: SourceFile, _digest: str, _reading: Reading) -> tuple[Document, ...]:
    from policyengine.evidence.epcis import read_epcis

    return (read_epcis(file.raw, file.name, vocabulary()),)


FORMATS = (
    Format("CycloneDX", cyclonedx.recognises, _cyclonedx),
    Format("attestation", attestation.recognises, _attestations),
    Format("EPCIS", _is_epcis, _epcis),
)


def _says(document: Mapping[str, Any], key: str, text: str) -> bool:
    return text in str(document.get(key, "")).lower()[:_FIRST_BYTES]


NOT_READ: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("SPDX", lambda d: "spdxVersion" in d or "SPDXID" in d or _says(d, "@context", "spdx.org")),
    ("OpenVEX", lambda d: _says(d, "@context", "openvex")),
    ("CSAF", lambda d: isinstance(d.get("document"), dict) and "csaf_version" in d["document"]),
    ("SARIF", lambda d: _says(d, "$schema", "sarif") or (isinstance(d.get("runs"), list) and "version" in d)),
    ("OSV", lambda d: "affected" in d and "schema_version" in d),
    ("Trivy", lambda d: "Results" in d and ("ArtifactName" in d or "SchemaVersion" in d)),
    ("Grype", lambda d: "matches" in d and "descriptor" in d),
    ("FHIR", lambda d: "resourceType" in d),
    ("CloudTrail", lambda d: isinstance(d.get("Records"), list)),
    ("CloudEvents", lambda d: "specversion" in d and "source" in d),
    ("OCSF", lambda d: "class_uid" in d),
    ("OSCAL", lambda d: any(key in d for key in ("assessment-results", "assessment-plan", "catalog", "profile"))),
)  # fmt: skip

_NOT_JSON: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("a ZIP archive", re.compile(rb"PK(?:\x03\x04|\x05\x06)")),
    ("a gzip archive", re.compile(rb"\x1f\x8b")),
    ("a Zstandard archive", re.compile(rb"\x28\xb5\x2f\xfd")),
    ("a bzip2 archive", re.compile(rb"BZh[1-9]")),
    ("an XZ archive", re.compile(rb"\xfd7zXZ\x00")),
    ("a PDF document", re.compile(rb"%PDF-")),
    ("a PEM file", re.compile(rb"\s*-----BEGIN ")),
    ("SPDX tag-value", re.compile(rb"(?s).{0,2000}?^SPDXVersion:", re.MULTILINE)),
)
_XML: tuple[tuple[str, bytes], ...] = (
    ("CycloneDX XML", b"cyclonedx.org/schema/bom"),
    ("EPCIS XML", b"EPCISDocument"),
    ("SPDX XML", b"spdxVersion"),
    ("JUnit XML", b"<testsuite"),
)


def recognised(file: SourceFile, reading: Reading) -> tuple[Document, ...]:
    """The documents of a file in a published format. Raises :class:`Refusal`: PE401, PE402 not JSON, PE410 not read here."""
    _refuse_what_is_not_json(file)
    if attestation.is_json_lines(file.raw):
        parsed = attestation.json_lines(file.raw, file.name)
        return attestation.read_attestations(parsed, file.raw, file.name, reading.trust, reading.at)
    document = load_json(file.raw, file.name)
    for form in FORMATS:
        if form.recognises(document):
            return form.read(document, file, sha256_of(file.raw), reading)
    raise unknown_format(file.name, document)


def _refuse_what_is_not_json(file: SourceFile) -> None:
    start = file.raw[:_FIRST_BYTES]
    for what, pattern in _NOT_JSON:
        if pattern.match(start):
            raise _not_read(file.name, what, f"unpack or convert it; {READ_HERE}")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        what = next((what for what, mark in _XML if mark in start), "XML")
        raise _not_read(file.name, what, f"give it as JSON; {READ_HERE}")


def unknown_format(name: str, document: object) -> Refusal:
    """PE410: what was found, as far as its shape tells, and what is read."""
    if isinstance(document, dict):
        if "bomFormat" in document:
            return _not_read(name, f"bomFormat `{_short(document['bomFormat'])}`", "CycloneDX writes `CycloneDX`", "/bomFormat")
        if "specVersion" in document:
            return _not_read(name, "a specVersion without bomFormat", 'CycloneDX needs `"bomFormat": "CycloneDX"`')
        for what, looks_like in NOT_READ:
            if looks_like(document):
                return _not_read(name, what, READ_HERE)
        keys = ", ".join(f"`{_short(key)}`" for key in sorted(document)[:8])
        what = f"an object with the keys {keys}" if keys else "an object without keys"
        return _not_read(name, what, DECLARE)
    what = "a list" if isinstance(document, list) else "a single value"
    return _not_read(name, f"{what} at the top of a file", f"{READ_HERE}; {DECLARE}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST_NAME else text[:_WIDEST_NAME] + ".."


def _not_read(name: str, what: str, hint: str, pointer: str = "") -> Refusal:
    return Refusal(Diagnostic("PE410", f"{what} is not read by this version", file=name, pointer=pointer, hint=hint))
