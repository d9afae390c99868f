"""DSSE: strict reading, every key on every signature, and the holes that library verifiers are known to leave open."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from policyengine.core.diagnostic import Refusal
from policyengine.signing.envelope import IN_TOTO, countersign, pae, parse_envelope, sign
from policyengine.signing.keys import KeyPair, key_id_of, load_private, load_public, new_key, signature_holds
from policyengine.signing.trust import Trust, TrustedSigner, key_trust
from policyengine.signing.verify import State, Verification, enough_signers, verify_dsse

AT = datetime(2026, 4, 1, tzinfo=UTC)
PAYLOAD = '{"release":"4.2.0","größe":1}'.encode()
KEY, OTHER, THIRD = new_key(), new_key("ed25519"), new_key()


def signer(name: str, key: KeyPair, **more: Any) -> TrustedSigner:
    return TrustedSigner(name, "person" if "person_id" in more else "service", ("*",), key.public_pem, key.key_id, **more)


def trusting(*signers: TrustedSigner, **more: Any) -> Trust:
    return Trust("digest", signers, **more)


def verified(raw: bytes, trust: Trust | None) -> Verification:
    return verify_dsse(parse_envelope(raw, "file"), trust, AT)


def changed(raw: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(raw), **fields}).encode()


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ed25519"])
def test_a_signature_by_a_trusted_key_gives_out_the_payload(algorithm: str) -> None:
    key = new_key(algorithm)
    found = verified(sign(PAYLOAD, IN_TOTO, key.private_pem, "key"), key_trust(key.public_pem))
    assert (found.state, found.payload, found.payload_type) == (State.VALID, PAYLOAD, IN_TOTO)
    assert found.signers[0].entry.key_id == key.key_id


def test_the_lengths_of_the_encoding_count_bytes() -> None:
    assert pae("größe", b"\xc3\xa9") == "DSSEv1 7 größe 2 é".encode()


def tampered(raw: bytes) -> dict[str, bytes]:
    data = json.loads(raw)
    signature = base64.b64decode(data["signatures"][0]["sig"])
    bare = serialization.load_pem_private_key(KEY.private_pem, None).sign(PAYLOAD, ec.ECDSA(hashes.SHA256()))  # type: ignore[union-attr,call-arg,arg-type]
    return {
        "other payload": changed(raw, payload=base64.b64encode(PAYLOAD + b" ").decode()),
        "payload type in other case": changed(raw, payloadType=IN_TOTO.upper()),
        "longer payload type": changed(raw, payloadType=IN_TOTO + "+x"),
        "flipped bit": changed(
            raw, signatures=[{"sig": base64.b64encode(signature[:-1] + bytes([signature[-1] ^ 1])).decode()}]
        ),
        "signature over the bare payload": changed(raw, signatures=[{"sig": base64.b64encode(bare).decode()}]),
        "good key id on another's signature": changed(
            raw,
            signatures=[
                {"keyid": KEY.key_id, "sig": json.loads(sign(PAYLOAD, IN_TOTO, OTHER.private_pem, "k"))["signatures"][0]["sig"]}
            ],
        ),
        "key shipped in the envelope": changed(
            sign(PAYLOAD, IN_TOTO, OTHER.private_pem, "k"), publicKey=OTHER.public_pem.decode(), cert=OTHER.public_pem.decode()
        ),
    }


@pytest.mark.parametrize("what", tampered(sign(PAYLOAD, IN_TOTO, KEY.private_pem, "key")))
def test_tampering_is_no_evidence_and_gives_out_nothing(what: str) -> None:
    found = verified(tampered(sign(PAYLOAD, IN_TOTO, KEY.private_pem, "key"))[what], trusting(signer("qa", KEY)))
    assert (found.state, found.payload, found.code) == (State.INVALID, None, "bad-signature")


@pytest.mark.parametrize("keyid", [None, "", "wrong", OTHER.key_id, "x" * 100_000])
def test_the_key_id_is_only_a_hint(keyid: str | None) -> None:
    raw = sign(PAYLOAD, IN_TOTO, KEY.private_pem, "key")
    entry = {"sig": json.loads(raw)["signatures"][0]["sig"], **({} if keyid is None else {"keyid": keyid})}
    assert verified(changed(raw, signatures=[entry]), trusting(signer("other", OTHER), signer("qa", KEY))).state is State.VALID


def test_the_second_of_three_signatures_is_found() -> None:
    raw = sign(PAYLOAD, IN_TOTO, KEY.private_pem, "key")
    bad = {"sig": base64.b64encode(b"nothing").decode()}
    good = json.loads(raw)["signatures"][0]
    found = verified(changed(raw, signatures=[bad, good, bad]), trusting(signer("qa", KEY)))
    assert [each.entry.name for each in found.signers] == ["qa"]


def test_base64_may_be_url_safe_and_unpadded() -> None:
    raw = json.loads(sign(b"\xff\xfe?>", IN_TOTO, KEY.private_pem, "key"))
    raw["payload"] = base64.urlsafe_b64encode(b"\xff\xfe?>").decode().rstrip("=")
    raw["signatures"][0]["sig"] = base64.urlsafe_b64encode(base64.b64decode(raw["signatures"][0]["sig"])).decode().rstrip("=")
    assert verified(json.dumps(raw).encode(), trusting(signer("qa", KEY))).payload == b"\xff\xfe?>"


@pytest.mark.parametrize("payload", ["YQ", "YQ=="])
def test_good_base64(payload: str) -> None:
    assert (
        parse_envelope(
            json.dumps({"payloadType": "t", "payload": payload, "signatures": [{"sig": "YQ=="}]}).encode(), "f"
        ).payload
        == b"a"
    )


@pytest.mark.parametrize("payload", ["YQ=", "YR==", "Y", "Y Q=", "YQ==\n", "+_==", "ÿ", "YQ==YQ=="])
def test_base64_with_two_spellings_is_refused(payload: str) -> None:
    with pytest.raises(Refusal, match="PE603"):
        parse_envelope(json.dumps({"payloadType": "t", "payload": payload, "signatures": [{"sig": "YQ=="}]}).encode(), "f")


@pytest.mark.parametrize("raw", [
    b"[]", b"{}", b"null", b'{"payloadType":"t","payload":"YQ=="}', b'{"payloadType":"t","payload":"YQ==","signatures":[]}',
    b'{"payloadType":"t","payload":"YQ==","signatures":[{}]}', b'{"payloadType":"t","payload":"YQ==","signatures":[{"sig":""}]}',
    b'{"payloadType":"t","payload":"YQ==","signatures":[null]}', b'{"payloadType":"t","payload":"YQ==","signatures":{}}',
    b'{"payloadType":3,"payload":"YQ==","signatures":[{"sig":"YQ=="}]}', b'{"payloadType":"t","payload":null,"signatures":[{"sig":"YQ=="}]}',
    b'{"payloadType":"t","payloadType":"u","payload":"YQ==","signatures":[{"sig":"YQ=="}]}', b"",
    b'{"payloadType":"t","payload":"YQ==","signatures":[' + b",".join([b'{"sig":"YQ=="}'] * 33) + b"]}",
    b'{"payloadType":"\\ud800","payload":"YQ==","signatures":[{"sig":"YQ=="}]}', b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
])  # fmt: skip
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal):
        parse_envelope(raw, "file")


def test_without_trust_the_answer_is_unknown() -> None:
    raw = sign(PAYLOAD, IN_TOTO, KEY.private_pem, "key")
    assert {verified(raw, None).state, verified(raw, trusting()).state} == {State.UNKNOWN}


def two_signatures(first: KeyPair, second: KeyPair) -> bytes:
    return countersign(sign(PAYLOAD, IN_TOTO, first.private_pem, "a"), second.private_pem, "b")


@pytest.mark.parametrize(("raw", "signers", "enough"), [
    (two_signatures(KEY, OTHER), [signer("a", KEY), signer("b", OTHER)], True),
    (two_signatures(KEY, KEY), [signer("a", KEY), signer("b", OTHER)], False),
    (two_signatures(KEY, OTHER), [signer("a", KEY, person_id="P-1"), signer("b", OTHER, person_id="P-1")], False),
    (two_signatures(KEY, OTHER), [signer("a", KEY, person_id="P-1"), signer("b", OTHER, person_id="p-1")], False),
    (two_signatures(KEY, OTHER), [signer("a", KEY, person_id="P-1"), signer("b", OTHER, person_id="P-2")], True),
    (two_signatures(KEY, OTHER), [signer("a", KEY), signer("a again", KEY)], False),
    (two_signatures(KEY, THIRD), [signer("a", KEY), signer("b", OTHER)], False),
    (two_signatures(KEY, OTHER), [signer("a", KEY), signer("b", OTHER, valid_until=AT)], False),
])  # fmt: skip
def test_a_threshold_counts_distinct_people(raw: bytes, signers: list[TrustedSigner], enough: bool) -> None:
    trust = trusting(*signers, thresholds={"kind": 2})
    allowed, lacking = enough_signers(verified(raw, trust), "kind", trust)
    assert (not lacking) is enough
    if enough:
        assert [each.entry.name for each in allowed] == [each.name for each in signers]
    else:
        assert lacking == "1 of 2 signers that kind needs"


def test_a_countersignature_leaves_the_first_as_it_is() -> None:
    first = sign(PAYLOAD, IN_TOTO, KEY.private_pem, "a")
    both = json.loads(countersign(first, OTHER.private_pem, "b"))
    assert both["signatures"][0] == json.loads(first)["signatures"][0]
    assert both["payload"] == json.loads(first)["payload"]


@pytest.mark.parametrize("kind", ["other", "kind/v1", "KIND", "kin", "", "kind\n"])
def test_a_signer_signs_only_what_is_listed_for_him(kind: str) -> None:
    trust = trusting(TrustedSigner("ci", "service", ("kind",), KEY.public_pem, KEY.key_id))
    found = verified(sign(PAYLOAD, IN_TOTO, KEY.private_pem, "a"), trust)
    assert enough_signers(found, kind, trust)[1].startswith("ci may not sign")
    assert enough_signers(found, "kind", trust)[1] == ""


@pytest.mark.parametrize(("begin", "until", "state"), [
    (AT, None, State.VALID), (None, AT, State.INVALID), (datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC), None, State.INVALID),
    (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC), State.VALID),
])  # fmt: skip
def test_a_key_counts_from_and_until(begin: datetime | None, until: datetime | None, state: State) -> None:
    found = verified(
        sign(PAYLOAD, IN_TOTO, KEY.private_pem, "a"), trusting(signer("qa", KEY, valid_from=begin, valid_until=until))
    )
    assert (found.state, found.payload is None) == (state, state is State.INVALID)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ecdsa_as_der_and_as_two_numbers(curve: ec.EllipticCurve) -> None:
    private = ec.generate_private_key(curve)
    size = (curve.key_size + 7) // 8
    digest = {32: hashes.SHA256(), 48: hashes.SHA384()}.get(size, hashes.SHA512())
    der = private.sign(b"data", ec.ECDSA(digest))  # type: ignore[arg-type]
    r, s = utils.decode_dss_signature(der)
    raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    for signature in (der, raw):
        assert signature_holds(private.public_key(), signature, b"data")
        assert not signature_holds(private.public_key(), signature, b"other")
    for junk in (b"", bytes(2 * size), b"\xff" * (2 * size), raw + b"\x00", der + b"\x00", raw[:-1]):
        assert not signature_holds(private.public_key(), junk, b"data")


def test_rsa_in_both_paddings() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pss = private.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    old = private.sign(b"data", padding.PKCS1v15(), hashes.SHA256())
    weak = private.sign(b"data", padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    assert [signature_holds(private.public_key(), each, b"data") for each in (pss, old, weak)] == [True, True, False]


def pem(public: Any) -> bytes:
    return bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("content", [
    b"", b"no key", KEY.private_pem, KEY.public_pem + OTHER.public_pem, pem(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505
    pem(ec.generate_private_key(ec.SECP256K1()).public_key()), KEY.public_pem[:-40],
])  # fmt: skip
def test_keys_that_are_not_taken(content: bytes) -> None:
    with pytest.raises(Refusal, match="PE602"):
        load_public(content, "key.pem")


def test_a_private_key_and_its_password() -> None:
    key = new_key(password=b"correct")
    assert b"ENCRYPTED" in key.private_pem
    assert key_id_of(load_private(key.private_pem, "k", b"correct").public_key()) == key.key_id
    for password in (None, b"wrong"):
        with pytest.raises(Refusal, match="PE602"):
            load_private(key.private_pem, "k", password)
    with pytest.raises(Refusal, match="PE602"):
        load_private(KEY.private_pem, "k", b"needless")
    with pytest.raises(Refusal, match="PE601"):
        new_key("rsa-512")
