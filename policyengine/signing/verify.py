"""Who signed an envelope or a Sigstore bundle, or why that cannot be said. Three answers: valid, invalid, unknown.

Valid means: a good signature by a signer that the trust file names, valid at the time of signing. Whether that signer may
sign *this kind* of statement, and whether enough distinct ones did, is asked by :func:`enough_signers` once the kind is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from policyengine.signing.certificate import claimed_identity, identity_of, leaf_of, time_of_signing
from policyengine.signing.envelope import Envelope, NotAnEnvelope, decoded, envelope_from, keys_that_signed
from policyengine.signing.keys import is_ed25519, load_public, signature_holds, signature_over_sha256_holds
from policyengine.signing.trust import Trust, TrustedSigner

MEDIA_TYPES = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3",
}
# What sigstore-python can judge: Rekor v1 and v2 entries. Others may be right and are left open.
LOG_ENTRIES = (("dsse", "0.0.1"), ("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2"))
SHA256_BYTES = 32
SIGNER_KEYS = frozenset({"publicKey", "certificate", "x509CertificateChain"})
LONGEST_REASON = 200


class State(StrEnum):
    """``unknown`` is for what may be right and cannot be judged here; it is not evidence, and not called tampered."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed: the trust file's entry, what identified it, when (None where no time is proved) and by whose word.

    ``identity`` and ``issuer`` are those of the certificate; both are "" for a key.
    """

    entry: TrustedSigner
    identified_by: str
    signed_at: datetime | None = None
    time_source: str = ""
    identity: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """``payload`` is given only where ``state`` is valid. ``claimed`` names who signed even where that signer is not trusted.

    ``code`` is one word for machines: no-trust, malformed, bad-signature, untrusted-signer, not-in-force, no-log-proof,
    unknown-version, unsupported, other-artifact, refused. ``subject_digest`` is the file that a message signature covers.
    """

    state: State
    reason: str = ""
    signers: tuple[Signer, ...] = ()
    payload_type: str = ""
    payload: bytes | None = None
    claimed: str = ""
    subject_digest: str = ""
    code: str = ""


def verify_dsse(envelope: Envelope, trust: Trust | None, at: datetime) -> Verification:
    """Verify an envelope against the trusted keys. An envelope proves no time of signing: a key's validity is asked at ``at``."""
    kind = envelope.payload_type
    if trust is None or not trust.keys:
        return Verification(State.UNKNOWN, "no trusted key was given to verify it with", payload_type=kind, code="no-trust")
    entries = {signer.key_id: signer for signer in trust.keys}
    good = keys_that_signed(envelope, (s.public_pem for s in trust.keys if s.public_pem is not None))
    signers = tuple(Signer(entries[key_id], f"key {key_id[:16]}") for key_id in good)
    if not signers:
        tried = f"signatures: {len(envelope.signatures)}, keys tried: {len(entries)}"
        return Verification(State.INVALID, f"no signature by a trusted key ({tried})", payload_type=kind, code="bad-signature")
    in_time = tuple(signer for signer in signers if signer.entry.valid_at(at))
    claimed = ", ".join(signer.identified_by for signer in signers)
    if not in_time:
        return Verification(State.INVALID, _out_of_force(signers[0].entry, at), (), kind, None, claimed, code="not-in-force")
    return Verification(State.VALID, "", in_time, kind, envelope.payload, claimed)


def _out_of_force(entry: TrustedSigner, moment: datetime) -> str:
    return f"{entry.name} is not valid at {moment.isoformat().replace('+00:00', 'Z')}"


def enough_signers(verification: Verification, predicate_type: str, trust: Trust) -> tuple[tuple[Signer, ...], str]:
    """The signers that may sign this predicate type, and why they are not enough ("" where they are).

    Distinct ones are counted: two keys of one person are one.
    """
    allowed = tuple(signer for signer in verification.signers if signer.entry.may_sign(predicate_type))
    distinct = {signer.entry.owner for signer in allowed}
    needed = trust.threshold(predicate_type)
    if not allowed:
        names = ", ".join(signer.entry.name for signer in verification.signers) or "nobody"
        return (), f"{names} may not sign {predicate_type}"
    if len(distinct) < needed:
        return allowed, f"{len(distinct)} of {needed} signers that {predicate_type} needs"
    return allowed, ""


