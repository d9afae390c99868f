"""DSSE envelopes (secure-systems-lab/dsse v1): strict parsing, signing, and which trusted keys signed.

Every trusted key is tried on every signature; ``keyid`` is only a hint. The payload is handed out by :mod:`verify` alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from policyengine.core.canonical import canonical_json
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.strict_json import load_json
from policyengine.signing.keys import key_id_of, load_private, load_public, signature_holds

IN_TOTO = "application/vnd.in-toto+json"
MAX_SIGNATURES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_BASE64_URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as it was read. ``payload`` must not be parsed before a signature over it was verified."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed_bytes(self) -> bytes:
        return pae(self.payload_type, self.payload)


class NotAnEnvelope(ValueError):
    """Why something is not a DSSE envelope; one phrase."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: lengths in bytes, body as it is."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_from(data: object) -> Envelope:
    """An envelope from parsed JSON. Raises :class:`NotAnEnvelope`."""
    if not isinstance(data, dict):
        raise NotAnEnvelope("it is not a JSON object")
    kind, payload, listed = data.get("payloadType"), data.get("payload"), data.get("signatures")
    if not isinstance(kind, str) or not kind:
        raise NotAnEnvelope("`payloadType` is missing")
    if not isinstance(payload, str):
        raise NotAnEnvelope("`payload` is missing")
    if not isinstance(listed, list) or not listed:
        raise NotAnEnvelope("it has no signatures")
    if len(listed) > MAX_SIGNATURES:
        raise NotAnEnvelope(f"it has {len(listed)} signatures; the limit `envelope signatures` is {MAX_SIGNATURES}")
    signatures = []
    for each in listed:
        signature = each.get("sig") if isinstance(each, dict) else None
        if not isinstance(signature, str) or not signature:
            raise NotAnEnvelope("a signature is empty")
        signatures.append(decoded(signature))
    return Envelope(kind, decoded(payload), tuple(signatures))


def parse_envelope(raw: bytes, name: str) -> Envelope:
    """An envelope from bytes. Raises :class:`Refusal` PE603 where it is none, or what the JSON reader says."""
    try:
        return envelope_from(load_json(raw, name))
    except NotAnEnvelope as problem:
        raise Refusal(Diagnostic("PE603", f"not a DSSE envelope: {problem}", file=name)) from None


def decoded(text: str) -> bytes:
    """Standard or URL-safe base64, with or without padding; nothing else. Raises :class:`NotAnEnvelope`."""
    if _BASE64.fullmatch(text) or _BASE64_URL.fullmatch(text):
        bare = text.rstrip("=").replace("-", "+").replace("_", "/")
        padding = "=" * (-len(bare) % 4)
        try:
            content = base64.b64decode(bare + padding, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        # One value has one spelling: no stray bits in its last letter, and its padding whole or not there.
        if base64.b64encode(content).decode() == bare + padding and text[len(bare) :] in ("", padding):
            return content
    raise NotAnEnvelope("a value is not base64")


def sign(payload: bytes, payload_type: str, private_pem: bytes, name: str, password: bytes | None = None) -> bytes:
    """Envelope bytes (RFC 8785 JSON) with one signature over the payload. ``name`` is the key file's, for messages."""
    from securesystemslib.dsse import Envelope as Unsigned
    from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

    private: Any = load_private(private_pem, name, password)
    public = SSlibKey.from_crypto(private.public_key(), keyid=key_id_of(private.public_key()))
    envelope = Unsigned(payload, payload_type, {})
    envelope.sign(CryptoSigner(private, public))
    return canonical_json(envelope.to_dict()) + b"\n"


def countersign(raw: bytes, private_pem: bytes, name: str, password: bytes | None = None) -> bytes:
    """The envelope with one more signature, for what several people must sign; payload and earlier signatures stay as they are."""
    earlier = parse_envelope(raw, name)
    one = load_json(sign(earlier.payload, earlier.payload_type, private_pem, name, password), name)
    given = load_json(raw, name)
    if not isinstance(given, dict) or not isinstance(one, dict):
        raise NotAnEnvelope("it is not a JSON object")
    return canonical_json({**given, "signatures": [*given["signatures"], *one["signatures"]]}) + b"\n"


def keys_that_signed(envelope: Envelope, public_pems: Iterable[bytes]) -> tuple[str, ...]:
    """The ids of those keys that made a good signature, each key once however often it is listed or signed."""
    found: dict[str, None] = {}
    for pem in public_pems:
        public = load_public(pem, "trusted key")
        if any(signature_holds(public, signature, envelope.signed_bytes) for signature in envelope.signatures):
            found[key_id_of(public)] = None
    return tuple(found)
