"""Who signed an envelope or a Sigstore bundle, or why that cannot be said. Three answers: valid, invalid, unknown.

Valid means: a good signature by a signer that the trust file names, valid at the time of signing. Whether that signer may
sign *this kind* of statement, and whether enough distinct ones did, is asked by :func:`enough_signers` once the kind is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from policyengine.signing.envelope import Envelope, NotAnEnvelope, envelope_from, keys_that_signed
from policyengine.signing.trust import Trust, TrustedSigner

MEDIA_TYPES = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3",
}


class State(StrEnum):
    """``unknown`` is for what may be right and cannot be judged here; it is not evidence, and not called tampered."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed: the trust file's entry, what identified it, and when (None where no time is proved)."""

    entry: TrustedSigner
    identified_by: str
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """``payload`` is given only where ``state`` is valid. ``claimed`` names who signed even where that signer is not trusted."""

    state: State
    reason: str = ""
    signers: tuple[Signer, ...] = ()
    payload_type: str = ""
    payload: bytes | None = None
    claimed: str = ""
    subject_digest: str = ""


def verify_dsse(envelope: Envelope, trust: Trust | None, at: datetime) -> Verification:
    """Verify an envelope against the trusted keys. Without a proved time of signing, a key's validity is asked at ``at``."""
    if trust is None or not trust.keys:
        return Verification(State.UNKNOWN, "no trusted key was given to verify it with", payload_type=envelope.payload_type)
    entries = {signer.key_id: signer for signer in trust.keys}
    good = keys_that_signed(envelope, (s.public_pem for s in trust.keys if s.public_pem is not None))
    signers = tuple(Signer(entries[key_id], f"key {key_id[:16]}") for key_id in good)
    if not signers:
        return Verification(State.INVALID, "no signature by a trusted key", payload_type=envelope.payload_type)
    in_time = tuple(signer for signer in signers if signer.entry.valid_at(at))
    if not in_time:
        return Verification(
            State.INVALID, f"{signers[0].entry.name} was not valid at {at.isoformat()}", payload_type=envelope.payload_type
        )
    return Verification(State.VALID, "", in_time, envelope.payload_type, envelope.payload)


def enough_signers(verification: Verification, predicate_type: str, trust: Trust) -> tuple[tuple[Signer, ...], str]:
    """The signers that may sign this predicate type, and why they are not enough ("" where they are).

    Distinct ones are counted: two keys of one person are one.
    """
    allowed = tuple(signer for signer in verification.signers if signer.entry.may_sign(predicate_type))
    distinct = {
        signer.entry.person_id or signer.entry.key_id or f"{signer.entry.issuer} {signer.identified_by}" for signer in allowed
    }
    needed = trust.threshold(predicate_type)
    if not allowed:
        names = ", ".join(signer.entry.name for signer in verification.signers)
        return (), f"{names} may not sign {predicate_type}"
    if len(distinct) < needed:
        return allowed, f"{len(distinct)} of {needed} signers that {predicate_type} needs"
    return allowed, ""


def verify_bundle(bundle: Mapping[str, Any], raw: bytes, trust: Trust | None, at: datetime) -> Verification:
    """Verify a Sigstore bundle offline against the pinned trusted root of the trust file.

    Whatever a verifier raises, the bundle is not evidence.
    """
    media_type = bundle.get("mediaType")
    if media_type not in MEDIA_TYPES:
        return Verification(State.INVALID, f"the bundle version `{media_type}` is not known")
    material = bundle.get("verificationMaterial")
    if not isinstance(material, Mapping):
        return Verification(State.INVALID, "the bundle has no verification material")
    if "publicKey" in material:
        return _managed_key(bundle, trust, at)
    if trust is None or trust.sigstore_root is None:
        return Verification(State.UNKNOWN, "no Sigstore trusted root was given to verify it with", claimed=_identity_in(raw))
    return _sigstore(raw, trust, at, trust.sigstore_root)


def _managed_key(bundle: Mapping[str, Any], trust: Trust | None, at: datetime) -> Verification:
    if "dsseEnvelope" not in bundle:
        return Verification(State.UNKNOWN, "a message signature with a managed key is not judged here")
    try:
        return verify_dsse(envelope_from(bundle["dsseEnvelope"]), trust, at)
    except NotAnEnvelope as problem:
        return Verification(State.INVALID, str(problem))


