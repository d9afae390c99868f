"""Attestations: DSSE envelopes and Sigstore bundles, alone or wrapped, each with its verdict and what it then says.

Order: signature by a trusted signer, payload type, statement type, predicate type, subject digests, signer allowed, content,
time. There is no way to stop half-way and still hold a record: only :func:`_judged` makes one. What is not evidence
is listed with its reason, and goes to ``unverified_attestations`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from policyengine.core.canonical import sha256_of
from policyengine.core.coerce import STRONG_DIGESTS, Mismatch, digest
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, Origin, Record
from policyengine.core.strict_json import load_json
from policyengine.evidence.document import Document
from policyengine.evidence.predicates import STATEMENT_TYPES, BadPredicate, facts_of, record, recorded
from policyengine.signing.envelope import IN_TOTO, NotAnEnvelope, envelope_from
from policyengine.signing.trust import Trust
from policyengine.signing.verify import Signer, State, Verification, enough_signers, verify_bundle, verify_dsse, version_of

MAX_ENVELOPES = 10_000
LONGEST_CLAIM = 200
LISTED = 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
METABLOCK = "in-toto metablock"
BUNDLE_0_3 = "application/vnd.dev.sigstore.bundle.v0.3+json"


class NotEvidence(ValueError):
    """Why a verified envelope still is no evidence; one phrase."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One envelope in a file: its place, what form it has, and the verdict on its signature."""

    pointer: str
    form: str
    verification: Verification
    claimed_type: str = ""


def recognises(document: object) -> bool:
    """Whether JSON has one of the known shapes: envelope, bundle, wrapper of an index, or a bare statement."""
    return isinstance(document, dict) and _shape(document) is not None


def _shape(document: Mapping[str, Any]) -> str | None:
    if "payloadType" in document or ("payload" in document and "signatures" in document):
        return "dsse"
    if "verificationMaterial" in document and (
        "mediaType" in document or "dsseEnvelope" in document or "messageSignature" in document
    ):
        return "bundle"
    listed = document.get("attestations")
    if isinstance(listed, list) and (
        document.keys() == {"attestations"} or any(isinstance(a, dict) and "bundle" in a for a in listed)
    ):
        return "npm"
    if isinstance(document.get("attestation_bundles"), list):
        return "pypi"
    if "verification_material" in document and "envelope" in document:
        return "pep740"
    if isinstance(document.get("provenance_summary"), dict):
        return "gcb"
    if "predicateType" in document and "subject" in document:
        return "statement"
    if "signed" in document and "signatures" in document and isinstance(document["signed"], dict):
        return "metablock"
    return None


def is_json_lines(raw: bytes) -> bool:
    """Whether the bytes are several lines, the first of which alone is an envelope, a bundle or a wrapper of them."""
    first, _, rest = raw.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    if not rest.strip() or not first.rstrip().endswith(b"}"):
        return False
    try:
        return recognises(load_json(first, "first line"))
    except Refusal:
        return False


