"""What we sign can be verified by anyone: the DSSE specification and the `cryptography` package are all it takes."""

import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from policyengine.signing.envelope import IN_TOTO, sign
from policyengine.signing.keys import new_key

PAYLOAD = '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"Größe"}]}'.encode()


def verify_as_a_stranger(envelope: bytes, public_pem: bytes) -> bytes:
    data = json.loads(envelope)
    body, kind = base64.standard_b64decode(data["payload"]), data["payloadType"].encode()
    signed = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(body)).encode() + b" " + body
    key = serialization.load_pem_public_key(public_pem)
    for each in data["signatures"]:
        signature = base64.standard_b64decode(each["sig"])
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        else:
            assert isinstance(key, ed25519.Ed25519PublicKey)
            key.verify(signature, signed)
    return body


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ed25519"])
def test_cryptography_alone_verifies_it(algorithm: str) -> None:
    key = new_key(algorithm)
    envelope = sign(PAYLOAD, IN_TOTO, key.private_pem, "key")
    assert verify_as_a_stranger(envelope, key.public_pem) == PAYLOAD
    with pytest.raises(InvalidSignature):
        verify_as_a_stranger(envelope, new_key(algorithm).public_pem)


def test_the_key_id_is_the_digest_of_the_public_key() -> None:
    key = new_key()
    der = serialization.load_pem_public_key(key.public_pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert json.loads(sign(PAYLOAD, IN_TOTO, key.private_pem, "k"))["signatures"][0]["keyid"] == hashlib.sha256(der).hexdigest()
