"""Attestations that want to be evidence and are not. Every one is read through the same door as an honest file."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Record
from policyengine.engine.relations import same_artifact
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.evidence.load import Reading, load
from policyengine.signing.envelope import IN_TOTO, countersign, pae, sign
from policyengine.signing.keys import KeyPair, load_private, new_key, signature_holds, signature_over_sha256_holds
from policyengine.signing.trust import Trust, TrustedBuilder, TrustedSigner
from policyengine.signing.verify import State, verify_bundle

AT = datetime(2026, 11, 1, tzinfo=UTC)
KEY, OTHER, STRANGER = new_key(), new_key("ed25519"), new_key()
VSA = "https://slsa.dev/verification_summary/v1"
TESTS = "https://in-toto.io/attestation/test-result/v0.1"
SCAN = "https://in-toto.io/attestation/vulns/v0.2"
SLSA = "https://slsa.dev/provenance/v1"
HEX = "ab" * 32
PASSED = {"result": "PASSED", "passedTests": ["oq-1"]}
STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "mes.tar.gz", "digest": {"sha256": HEX}}],
    "predicateType": TESTS, "predicate": PASSED,
}  # fmt: skip


def signer(key: KeyPair, name: str = "lab", *types: str, **more: Any) -> TrustedSigner:
    return TrustedSigner(name, "service", types or ("*",), key.public_pem, key.key_id, **more)


TRUST = Trust("sha256:00", (signer(KEY), signer(OTHER, "second")))


def read(raw: bytes, trust: Trust | None = TRUST, name: str = "a.json") -> tuple[Document, ...]:
    return load([SourceFile(name, raw)], [], Reading(AT, trust))


def signed(payload: Any, kind: str = IN_TOTO, key: KeyPair = KEY) -> bytes:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return sign(raw, kind, key.private_pem, "key")


def statement(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**STATEMENT, **changes}.items() if value != "absent"}


def rows(document: Document, root: str) -> list[Record]:
    found = document.roots.get(root)
    return [each for each in found.items if isinstance(each, Record)] if isinstance(found, Collection) else []


def not_evidence(raw: bytes, trust: Trust | None = TRUST) -> str:
    (document,) = read(raw, trust)
    assert document.item.verified is False
    assert document.item.feeds == ("unverified_attestations",)
    assert len(rows(document, "unverified_attestations")) == 1
    assert document.item.reason
    return document.item.reason


def test_the_honest_one_is_evidence() -> None:
    (document,) = read(signed(STATEMENT))
    assert document.item.verified is True
    (row,) = rows(document, "test_results")
    assert (row.fields["outcome"], row.fields["subject_digests"]) == ("passed", (f"sha256:{HEX}",))


@pytest.mark.parametrize(("payload", "kind", "said"), [
    (STATEMENT, "application/json", "payload type"), (STATEMENT, IN_TOTO.upper(), "payload type"), (STATEMENT, IN_TOTO + " ", "payload type"),
    (STATEMENT, "application/vnd.in-toto.provenance+json", "payload type"), (b"\xff", IN_TOTO, "payload"), (b"", IN_TOTO, "payload"),
    (b"[]", IN_TOTO, "not an in-toto statement"), (b"null", IN_TOTO, "not an in-toto statement"),
    (b'{"_type":"https://in-toto.io/Statement/v1","_type":"x"}', IN_TOTO, "twice"),
    (b'{"_type":NaN}', IN_TOTO, "payload"), (b"[" * 5000, IN_TOTO, "`JSON depth`"), (json.dumps(STATEMENT).encode("utf-16"), IN_TOTO, "UTF-16"),
    (json.dumps(STATEMENT).replace('"result"', '"result": "FAILED", "result"').encode(), IN_TOTO, "twice"),
    (statement(_type="https://in-toto.io/Statement/v2"), IN_TOTO, "not an in-toto statement"),
    (statement(_type="https://in-toto.io/Statement/v1 "), IN_TOTO, "not an in-toto statement"),
    (statement(_type=["https://in-toto.io/Statement/v1"]), IN_TOTO, "not an in-toto statement"),
    (statement(_type="absent"), IN_TOTO, "not an in-toto statement"), (statement(predicateType="absent"), IN_TOTO, "no predicate type"),
    (statement(predicateType=7), IN_TOTO, "no predicate type"), (statement(predicate="absent"), IN_TOTO, "predicate is empty"),
    (statement(predicate=None), IN_TOTO, "predicate is empty"), (statement(predicate={}), IN_TOTO, "predicate is empty"),
    (statement(predicate=[PASSED]), IN_TOTO, "predicate is empty"), (statement(predicate={"result": "passed"}), IN_TOTO, "none of PASSED"),
    (statement(predicate={"result": ["PASSED"]}), IN_TOTO, "none of PASSED"), (statement(predicate={"result": True}), IN_TOTO, "none of PASSED"),
    (statement(subject="absent"), IN_TOTO, "no subject"), (statement(subject=[]), IN_TOTO, "no subject"), (statement(subject=None), IN_TOTO, "no subject"),
    (statement(subject={"digest": {"sha256": HEX}}), IN_TOTO, "no subject"), (statement(subject=[{"name": "x"}]), IN_TOTO, "no digest"),
    (statement(subject=[{"digest": {}}]), IN_TOTO, "no digest"), (statement(subject=[None]), IN_TOTO, "no digest"),
    (statement(subject=[{"digest": {"sha1": "ab" * 20}}]), IN_TOTO, "no strong digest, only sha1"),
    (statement(subject=[{"digest": {"md5": "ab" * 16, "gitCommit": "ab" * 20}}]), IN_TOTO, "no strong digest"),
    (statement(subject=[{"digest": {"sha256": HEX[:-2]}}]), IN_TOTO, "not a sha256 digest"),
    (statement(subject=[{"digest": {"sha256": HEX + "\n"}}]), IN_TOTO, "not a sha256 digest"),
    (statement(subject=[{"digest": {"sha256": ""}}]), IN_TOTO, "not a sha256 digest"), (statement(subject=[{"digest": {"sha256": None}}]), IN_TOTO, "not text"),
    (statement(subject=[{"digest": {"sha256": 7}}]), IN_TOTO, "not text"), (statement(subject=[{"digest": {"own": "x"}}]), IN_TOTO, "no strong digest"),
    (statement(subject=[{"digest": {"sha256": HEX, "SHA-256": "cd" * 32}}]), IN_TOTO, "contradict"),
    (statement(subject=[{"digest": {"sha256": HEX}}, {"name": "y"}]), IN_TOTO, "no digest"),
])  # fmt: skip
def test_a_good_signature_over_the_wrong_thing_is_no_evidence(payload: Any, kind: str, said: str) -> None:
    assert said in not_evidence(signed(payload, kind))


@pytest.mark.parametrize(("kind", "predicate", "said"), [
    (VSA, {"verificationResult": "FAILED", "timeVerified": "2026-01-01T00:00:00Z"}, ""),
    (VSA, {"verificationResult": "passed"}, "neither PASSED nor FAILED"), (VSA, {"verifier": {"id": "x"}}, "neither PASSED nor FAILED"),
    (VSA, {"verificationResult": "PASSED", "timeVerified": "2026-11-01T00:00:01Z"}, "after the evaluation"),
    (VSA, {"verificationResult": "PASSED", "timeVerified": "2026-01-01"}, "timeVerified"),
    (SLSA, {"buildDefinition": {}, "runDetails": {"builder": {"id": "b"}, "metadata": {"finishedOn": "2027-01-01T00:00:00Z"}}}, "after"),
    (SLSA, {"buildDefinition": {}}, "`runDetails` is missing"), (SLSA, {"buildDefinition": [], "runDetails": {}}, "`buildDefinition` is missing"),
    (SCAN, {"scanner": "x"}, "`scanner` is missing"), (SCAN, {"scanner": {"db": {"lastUpdate": "yesterday"}}}, "lastUpdate"),
])  # fmt: skip
def test_content_is_judged_and_presence_is_no_pass(kind: str, predicate: Any, said: str) -> None:
    raw = signed(statement(predicateType=kind, predicate=predicate))
    if said:
        assert said in not_evidence(raw)
        return
    (row,) = rows(read(raw)[0], "verification_summaries")
    assert row.fields["outcome"] == "failed"


@pytest.mark.parametrize(
    "kind", [TESTS + "/", TESTS + "1", TESTS.upper(), TESTS[:-1], "x" + TESTS, " " + TESTS, "https://example.com/own"]
)
def test_an_unknown_predicate_type_feeds_no_root_of_its_own(kind: str) -> None:
    (document,) = read(signed(statement(predicateType=kind)))
    assert document.item.feeds == ("attestations",)
    (row,) = rows(document, "attestations")
    assert row.fields["predicate_type"] == kind
    assert "outcome" not in row.fields


@pytest.mark.parametrize("types", [(TESTS + "/",), (TESTS[:-1],), ("https://in-toto.io/*",), (VSA,)])
def test_a_signer_of_something_else_is_no_signer(types: tuple[str, ...]) -> None:
    assert "may not sign" in not_evidence(signed(STATEMENT), Trust("d", (signer(KEY, "lab", *types),)))


@pytest.mark.parametrize("change", [
    lambda e: {**e, "payload": base64.b64encode(json.dumps(statement(subject=[{"digest": {"sha256": "cd" * 32}}])).encode()).decode()},
    lambda e: {**e, "payloadType": "application/json"}, lambda e: {**e, "signatures": []}, lambda e: {**e, "signatures": None},
    lambda e: {**e, "signatures": [{"keyid": KEY.key_id, "sig": ""}]}, lambda e: {**e, "signatures": [{"keyid": KEY.key_id}]},
    lambda e: {**e, "signatures": [{**e["signatures"][0], "sig": base64.b64encode(b"0" * 70).decode()}]},
    lambda e: {**e, "payload": e["payload"] + "\n"}, lambda e: {**e, "payload": None}, lambda e: {**e, "signatures": [None] * 33},
])  # fmt: skip
def test_tampering_is_no_evidence(change: Callable[[Any], Any]) -> None:
    not_evidence(json.dumps(change(json.loads(signed(STATEMENT)))).encode())


def test_a_key_in_the_envelope_is_not_trusted() -> None:
    envelope = json.loads(signed(STATEMENT, key=STRANGER))
    envelope["signatures"][0] |= {
        "keyid": KEY.key_id,
        "cert": STRANGER.public_pem.decode(),
        "publicKey": STRANGER.public_pem.decode(),
    }
    assert "no signature by a trusted key" in not_evidence(json.dumps(envelope).encode())


def test_a_signature_over_the_bare_payload_is_none() -> None:
    payload = json.dumps(STATEMENT).encode()
    private = load_private(OTHER.private_pem, "k")
    envelope = {"payloadType": IN_TOTO, "payload": base64.b64encode(payload).decode()}
    for data, good in ((payload, False), (pae("", payload), False), (pae(IN_TOTO, payload), True)):
        raw = json.dumps({**envelope, "signatures": [{"sig": base64.b64encode(private.sign(data)).decode()}]}).encode()
        assert read(raw)[0].item.verified is good


@pytest.mark.parametrize("raw", [
    {"payload": "e30", "signatures": [{"protected": "e30", "signature": "AAAA"}]}, {"payloadType": IN_TOTO},
    {"payloadType": IN_TOTO, "payload": "e30=", "signatures": {}}, STATEMENT,
    {"signed": {"_type": "link"}, "signatures": []}, {"signed": {"_type": "root"}, "signatures": [{"sig": "zz"}]},
    {"provenance_summary": {"provenance": [{"envelope": None}]}}, {"attestations": [{"bundle": None}]}, {"attestations": [{"bundle": []}]},
    {"version": 2, "verification_material": {}, "envelope": {}}, {"version": 1, "verification_material": None, "envelope": None},
    {"attestation_bundles": [{"attestations": [{"version": 1}]}]},
])  # fmt: skip
def test_other_shapes_are_no_evidence_and_no_exception(raw: Any) -> None:
    not_evidence(json.dumps(raw).encode())


@pytest.mark.parametrize("raw", [{"attestations": []}, {"attestation_bundles": []}, {"attestation_bundles": [None, {"attestations": {}}]},
                                 {"provenance_summary": {}}])  # fmt: skip
def test_a_wrapper_of_nothing_is_refused(raw: Any) -> None:
    with pytest.raises(Refusal, match="without any"):
        read(json.dumps(raw).encode())


def test_a_second_statement_needs_two_distinct_signers() -> None:
    two = {TESTS: 2}
    once = signed(STATEMENT)
    envelope = json.loads(once)
    twice = json.dumps({**envelope, "signatures": envelope["signatures"] * 2}).encode()
    other_id = json.dumps(
        {**envelope, "signatures": [*envelope["signatures"], {**envelope["signatures"][0], "keyid": OTHER.key_id}]}
    ).encode()
    both = countersign(once, OTHER.private_pem, "k")
    needed = replace(TRUST, thresholds=two)
    for raw in (once, twice, other_id):
        assert "1 of 2 signers" in not_evidence(raw, needed)
    assert read(both, needed)[0].item.verified is True
    one_person = Trust(
        "d",
        tuple(replace(s, kind="person", person_id=p) for s, p in zip(TRUST.signers, ("P-1", "p-1"), strict=True)),
        thresholds=two,
    )
    assert "1 of 2 signers" in not_evidence(both, one_person)
    one_key = Trust("d", (signer(KEY, "a"), signer(KEY, "b")), thresholds=two)
    assert "1 of 2 signers" in not_evidence(twice, one_key)
    one_may = Trust("d", (signer(KEY), signer(OTHER, "second", VSA)), thresholds=two)
    assert "1 of 2 signers" in not_evidence(both, one_may)
    one_expired = Trust("d", (signer(KEY), signer(OTHER, "second", valid_until=AT)), thresholds=two)
    assert "1 of 2 signers" in not_evidence(both, one_expired)


def test_a_contradicting_digest_beside_a_right_one_is_another_artifact() -> None:
    subject = {"digest": {"sha256": HEX, "sha512": "cd" * 64, "md5": "ab" * 16, "own": "x"}}
    (row,) = rows(read(signed(statement(subject=[subject])))[0], "test_results")
    stated: Any = row.fields["subject_digests"]
    assert same_artifact(stated, [f"sha256:{HEX}"]) is True
    assert same_artifact(stated, [f"sha256:{HEX}", "sha512:" + "ee" * 64]) is False
    assert same_artifact(stated, [f"sha256:{HEX}", "md5:" + "ee" * 16]) is False
    assert same_artifact(stated, ["sha256:" + "ee" * 32, "md5:" + "ab" * 16]) is False
    assert same_artifact(stated, ["md5:" + "ab" * 16]) is not True


def test_each_subject_is_a_row_and_its_name_is_no_path() -> None:
    subjects = [{"name": "../../etc/passwd", "digest": {"sha256": HEX}}, {"name": "b", "digest": {"sha256": "cd" * 32}}]
    (document,) = read(signed(statement(subject=subjects)))
    assert [row.fields["subject_digests"] for row in rows(document, "test_results")] == [
        (f"sha256:{HEX}",),
        ("sha256:" + "cd" * 32,),
    ]
    assert "passwd" not in document.item.name


def test_a_builder_does_not_speak_for_itself() -> None:
    predicate = {
        "buildDefinition": {"buildType": "t"},
        "runDetails": {"builder": {"id": "https://b", "level": 4, "slsa_level": 4}},
    }
    raw = signed(statement(predicateType=SLSA, predicate=predicate))

    def level(*builders: TrustedBuilder) -> object:
        (row,) = rows(read(raw, Trust("d", (signer(KEY),), builders))[0], "provenances")
        return row.fields.get("builder_level")

    assert level() is None
    assert level(TrustedBuilder("https://b", 3, ("lab",))) == 3
    assert level(TrustedBuilder("https://b", 3, ("another",))) is None
    assert level(TrustedBuilder("https://b/", 3, ("lab",))) is None


def lines(*each: bytes) -> bytes:
    return b"\n".join(each)


def test_many_envelopes_in_lines_are_judged_one_by_one() -> None:
    good, bad = signed(STATEMENT).strip(), signed(STATEMENT, key=STRANGER).strip()
    found = read(lines(good, b"", bad, good) + b"\r\n")
    assert [document.item.verified for document in found] == [True, False, True]
    assert [document.item.name for document in found] == ["a.json#/0", "a.json#/1", "a.json#/2"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [(b"{", ""), (b'{"a":1,"a":2}', "twice"), (b'{"a":1}', "no attestation"), (b"garbage", ""), (b"[]", "no attestation")],
)
def test_a_bad_line_is_named_by_its_number(bad: bytes, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(lines(signed(STATEMENT).strip(), b"", bad, signed(STATEMENT).strip()))
    (problem,) = refused.value.diagnostics
    assert (problem.file, problem.line) == ("a.json", 3)
    assert said in problem.message


def test_the_number_of_envelopes_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policyengine.evidence.attestation.MAX_ENVELOPES", 2)
    with pytest.raises(Refusal, match="`envelopes per file`"):
        read(lines(*[signed(STATEMENT).strip()] * 3))


@pytest.mark.parametrize(("offset", "good"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_a_key_that_begins_later_has_not_signed(offset: timedelta, good: bool) -> None:
    (document,) = read(signed(STATEMENT), Trust("d", (signer(KEY, valid_from=AT + offset),)))
    assert document.item.verified is good


BUNDLE = Path(__file__).parents[1] / "evidence/sigstore/managed-key-happy-path.json"
PUBLIC = BUNDLE.with_suffix(".pub")
A_TXT = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"


def managed(change: Callable[[Any], object], *signers: TrustedSigner, **more: Any) -> Any:
    from policyengine.signing.keys import key_id_of, load_public

    pem = PUBLIC.read_bytes()
    entry = TrustedSigner("beacon", "service", ("*",), pem, key_id_of(load_public(pem, "k")))
    bundle = json.loads(BUNDLE.read_bytes())
    change(bundle)
    return verify_bundle(bundle, json.dumps(bundle).encode(), Trust("d", signers or (entry,)), AT, **more)


def test_a_managed_key_signs_one_file() -> None:
    found = managed(lambda b: None, artifacts=[A_TXT])
    assert (found.state, found.subject_digest) == (State.VALID, A_TXT)
    assert managed(lambda b: None, artifacts=["sha256:" + "00" * 32]).code == "other-artifact"
    assert managed(lambda b: b["verificationMaterial"]["publicKey"].update(hint="lie")).state is State.VALID


@pytest.mark.parametrize(("change", "code"), [
    (lambda b: b["messageSignature"]["messageDigest"].update(digest=base64.b64encode(b"0" * 32).decode()), "bad-signature"),
    (lambda b: b["messageSignature"]["messageDigest"].update(digest=base64.b64encode(b"0" * 31).decode()), "malformed"),
    (lambda b: b["messageSignature"]["messageDigest"].update(algorithm="SHA2_512"), "malformed"),
    (lambda b: b["messageSignature"].pop("messageDigest"), "malformed"), (lambda b: b["messageSignature"].update(signature=""), "malformed"),
    (lambda b: b["messageSignature"].update(signature=["x"]), "malformed"), (lambda b: b.update(messageSignature=None), "malformed"),
    (lambda b: b["messageSignature"].update(signature="AAAA"), "bad-signature"), (lambda b: b.update(dsseEnvelope={}), "malformed"),
    (lambda b: b["verificationMaterial"].update(certificate={"rawBytes": "AAAA"}), "malformed"), (lambda b: b.update(mediaType=["x"]), "unknown-version"),
    (lambda b: b["verificationMaterial"].pop("publicKey"), "malformed"), (lambda b: b.update(verificationMaterial=[]), "malformed"),
])  # fmt: skip
def test_a_changed_managed_bundle_is_invalid(change: Callable[[Any], object], code: str) -> None:
    found = managed(change)
    assert (found.state, found.code, found.payload) == (State.INVALID, code, None)


def test_a_managed_bundle_by_a_stranger_or_out_of_time() -> None:
    assert managed(lambda b: None, signer(KEY)).code == "bad-signature"
    assert managed(lambda b: None, signer(OTHER)).state is State.UNKNOWN, "Ed25519 signs the file itself, which is not here"
    from policyengine.signing.keys import key_id_of, load_public

    pem = PUBLIC.read_bytes()
    late = TrustedSigner("b", "service", ("*",), pem, key_id_of(load_public(pem, "k")), valid_until=AT)
    assert managed(lambda b: None, late).code == "not-in-force"


def test_a_digest_is_signed_as_the_file_would_be() -> None:
    import hashlib

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    data = b"the file"
    digest = hashlib.sha256(data).digest()
    curve, big = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
    for public, signature in ((curve.public_key(), curve.sign(data, ec.ECDSA(hashes.SHA256()))),
                              (big.public_key(), big.sign(data, padding.PKCS1v15(), hashes.SHA256()))):  # fmt: skip
        assert signature_over_sha256_holds(public, signature, digest)
        assert signature_holds(public, signature, data)
        assert not signature_over_sha256_holds(public, signature, hashlib.sha256(b"other").digest())
        assert not signature_over_sha256_holds(public, signature, digest[:-1])