def json_lines(raw: bytes, name: str) -> list[tuple[str, object, bytes]]:
    """Pointer, JSON and own bytes of each line. Raises :class:`Refusal` with the number of every line that is no attestation."""
    found: list[tuple[str, object, bytes]] = []
    problems: list[Diagnostic] = []
    for number, line in enumerate(raw.removeprefix(BYTE_ORDER_MARK).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            document = load_json(line, name)
        except Refusal as refusal:
            problems += (replace(each, line=number, column=each.column or 1) for each in refusal.diagnostics)
            continue
        if not recognises(document):
            problems.append(Diagnostic("PE410", "this line is no attestation", file=name, line=number, column=1,
                                       hint="each line is an envelope or a bundle"))  # fmt: skip
        found.append((f"/{len(found)}", document, line))
    if problems:
        raise Refusal(*problems[:LISTED])
    return found


def read_attestations(documents: list[tuple[str, object, bytes]], raw: bytes, name: str, trust: Trust | None,
                      at: datetime) -> tuple[Document, ...]:  # fmt: skip
    """One document for each envelope of a file. ``documents`` are pointer, parsed JSON and own bytes of each JSON value in it."""
    for pointer, document, _ in documents:
        _known_version(document, pointer, name)
    found = [each for pointer, document, own in documents for each in _envelopes(document, pointer, own, trust, at)]
    if len(found) > MAX_ENVELOPES:
        message = f"{len(found)} envelopes; the limit `envelopes per file` is {MAX_ENVELOPES}"
        raise Refusal(Diagnostic("PE413", message, file=name, hint="split the file"))
    if not found:
        raise Refusal(Diagnostic("PE413", "a list of attestations without any", file=name, hint="leave the file out"))
    raw_digest = sha256_of(raw)
    return tuple(
        _document(each, name if len(found) == 1 else f"{name}#{each.pointer}", raw_digest, len(raw), trust, at)
        for each in found
    )


def _known_version(document: object, pointer: str, name: str) -> None:
    if isinstance(document, dict) and _shape(document) == "bundle" and version_of(document) is None:
        message = f"a format that is not read here: Sigstore bundle `{str(document.get('mediaType'))[:LONGEST_CLAIM]}`"
        raise Refusal(
            Diagnostic("PE410", message, file=name, pointer=f"{pointer}/mediaType", hint="versions read: 0.1, 0.2, 0.3")
        )


def _envelopes(document: object, pointer: str, own: bytes, trust: Trust | None, at: datetime) -> Iterator[_Found]:
    if not isinstance(document, dict):
        yield _Found(pointer, "unknown", Verification(State.INVALID, "it is not a JSON object"))
        return
    shape = _shape(document)
    if shape == "dsse":
        yield _Found(pointer, "dsse", _dsse(document, trust, at), _claimed(document))
    elif shape == "bundle":
        yield _bundle(document, own, pointer, trust, at)
    elif shape == "npm":
        for index, each in enumerate(document["attestations"]):
            yield _wrapped(each.get("bundle") if isinstance(each, dict) else None, f"{pointer}/attestations/{index}", trust, at)
    elif shape == "pypi":
        for index, group in enumerate(document["attestation_bundles"]):
            for position, each in enumerate(_list(group, "attestations")):
                yield _pep740(each, f"{pointer}/attestation_bundles/{index}/attestations/{position}", trust, at)
    elif shape == "pep740":
        yield _pep740(document, pointer, trust, at)
    elif shape == "gcb":
        for index, each in enumerate(_list(document["provenance_summary"], "provenance")):
            envelope = each.get("envelope") if isinstance(each, dict) else None
            at_pointer = f"{pointer}/provenance_summary/provenance/{index}"
            yield _Found(at_pointer, "dsse", _dsse(envelope, trust, at), _claimed(envelope))
    elif shape == "metablock":
        yield _Found(pointer, METABLOCK, _metablock(document, trust, at))
    else:
        claimed = str(document.get("predicateType", ""))[:LONGEST_CLAIM]
        yield _Found(pointer, "unsigned statement", Verification(State.INVALID, "nobody signed it", code="unsigned"), claimed)


def _list(holder: object, key: str) -> list[object]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _dsse(document: object, trust: Trust | None, at: datetime) -> Verification:
    try:
        return verify_dsse(envelope_from(document), trust, at)
    except NotAnEnvelope as problem:
        return Verification(State.INVALID, str(problem))


def _bundle(document: Mapping[str, Any], own: bytes, pointer: str, trust: Trust | None, at: datetime) -> _Found:
    version = version_of(document) or "of an unknown version"
    claimed = _claimed(document.get("dsseEnvelope")) if "dsseEnvelope" in document else "message signature"
    return _Found(pointer, f"sigstore bundle {version}", verify_bundle(document, own, trust, at), claimed)


def _wrapped(bundle: object, pointer: str, trust: Trust | None, at: datetime) -> _Found:
    """A bundle inside a wrapper: its own bytes are written again, which changes nothing that is signed."""
    import json

    if not isinstance(bundle, dict):
        return _Found(pointer, "sigstore bundle", Verification(State.INVALID, "it holds no bundle"))
    return _bundle(bundle, json.dumps(bundle, default=str).encode(), pointer, trust, at)


def _pep740(document: object, pointer: str, trust: Trust | None, at: datetime) -> _Found:
    """PEP 740 is a Sigstore bundle 0.3 with other names; nothing that is signed changes on the way back."""
    refused = _Found(pointer, "pep 740 attestation", Verification(State.INVALID, "not a PEP 740 attestation of version 1"))
    if not isinstance(document, dict) or document.get("version") != 1:
        return refused
    try:
        material, envelope = document["verification_material"], document["envelope"]
        signatures = [{"sig": envelope["signature"]}]
        bundle = {
            "mediaType": BUNDLE_0_3,
            "verificationMaterial": {
                "certificate": {"rawBytes": material["certificate"]},
                "tlogEntries": material["transparency_entries"],
            },
            "dsseEnvelope": {"payloadType": IN_TOTO, "payload": envelope["statement"], "signatures": signatures},
        }
    except (KeyError, TypeError):
        return refused
    return replace(_wrapped(bundle, pointer, trust, at), form="pep 740 attestation 1")


def _metablock(document: Mapping[str, Any], trust: Trust | None, at: datetime) -> Verification:
    """An in-toto link or layout in its old form, signed over canonical JSON; verified with in-toto's own encoding."""
    from in_toto.models.layout import Layout
    from in_toto.models.link import Link

    from policyengine.signing.keys import load_public, signature_holds

    if trust is None or not trust.keys:
        return Verification(State.UNKNOWN, "no trusted key was given to verify it with")
    kind = {"link": Link, "layout": Layout}.get(str(document["signed"].get("_type")))
    if kind is None:
        return Verification(State.INVALID, "neither an in-toto link nor a layout")
    try:
        signed = kind.read(dict(document["signed"])).signable_bytes
        signatures = [bytes.fromhex(each["sig"]) for each in document["signatures"]]
    except Exception as problem:
        return Verification(State.INVALID, f"not an in-toto metablock: {type(problem).__name__}")
    good = [entry for entry in trust.keys if any(signature_holds(load_public(entry.public_pem or b"", entry.name), each, signed)
                                                 for each in signatures)]  # fmt: skip
    in_time = [entry for entry in good if entry.valid_at(at)]
    if not in_time:
        reason = f"{good[0].name} is not valid at {at.isoformat()}" if good else "no signature by a trusted key"
        return Verification(State.INVALID, reason)
    signers = tuple(Signer(entry, f"key {entry.key_id[:16]}") for entry in in_time)
    return Verification(State.VALID, "", signers, METABLOCK, b"")


def _claimed(envelope: object) -> str:
    """The predicate type that an envelope claims, for the list of what was not verified; it proves nothing."""
    try:
        statement = load_json(envelope_from(envelope).payload, "payload")
    except (NotAnEnvelope, Refusal):
        return ""
    return str(statement.get("predicateType", ""))[:LONGEST_CLAIM] if isinstance(statement, dict) else ""


def _document(found: _Found, name: str, raw_digest: str, size: int, trust: Trust | None, at: datetime) -> Document:
    verification = found.verification
    origin = Origin(name, found.pointer if "#" not in name else "")
    signer = ", ".join(f"{s.entry.name}: {s.identified_by}" for s in verification.signers) or verification.claimed or None
    form = f"{found.form}, {found.claimed_type}" if found.claimed_type else found.form
    reason, verified = verification.reason, verification.state is State.VALID
    roots: dict[str, Record | Collection] = {}
    subjects = 0
    if verified and found.form != METABLOCK and not verification.subject_digest:
        try:
            roots, subjects = _judged(verification, trust, at, origin)
        except NotEvidence as problem:
            reason, verified = f"the signature holds, but it is not evidence: {problem}", False
    elif verified:
        covered = f" over {verification.subject_digest}" if verification.subject_digest else ""
        reason = f"the signature{covered} holds; it makes no statement that a rule can use"
    elif verification.state is State.UNKNOWN:
        reason = f"not judged: {reason}"
    unverified: tuple[Record, ...] = ()
    if not verified:
        fields = {
            "predicate_type": found.claimed_type or "unknown",
            "subject_digests": (),
            "signer_identity": verification.claimed or None,
        }
        unverified = (Record("attestation", recorded(fields), origin),)
    # Whoever reads this envelope knows all about it: that none of it is unverified is a fact, not a silence.
    roots["unverified_attestations"] = Collection(unverified, Completeness.COMPLETE, origin=origin)
    feeds = tuple(sorted(root for root, value in roots.items() if isinstance(value, Collection) and value.items))
    item = EvidenceItem(name, "attestation", form, raw_digest, size, Completeness.NOT_STATED, verified, signer, reason or None,
                        {"subjects": subjects}, feeds)  # fmt: skip
    return Document(item, roots)


def _judged(
    verification: Verification, trust: Trust | None, at: datetime, origin: Origin
) -> tuple[dict[str, Record | Collection], int]:
    """The records of a verified statement, one for each subject. Raises :class:`NotEvidence`."""
    if trust is None or verification.payload is None:
        raise NotEvidence("nobody is trusted")
    if verification.payload_type != IN_TOTO:
        raise NotEvidence(f"its payload type is `{verification.payload_type}`, not `{IN_TOTO}`")
    try:
        statement = load_json(verification.payload, origin.name)
    except Refusal as refusal:
        raise NotEvidence(f"its payload: {refusal.diagnostics[0].message}") from None
    kind = statement.get("_type") if isinstance(statement, dict) else None
    if not isinstance(statement, dict) or not isinstance(kind, str) or kind not in STATEMENT_TYPES:
        raise NotEvidence("its payload is not an in-toto statement v0.1 or v1")
    predicate_type = statement.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type:
        raise NotEvidence("the statement names no predicate type")
    subjects = _subjects(statement.get("subject"))
    signers, lacking = enough_signers(verification, predicate_type, trust)
    if lacking:
        raise NotEvidence(lacking)
    try:
        facts = facts_of(predicate_type, statement.get("predicate"), trust.builder_levels(s.entry for s in signers))
    except BadPredicate as problem:
        raise NotEvidence(str(problem)) from None
    signed_at = next((s.signed_at for s in signers if s.signed_at is not None), None)
    for moment in (facts.time, signed_at):
        if moment is not None and moment > at:
            raise NotEvidence(f"it is of {moment.isoformat()}, after the evaluation")
    first = signers[0]
    actor = Record("actor", recorded({"kind": first.entry.kind, "name": first.entry.name, "person_id": first.entry.person_id or None,
                                      "role": first.entry.roles[0] if first.entry.roles else None}), origin)  # fmt: skip
    common = {
        "predicate_type": predicate_type, "signer_identity": first.identity or first.entry.name, "signer_issuer": first.issuer or None,
        "logged_at": signed_at, "time": facts.time or signed_at, "signer": actor,
    }  # fmt: skip
    rows = [recorded({**facts.fields, **common, "subject_digests": digests}) for digests in subjects]
    attested = _without(rows, "attestation")
    roots: dict[str, Record | Collection] = {
        "attestations": Collection(tuple(Record("attestation", row, origin) for row in attested), origin=origin)
    }
    if facts.root is not None:
        roots[facts.root] = Collection(tuple(record(facts.root, row, origin) for row in rows), origin=origin)
    return roots, len(subjects)


def _without(rows: list[dict[str, Any]], type_name: str) -> list[dict[str, Any]]:
    """Rows with only the fields that the type has."""
    from policyengine.core.vocabulary import vocabulary

    known = vocabulary().types[type_name].fields
    return [{key: value for key, value in row.items() if key in known} for row in rows]


def _subjects(listed: object) -> list[tuple[str, ...]]:
    """The digests of each subject. None, or one without a strong digest, makes the statement useless.

    Weak ones stay beside the strong ones: they match nothing, and where they contradict an artifact it is another one.
    """
    if not isinstance(listed, list) or not listed:
        raise NotEvidence("the statement has no subject")
    found: list[tuple[str, ...]] = []
    for subject in listed:
        digests = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digests, dict) or not digests:
            raise NotEvidence("a subject of the statement has no digest")
        read: dict[str, str] = {}
        for algorithm, content in digests.items():
            if not isinstance(content, str):
                raise NotEvidence(f"the {algorithm} digest of a subject is not text")
            try:
                each = digest(f"{algorithm}:{content}")
            except Mismatch as problem:
                raise NotEvidence(f"a subject: {problem.message}") from None
            if read.setdefault(each.partition(":")[0], each) != each:
                raise NotEvidence(f"a subject has two {algorithm} digests that contradict each other")
        if not read.keys() & STRONG_DIGESTS.keys():
            raise NotEvidence(f"a subject has no strong digest, only {', '.join(sorted(read))}")
        found.append(tuple(sorted(read.values())))
    return found