def verify_bundle(bundle: Mapping[str, Any], raw: bytes, trust: Trust | None, at: datetime,
                  artifacts: Iterable[str] | None = None) -> Verification:  # fmt: skip
    """Verify a Sigstore bundle offline against the pinned trusted root of the trust file.

    ``raw`` are the bytes that ``bundle`` was parsed from, strictly. ``artifacts`` are the digests (``sha256:..``) that a
    message signature may cover; None leaves that to the caller, who finds the digest in ``subject_digest``.
    Whatever a verifier raises, the bundle is not evidence.
    """
    material = bundle.get("verificationMaterial")
    version = version_of(bundle)
    if version is None:
        reason = f"the bundle version `{str(bundle.get('mediaType'))[:LONGEST_REASON]}` is not known here"
        return Verification(State.INVALID, reason, claimed=claimed_identity(material), code="unknown-version")
    if not isinstance(material, Mapping):
        return Verification(State.INVALID, "the bundle has no verification material", code="malformed")
    if ("dsseEnvelope" in bundle) == ("messageSignature" in bundle):
        return Verification(State.INVALID, "the bundle holds not exactly one signed thing", code="malformed")
    envelope = None
    if "dsseEnvelope" in bundle:
        try:
            envelope = envelope_from(bundle["dsseEnvelope"])
        except NotAnEnvelope as problem:
            return Verification(State.INVALID, f"its envelope: {problem}", code="malformed")
    if len(material.keys() & SIGNER_KEYS) != 1:
        return Verification(State.INVALID, "the bundle names not exactly one key or certificate", code="malformed")
    if "publicKey" in material:
        found = _managed_key(envelope, bundle.get("messageSignature"), trust, at)
    else:
        found = _with_certificate(raw, material, envelope, version, trust, at)
    covered = found.subject_digest
    if found.state is State.VALID and covered and artifacts is not None and covered not in set(artifacts):
        reason = f"it is a signature over another file, {covered}"
        return Verification(State.INVALID, reason, claimed=found.claimed, subject_digest=covered, code="other-artifact")
    return found


def version_of(bundle: Mapping[str, Any]) -> str | None:
    """``0.1``, ``0.2`` or ``0.3``; None for anything else."""
    media_type = bundle.get("mediaType")
    return MEDIA_TYPES.get(media_type) if isinstance(media_type, str) else None


def _with_certificate(raw: bytes, material: Mapping[str, Any], envelope: Envelope | None, version: str, trust: Trust | None,
                      at: datetime) -> Verification:  # fmt: skip
    try:
        if early := _seen_without_library(material, envelope, version):
            return early
        if trust is None or trust.sigstore_root is None:
            reason = "no Sigstore trusted root was given to verify it with"
            return Verification(State.UNKNOWN, reason, claimed=claimed_identity(material), code="no-trust")
        return _sigstore(raw, material, envelope, trust, at)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as problem:  # a panic in a compiled library is no Exception
        return _refused(problem, material)


def _managed_key(envelope: Envelope | None, message: object, trust: Trust | None, at: datetime) -> Verification:
    """A bundle that a listed key signed. Its ``hint`` is only a hint, as is its log entry: all listed keys are tried."""
    if envelope is not None:
        return verify_dsse(envelope, trust, at)
    if trust is None or not trust.keys:
        return Verification(State.UNKNOWN, "no trusted key was given to verify it with", code="no-trust")
    try:
        signature, digest = _message(message)
    except NotAnEnvelope as problem:
        return Verification(State.INVALID, str(problem), code="malformed")
    covered = "sha256:" + digest.hex()
    good = [entry for entry in trust.keys if signature_over_sha256_holds(_public(entry), signature, digest)]
    if not good:
        if any(is_ed25519(_public(entry)) for entry in trust.keys):
            reason = "an Ed25519 key signs the file itself, and the bundle holds only its digest"
            return Verification(State.UNKNOWN, reason, subject_digest=covered, code="unsupported")
        reason = f"no signature by a trusted key ({len(trust.keys)} keys tried)"
        return Verification(State.INVALID, reason, subject_digest=covered, code="bad-signature")
    in_time = [entry for entry in good if entry.valid_at(at)]
    if not in_time:
        return Verification(State.INVALID, _out_of_force(good[0], at), subject_digest=covered, code="not-in-force")
    signers = tuple(Signer(entry, f"key {entry.key_id[:16]}") for entry in in_time)
    return Verification(State.VALID, "", signers, "", b"", ", ".join(s.identified_by for s in signers), covered)


def _public(entry: TrustedSigner) -> Any:
    return load_public(entry.public_pem or b"", entry.name)


def _message(message: object) -> tuple[bytes, bytes]:
    """Signature and SHA-256 of a message signature. Raises :class:`NotAnEnvelope`."""
    stated = message.get("messageDigest") if isinstance(message, Mapping) else None
    if not isinstance(message, Mapping) or not isinstance(stated, Mapping):
        raise NotAnEnvelope("the message signature states no digest")
    if stated.get("algorithm") != "SHA2_256":
        raise NotAnEnvelope("the message signature states no SHA-256 digest")
    signature, digest = (part if isinstance(part, str) else "" for part in (message.get("signature"), stated.get("digest")))
    found = decoded(signature), decoded(digest)
    if not found[0] or len(found[1]) != SHA256_BYTES:
        raise NotAnEnvelope("the message signature or its digest is cut short")
    return found


