"""Named bytes to documents: what a file is follows from its content, never from its name.

A file is parsed once, and what is judged are the bytes whose digest is recorded. Readers for published standards stand in one
table; what a site exports itself is declared in its configuration and goes through :mod:`mapping`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.strict_json import load_json
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence import attestation, cyclonedx, epcis
from policyengine.evidence.declaration import Declaration
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.signing.trust import Trust


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader is given beside the file: the time of the run, and who is trusted."""

    at: datetime
    trust: Trust | None = None


Reader = Callable[[Any, SourceFile, str, Reading], tuple[Document, ...]]

NOT_READ: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("SPDX", lambda d: "spdxVersion" in d or str(d.get("@context", "")).startswith("https://spdx.org")),
    ("OpenVEX", lambda d: "openvex" in str(d.get("@context", ""))),
    ("CSAF", lambda d: isinstance(d.get("document"), dict) and "csaf_version" in d["document"]),
    ("SARIF", lambda d: "sarif" in str(d.get("$schema", "")) or ("runs" in d and "version" in d)),
    ("Trivy", lambda d: "Results" in d and "ArtifactName" in d),
    ("grype", lambda d: "matches" in d and "descriptor" in d),
    ("FHIR", lambda d: "resourceType" in d),
    ("CloudTrail", lambda d: "Records" in d),
    ("OSCAL", lambda d: "assessment-results" in d or "assessment-plan" in d),
)  # fmt: skip


def load(files: Sequence[SourceFile], declared: Sequence[tuple[SourceFile, Declaration]], reading: Reading,
         progress: Callable[[str], None] | None = None) -> tuple[Document, ...]:  # fmt: skip
    """The documents of all files. Every file that cannot be read as what it claims to be is refused in one go (PE4xx, exit 2)."""
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    jobs: list[tuple[str, Callable[[], Iterable[Document]]]] = [
        (file.name, partial(_recognised, file, reading)) for file in files
    ]
    jobs += [(file.name, partial(_mapped, file, declaration)) for file, declaration in declared]
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name, job in jobs:
            if progress is not None:
                progress(name)
            try:
                documents += job()
            except Refusal as refusal:
                problems += refusal.diagnostics
    finally:
        if collecting:
            gc.enable()
    if problems:
        raise Refusal(*problems)
    return tuple(documents)


def _mapped(file: SourceFile, declaration: Declaration) -> tuple[Document, ...]:
    from policyengine.evidence.mapping import read_mapped

    return (read_mapped(file.raw, file.name, declaration, vocabulary()),)


def _recognised(file: SourceFile, reading: Reading) -> tuple[Document, ...]:
    if attestation.is_json_lines(file.raw):
        parsed = attestation.json_lines(file.raw, file.name)
        return attestation.read_attestations(parsed, file.raw, file.name, reading.trust, reading.at)
    if file.raw.removeprefix(attestation.BYTE_ORDER_MARK).lstrip()[:1] == b"<":
        raise _unknown(file, "XML", "this version reads JSON evidence; declare a site export with `as:` in the configuration")
    document = load_json(file.raw, file.name)
    raw_digest = sha256_of(file.raw)
    for recognises, read in READERS:
        if recognises(document):
            return read(document, file, raw_digest, reading)
    if isinstance(document, dict):
        for what, looks_like in NOT_READ:
            if looks_like(document):
                raise _unknown(file, what, "this version reads CycloneDX, DSSE, Sigstore bundles and EPCIS 2.0 by content")
        if "bomFormat" in document:
            raise _unknown(file, f"bomFormat `{document['bomFormat']}`", "CycloneDX writes `CycloneDX`")
    raise _unknown(
        file, _outline(document), "a site's own export is named in the configuration with `as:`, the root that it feeds"
    )


def _cyclonedx(document: Any, file: SourceFile, raw_digest: str, reading: Reading) -> tuple[Document, ...]:
    return (cyclonedx.read_cyclonedx(document, file.name, raw_digest, len(file.raw), reading.at),)


def _attestations(document: Any, file: SourceFile, _: str, reading: Reading) -> tuple[Document, ...]:
    return attestation.read_attestations([("", document, file.raw)], file.raw, file.name, reading.trust, reading.at)


def _is_epcis(document: object) -> bool:
    """Also what lost its `type`, so that its reader says what is missing."""
    return epcis.is_epcis(document) or (isinstance(document, dict) and "epcisBody" in document)


def _epcis(_document: Any, file: SourceFile, _digest: str, _reading: Reading) -> tuple[Document, ...]:
    return (epcis.read_epcis(file.raw, file.name, vocabulary()),)


READERS: tuple[tuple[Callable[[object], bool], Reader], ...] = (
    (cyclonedx.recognises, _cyclonedx),
    (attestation.recognises, _attestations),
    (_is_epcis, _epcis),
)


def _outline(document: object) -> str:
    if isinstance(document, dict):
        return f"an object with the keys {', '.join(sorted(map(str, document))[:8]) or 'none'}"
    return "a list" if isinstance(document, list) else "a single value"


def _unknown(file: SourceFile, what: str, hint: str) -> Refusal:
    return Refusal(Diagnostic("PE410", f"a format that is not read here: {what}", file=file.name, hint=hint))
