"""Key pairs and key ids. A key id is the SHA-256 of the public key's SPKI DER in hex; it names a key, it proves nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal

ALGORITHMS = ("ecdsa-p256", "ed25519")
CURVES = ("secp256r1", "secp384r1", "secp521r1")
MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class KeyPair:
    private_pem: bytes
    public_pem: bytes
    key_id: str


def new_key(algorithm: str = "ecdsa-p256", password: bytes | None = None) -> KeyPair:
    """A fresh key pair: PKCS#8 PEM (encrypted where a password is given) and SubjectPublicKeyInfo PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if algorithm not in ALGORITHMS:
        raise Refusal(
            Diagnostic("PE601", f"there is no key algorithm `{algorithm}`", hint=f"algorithms: {', '.join(ALGORITHMS)}")
        )
    private: Any = (
        ec.generate_private_key(ec.SECP256R1()) if algorithm == "ecdsa-p256" else ed25519.Ed25519PrivateKey.generate()
    )
    protection: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    return KeyPair(pem, public_pem_of(private.public_key()), key_id_of(private.public_key()))


def public_pem_of(public: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def key_id_of(public: Any) -> str:
    """64 hex digits."""
    from cryptography.hazmat.primitives import serialization

    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def load_private(pem: bytes, name: str, password: bytes | None = None) -> Any:
    """A private key object of a kind that can verify here. Raises :class:`Refusal` PE602: no key, or the password does not fit."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(pem, password)
        return _usable(private.public_key(), name) and private
    except TypeError:
        hint = "set POLICYENGINE_KEY_PASSWORD" if password is None else "unset POLICYENGINE_KEY_PASSWORD"
        found = "the key is encrypted and no password is given" if password is None else "the key is not encrypted"
        raise Refusal(Diagnostic("PE602", found, file=name, hint=hint)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(Diagnostic("PE602", "not a private key in PEM, or the password is wrong", file=name,
                                 hint="make one with `policyengine keys new`")) from None  # fmt: skip


def load_public(pem: bytes, name: str) -> Any:
    """The public key in PEM, of a kind that can verify here: ECDSA P-256 to P-521, Ed25519, RSA of 2048 bits or more.

    Raises :class:`Refusal` PE602. A file with several keys is refused too: all but the first would be ignored quietly.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    if pem.count(b"-----BEGIN ") > 1:
        raise Refusal(Diagnostic("PE602", "more than one key in a file", file=name, hint="give each key its own file"))
    try:
        return _usable(serialization.load_pem_public_key(pem), name)
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(
            Diagnostic("PE602", "not a public key in PEM", file=name, hint="export it as SubjectPublicKeyInfo PEM")
        ) from None


def _usable(public: Any, name: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(public, rsa.RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        message = f"an RSA key of {public.key_size} bits is too short"
        raise Refusal(Diagnostic("PE602", message, file=name, hint=f"{MIN_RSA_BITS} bits or more"))
    known = isinstance(public, ed25519.Ed25519PublicKey | rsa.RSAPublicKey)
    if not known and not (isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in CURVES):
        raise Refusal(
            Diagnostic(
                "PE602", "this kind of key is not used here", file=name, hint="ECDSA P-256, P-384 or P-521, Ed25519, or RSA"
            )
        )
    return public


def is_ed25519(public: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return isinstance(public, ed25519.Ed25519PublicKey)


def signature_holds(public: Any, signature: bytes, data: bytes) -> bool:
    """Whether a signature over data holds for a key: ECDSA (DER, or raw r||s), Ed25519, RSA-PSS or PKCS#1 v1.5, SHA-2.

    Whatever the library raises, the signature does not hold.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    if is_ed25519(public):
        return _holds([lambda: public.verify(signature, data)])
    kinds: list[Any] = [hashes.SHA256()]
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.key_size > 256:
        # Sigstore signs with SHA-256 on the larger curves too.
        kinds.append(hashes.SHA384() if public.curve.key_size == 384 else hashes.SHA512())
    return any(_holds(_attempts(public, signature, data, kind)) for kind in kinds)


def signature_over_sha256_holds(public: Any, signature: bytes, digest: bytes) -> bool:
    """The same for a file of which only the SHA-256 (32 bytes) is known. Ed25519 signs the file itself: never."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    return len(digest) == hashes.SHA256.digest_size and _holds(_attempts(public, signature, digest, Prehashed(hashes.SHA256())))


def _attempts(public: Any, signature: bytes, data: bytes, algorithm: Any) -> list[Callable[[], None]]:
    """The ways in which an ECDSA or RSA signature may be encoded."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    if isinstance(public, rsa.RSAPublicKey):
        schemes = (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), padding.PKCS1v15())
        return [partial(public.verify, signature, data, scheme, algorithm) for scheme in schemes]
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return []
    encodings = [signature]
    size = (public.curve.key_size + 7) // 8
    if len(signature) == 2 * size:
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        encodings.append(utils.encode_dss_signature(r, s))
    return [partial(public.verify, each, data, ec.ECDSA(algorithm)) for each in encodings]


def _holds(attempts: Iterable[Callable[[], None]]) -> bool:
    for attempt in attempts:
        try:
            attempt()
        except Exception:  # noqa: S112
            continue
        return True
    return False