def _seen_without_library(material: Mapping[str, Any], envelope: Envelope | None, version: str) -> Verification | None:
    """What can be told before the library is asked: a signature that the certificate's own key refuses is tampered with,
    and a log entry of a kind that the library cannot judge leaves the rest open."""
    certificate = leaf_of(material)
    if envelope is not None:
        key = certificate.public_key()
        if not all(signature_holds(key, signature, envelope.signed_bytes) for signature in envelope.signatures):
            reason = "the signature does not fit its content"
            return Verification(State.INVALID, reason, claimed=claimed_identity(material), code="bad-signature")
    entries = material.get("tlogEntries")
    if not entries:
        reason = "the bundle has no log entry: nothing proves when it was signed"
        return Verification(State.INVALID, reason, claimed=claimed_identity(material), code="no-log-proof")
    for entry in entries:
        kind = entry.get("kindVersion") or {}
        if (kind.get("kind"), kind.get("version")) not in LOG_ENTRIES:
            return _left_open(f"log entries of kind `{kind.get('kind')} {kind.get('version')}` are not judged here", material)
        proof = entry.get("inclusionProof")
        if not proof or (version == "0.1" and not proof.get("checkpoint")):
            return _left_open("its log entry has no complete inclusion proof, only a promise", material)
    return None


def _sigstore(raw: bytes, material: Mapping[str, Any], envelope: Envelope | None, trust: Trust, at: datetime) -> Verification:
    from sigstore.models import Bundle
    from sigstore.verify import policy

    verifier = _verifier(trust.sigstore_root or b"")
    bundle = Bundle.from_json(raw)
    identity, issuer = identity_of(bundle.signing_certificate)
    # The library checks the very identity that we read and compare below; no pattern and no "any" of its own is used.
    exact = policy.Identity(identity=identity, issuer=issuer)
    kind, payload, covered = "", b"", ""
    if envelope is not None:
        kind, payload = verifier.verify_dsse(bundle, exact)
        if (kind, payload) != (envelope.payload_type, envelope.payload):
            return Verification(State.INVALID, "two readers see two payloads", code="malformed")
    else:
        covered = _verified_message(verifier, bundle, exact)
    claimed = f"{identity} ({issuer})"
    signed_at, source = time_of_signing(material)
    entry, problem = _entry(trust, identity, issuer)
    if entry is None:
        reason = f"good signature by {claimed}, {problem}"
        return Verification(State.INVALID, reason, claimed=claimed, subject_digest=covered, code="untrusted-signer")
    if not entry.valid_at(signed_at or at):
        return Verification(State.INVALID, _out_of_force(entry, signed_at or at), claimed=claimed, code="not-in-force")
    if signed_at is not None and signed_at > at:
        reason = f"it was signed at {signed_at.isoformat()}, after the evaluation"
        return Verification(State.INVALID, reason, claimed=claimed, code="not-in-force")
    signer = Signer(entry, claimed, signed_at, source, identity, issuer)
    return Verification(State.VALID, "", (signer,), kind, payload, claimed, covered)


@lru_cache(maxsize=4)
def _verifier(root: bytes) -> Any:
    import logging

    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from sigstore_models.trustroot.v1 import TrustedRoot as RootDocument

    logging.getLogger("sigstore").setLevel(logging.ERROR)
    return Verifier(trusted_root=TrustedRoot(RootDocument.from_json(root)))


def _entry(trust: Trust, identity: str, issuer: str) -> tuple[TrustedSigner | None, str]:
    """The one entry of the trust file for an identity: the exact one, or the only pattern that fits."""
    fitting = [signer for signer in trust.signers if signer.has_identity(identity, issuer)]
    exact = [signer for signer in fitting if signer.identity]
    if exact or len(fitting) == 1:
        return (exact or fitting)[0], ""
    if fitting:
        return None, f"who fits several patterns of the trust file ({', '.join(s.name for s in fitting)})"
    return None, "who is not trusted here"


def _verified_message(verifier: Any, bundle: Any, exact: Any) -> str:
    """Verify a message signature over the digest that the bundle states; gives that digest."""
    import base64

    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    stated = bundle._inner.message_signature.message_digest
    if stated is None or stated.algorithm != HashAlgorithm.SHA2_256:
        raise ValueError("the message signature states no SHA-256 digest")
    digest = stated.digest if isinstance(stated.digest, bytes) else str(stated.digest).encode()
    if len(digest) != 32:
        digest = base64.b64decode(digest, validate=True)
    verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest), bundle, exact)
    return "sha256:" + digest.hex()


def _left_open(reason: str, material: object) -> Verification:
    return Verification(State.UNKNOWN, reason, claimed=claimed_identity(material), code="unsupported")


def _refused(problem: BaseException, material: Mapping[str, Any]) -> Verification:
    """The library's own words where it means them for people; the kind of exception is of no use to anyone."""
    told = type(problem).__module__.startswith("sigstore") or isinstance(problem, ValueError)
    plain = re.sub(r" \(encountered processing.*|[()'\"<>]", "", " ".join(str(problem).split()))
    words = plain[:LONGEST_REASON] if told else ""
    reason = f"the bundle is refused: {words}" if words else "the bundle is refused: it is damaged or not of its own format"
    return Verification(State.INVALID, reason, claimed=claimed_identity(material), code="refused")