def _sigstore(raw: bytes, trust: Trust, at: datetime, root: bytes) -> Verification:
    import logging

    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier, policy
    from sigstore_models.trustroot.v1 import TrustedRoot as RootDocument

    logging.getLogger("sigstore").setLevel(logging.ERROR)
    try:
        bundle = Bundle.from_json(raw)
    except Exception as problem:
        return _could_not(problem, _identity_in(raw))
    identity = issuer = ""
    try:
        identity, issuer = _who(bundle.signing_certificate)
        verifier = Verifier(trusted_root=TrustedRoot(RootDocument.from_json(root)))
        exact = policy.Identity(identity=identity, issuer=issuer)
        document = bundle._inner
        if document.dsse_envelope is not None:
            payload_type, payload = verifier.verify_dsse(bundle, exact)
            digest = ""
        else:
            payload_type, payload, digest = "", b"", _verified_message(verifier, bundle, exact)
    except Exception as problem:
        return _could_not(problem, f"{identity} ({issuer})" if identity else "")
    claimed = f"{identity} ({issuer})"
    signed_at = _signed_at(bundle)
    entry = next((s for s in trust.signers if s.has_identity(identity, issuer)), None)
    if entry is None:
        return Verification(
            State.INVALID, f"good signature by {claimed}, who is not trusted here", claimed=claimed, subject_digest=digest
        )
    if not entry.valid_at(signed_at or at):
        return Verification(State.INVALID, f"{entry.name} was not valid when it signed", claimed=claimed)
    return Verification(State.VALID, "", (Signer(entry, claimed, signed_at),), payload_type, payload, claimed, digest)


def _verified_message(verifier: Any, bundle: Any, exact: Any) -> str:
    """Verify a message signature over the digest that the bundle states; gives that digest."""
    import base64

    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    stated = bundle._inner.message_signature.message_digest
    digest = stated.digest if isinstance(stated.digest, bytes) else str(stated.digest).encode()
    if len(digest) != 32:
        digest = base64.b64decode(digest)
    verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest), bundle, exact)
    return "sha256:" + digest.hex()


def _could_not(problem: Exception, claimed: str) -> Verification:
    """Valid bundles that this version of the library cannot judge are unknown; all else is invalid."""
    words = str(problem).split("\n")[0][:200] or type(problem).__name__
    for sign in ("only supported for dsse/hashedrekord", "must contain inclusion proof", "failed to load bundle"):
        if sign in words.lower():
            return Verification(State.UNKNOWN, f"cannot be judged here: {words}", claimed=claimed)
    return Verification(State.INVALID, words[:1].lower() + words[1:], claimed=claimed)


def _signed_at(bundle: Any) -> datetime | None:
    from datetime import UTC

    try:
        stamp = bundle.log_entry._inner.integrated_time
    except AttributeError:
        return None
    return datetime.fromtimestamp(int(stamp), UTC) if stamp else None


def _who(certificate: Any) -> tuple[str, str]:
    """The one subject alternative name and the issuer of a Fulcio certificate. Raises ``ValueError`` where there is not one."""
    from cryptography import x509

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = [*names.get_values_for_type(x509.UniformResourceIdentifier), *names.get_values_for_type(x509.RFC822Name)]
    if len(found) != 1 or len(list(names)) != 1:
        raise ValueError("the certificate has not exactly one identity")
    extensions = {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    if raw := extensions.get("1.3.6.1.4.1.57264.1.8"):
        if raw[:1] != b"\x0c" or raw[1] != len(raw) - 2:
            raise ValueError("the issuer of the certificate cannot be read")
        return found[0], raw[2:].decode("utf-8")
    if raw := extensions.get("1.3.6.1.4.1.57264.1.1"):
        return found[0], raw.decode("utf-8")
    raise ValueError("the certificate names no issuer")


def _identity_in(raw: bytes) -> str:
    """Who a bundle says signed it, for the list of what was not verified; it proves nothing."""
    import base64
    import json

    try:
        material = json.loads(raw)["verificationMaterial"]
        chain = material.get("certificate") or material["x509CertificateChain"]["certificates"][0]
        from cryptography import x509

        return "{} ({})".format(*_who(x509.load_der_x509_certificate(base64.b64decode(chain["rawBytes"]))))
    except Exception:
        return ""
