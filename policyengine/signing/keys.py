"""Key pairs and key ids. A key id is the SHA-256 of the public key's SPKI DER in hex; it names a key, it proves nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal

ALGORITHMS = ("ecdsa-p256", "ed25519")


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
    """A private key object. Raises :class:`Refusal` PE602 where it is no key, needs a password, or the password is wrong."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        return serialization.load_pem_private_key(pem, password)
    except TypeError:
        hint = "set POLICYENGINE_KEY_PASSWORD" if password is None else "unset POLICYENGINE_KEY_PASSWORD"
        found = "the key is encrypted and no password is given" if password is None else "the key is not encrypted"
        raise Refusal(Diagnostic("PE602", found, file=name, hint=hint)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(Diagnostic("PE602", "not a private key in PEM, or the password is wrong", file=name,
                                 hint="make one with `policyengine keys new`")) from None  # fmt: skip


def load_public(pem: bytes, name: str) -> Any:
    """A public key object from PEM, of a kind that can verify here (ECDSA, Ed25519, RSA of 2048 bits or more)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(
            Diagnostic("PE602", "not a public key in PEM", file=name, hint="export it as SubjectPublicKeyInfo PEM")
        ) from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        raise Refusal(
            Diagnostic("PE602", f"an RSA key of {key.key_size} bits is too short", file=name, hint="2048 bits or more")
        )
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise Refusal(Diagnostic("PE602", "this kind of key is not verified here", file=name, hint="ECDSA, Ed25519 or RSA"))
    return key


def signature_holds(public: Any, signature: bytes, data: bytes) -> bool:
    """Whether a signature over data holds for a key: ECDSA (DER, or raw r||s), Ed25519, RSA-PSS or PKCS#1 v1.5, SHA-2."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    attempts: list[Any] = []
    if isinstance(public, ed25519.Ed25519PublicKey):
        attempts.append(lambda: public.verify(signature, data))
    elif isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        attempts += [lambda: public.verify(signature, data, pss, hashes.SHA256()),
                     lambda: public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())]  # fmt: skip
    elif isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.curve.key_size + 7) // 8
        algorithm = ec.ECDSA(hashes.SHA256() if size <= 32 else hashes.SHA384() if size <= 48 else hashes.SHA512())
        attempts.append(lambda: public.verify(signature, data, algorithm))
        if len(signature) == 2 * size:
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            attempts.append(lambda: public.verify(utils.encode_dss_signature(r, s), data, algorithm))
    for attempt in attempts:
        try:
            attempt()
        except (InvalidSignature, ValueError):
            continue
        return True
    return False
