"""Who a Sigstore certificate names, and when a bundle was signed: read by us, so that nothing is matched by a library's pattern.

Extensions: Fulcio's OID table (1.3.6.1.4.1.57264.1.8 issuer as DER UTF8String, .1.1 the same as raw bytes in old certificates).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ISSUER, OLD_ISSUER = "1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"
_UTF8_STRING = 0x0C


class NoIdentity(ValueError):
    """Why a certificate names nobody in particular; one phrase."""


def leaf_of(material: Mapping[str, Any]) -> Any:
    """The signing certificate of a bundle's verification material. Raises for anything that is not there or not DER."""
    from cryptography import x509

    single = material.get("certificate")
    holder = single if single is not None else material["x509CertificateChain"]["certificates"][0]
    return x509.load_der_x509_certificate(base64.b64decode(holder["rawBytes"], validate=True))


def identity_of(certificate: Any) -> tuple[str, str]:
    """The one subject alternative name (URI or e-mail) and the issuer. Raises :class:`NoIdentity`."""
    from cryptography import x509

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = [*names.get_values_for_type(x509.UniformResourceIdentifier), *names.get_values_for_type(x509.RFC822Name)]
    if len(found) != 1 or len(list(names)) != 1:
        raise NoIdentity(f"the certificate has {len(list(names))} subject names, not one URI or e-mail address")
    extensions = {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    if raw := extensions.get(ISSUER):
        if len(raw) < 2 or raw[0] != _UTF8_STRING or raw[1] != len(raw) - 2 or raw[1] > 127:
            raise NoIdentity("the issuer in the certificate cannot be read")
        return found[0], raw[2:].decode("utf-8")
    if raw := extensions.get(OLD_ISSUER):
        return found[0], raw.decode("utf-8")
    raise NoIdentity("the certificate names no issuer")


def claimed_identity(material: object) -> str:
    """Who a bundle says signed it, for the list of what was not verified: it proves nothing, and "" where it cannot be read."""
    try:
        return "{} ({})".format(*identity_of(leaf_of(material)))  # type: ignore[arg-type]
    except Exception:
        return ""


def time_of_signing(material: Mapping[str, Any]) -> tuple[datetime | None, str]:
    """When a verified bundle was signed, and by whose word: ``log`` (covered by the log's promise) or ``tsa``; else None.

    Of several timestamps the library does not say which ones hold, so none is taken.
    """
    entries: Sequence[Mapping[str, Any]] = material.get("tlogEntries") or ()
    if len(entries) == 1 and entries[0].get("inclusionPromise") and (stamp := int(entries[0].get("integratedTime") or 0)):
        return datetime.fromtimestamp(stamp, UTC), "log"
    stamps: Sequence[Mapping[str, Any]] = (material.get("timestampVerificationData") or {}).get("rfc3161Timestamps") or ()
    if len(stamps) != 1:
        return None, ""
    from rfc3161_client import decode_timestamp_response

    response = decode_timestamp_response(base64.b64decode(stamps[0]["signedTimestamp"], validate=True))
    return response.tst_info.gen_time.astimezone(UTC), "tsa"
