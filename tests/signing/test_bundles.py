"""Sigstore bundles, offline: real ones that hold, real ones that do not, and what cannot be judged."""

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from policyengine.signing import verify
from policyengine.signing.envelope import IN_TOTO, sign
from policyengine.signing.keys import KeyPair, load_private, new_key
from policyengine.signing.trust import Trust, TrustedSigner, key_trust
from policyengine.signing.verify import State, Verification, verify_bundle

DATA = Path(__file__).parents[1] / "evidence" / "attestations"
ROOT = (DATA / "trust" / "public-good-trusted_root.json").read_bytes()
ISSUER = "https://token.actions.githubusercontent.com"
BEACON = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
BCR = "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/tags/v0.0.1"
AT = datetime(2026, 11, 1, tzinfo=UTC)
KEY, OTHER = new_key(), new_key()
A_TXT = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"


def signer(identity: str, issuer: str = ISSUER, **more: Any) -> TrustedSigner:
    return TrustedSigner(identity[-20:], "service", ("*",), identity=identity, issuer=issuer, **more)


def trust(*signers: TrustedSigner, root: bytes | None = ROOT) -> Trust:
    return Trust("digest", signers or (signer(BEACON), signer(BCR)), sigstore_root=root)


def data_of(name: str) -> dict[str, Any]:
    found = json.loads((DATA / name).read_bytes())
    assert isinstance(found, dict)
    return found


def judged(bundle: dict[str, Any], trusted: Trust | None = None, at: datetime = AT, **more: Any) -> Verification:
    return verify_bundle(bundle, json.dumps(bundle).encode(), trusted or trust(), at, **more)


def test_a_good_bundle_gives_out_its_payload_and_says_when_it_was_signed() -> None:
    found = judged(data_of("sigstore/happy-path-intoto-in-dsse-v3.json"))
    assert found.state is State.VALID, found.reason
    assert json.loads(found.payload or b"")["predicateType"] == "https://slsa.dev/provenance/v1"
    (who,) = found.signers
    assert (who.identity, who.issuer, who.time_source) == (BEACON, ISSUER, "log")
    assert who.signed_at is not None
    assert who.signed_at.year == 2024


def test_a_message_signature_holds_for_its_own_file_only() -> None:
    bundle = data_of("sigstore/happy-path-v0.3.json")
    assert judged(bundle).subject_digest == A_TXT
    assert judged(bundle, artifacts=[A_TXT]).state is State.VALID
    other = judged(bundle, artifacts=["sha256:" + "0" * 64])
    assert (other.state, other.code) == (State.INVALID, "other-artifact")


def test_the_second_log_needs_its_own_root_and_a_timestamp() -> None:
    bundle = data_of("sigstore/rekor2-happy-path.json")
    found = judged(bundle, trust(root=(DATA / "sigstore" / "rekor2-trusted_root.json").read_bytes()))
    assert found.state is State.VALID, found.reason
    assert found.signers[0].time_source == "tsa"
    assert judged(bundle).state is State.INVALID


@pytest.mark.parametrize(("name", "code"), [
    ("sigstore/dsse-invalid-sig_fail.json", "bad-signature"), ("sigstore/checkpoint-wrong-roothash_fail.json", "refused"),
    ("sigstore/set-invalid-signature_fail.json", "refused"), ("sigstore/integrated-time-in-future_fail.json", "refused"),
])  # fmt: skip
def test_damage_is_refused_in_plain_words(name: str, code: str) -> None:
    found = judged(data_of(name))
    assert (found.state, found.payload, found.code) == (State.INVALID, None, code)
    assert found.claimed
    assert not any(word in found.reason for word in ("Error", "object", "None", "('"))


@pytest.mark.parametrize(("name", "said"), [
    ("sigstore/bundleV03-intoto.json", "log entries of kind `intoto 0.0.2`"), ("sigstore/Python-3.12.5.tgz.sigstore", "only a promise"),
])  # fmt: skip
def test_what_may_be_right_and_cannot_be_judged_is_unknown(name: str, said: str) -> None:
    found = judged(data_of(name))
    assert (found.state, found.payload, found.code) == (State.UNKNOWN, None, "unsupported")
    assert said in found.reason


def test_tampering_is_told_even_where_the_log_entry_cannot_be_judged() -> None:
    good = data_of("npm/gundam-visor-cli-v1-tag.tgz.json")["attestations"][1]["bundle"]
    bad = data_of("npm/gundam-visor-cli-v1-tag-invalidsigprov.tgz.json")["attestations"][1]["bundle"]
    assert (judged(good).state, judged(bad).state) == (State.UNKNOWN, State.INVALID)


def test_a_good_signature_by_a_stranger_is_no_evidence_and_names_him() -> None:
    found = judged(data_of("slsa/MODULE-wrong-signer.bazel.intoto.jsonl"))
    assert (found.state, found.payload, found.code) == (State.INVALID, None, "untrusted-signer")
    assert "loosebazooka/aa-test/.github/workflows/malicious_attestation.yaml@refs/heads/main" in found.reason
    assert judged(data_of("slsa/MODULE.bazel.intoto.jsonl")).state is State.VALID


@pytest.mark.parametrize("entry", [
    signer(BCR + "x"), signer(BCR[:-1]), signer(BCR.replace("v0.0.1", "v0.0.2")), signer(BCR.replace("bazel-contrib", "bazel-contrib-x")),
    signer(BCR.upper()), signer(BCR, ISSUER + "/"), signer(BCR, "https://accounts.google.com"), signer(BCR, ""),
    TrustedSigner("p", "service", ("*",), identity_pattern="https://github.com/*/publish.yaml@refs/tags/v0.0.1", issuer=ISSUER),
])  # fmt: skip
def test_almost_the_identity_is_another_one(entry: TrustedSigner) -> None:
    assert judged(data_of("slsa/MODULE.bazel.intoto.jsonl"), trust(entry)).code == "untrusted-signer"


def test_two_patterns_for_one_identity_trust_nobody() -> None:
    patterns = [BCR.replace("v0.0.1", "*"), BCR.replace("v0.0.1", "v*")]
    entries = [TrustedSigner(p[-3:], "service", ("*",), identity_pattern=p, issuer=ISSUER) for p in patterns]
    assert "fits several patterns" in judged(data_of("slsa/MODULE.bazel.intoto.jsonl"), trust(*entries)).reason
    assert judged(data_of("slsa/MODULE.bazel.intoto.jsonl"), trust(entries[0])).state is State.VALID


def test_validity_is_asked_at_the_time_of_signing() -> None:
    bundle = data_of("slsa/MODULE.bazel.intoto.jsonl")
    assert judged(bundle, trust(signer(BCR, valid_until=datetime(2026, 1, 1, tzinfo=UTC)))).state is State.VALID
    for entry in (
        signer(BCR, valid_until=datetime(2025, 1, 1, tzinfo=UTC)),
        signer(BCR, valid_from=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        assert judged(bundle, trust(entry)).code == "not-in-force"
    assert judged(bundle, at=datetime(2025, 1, 1, tzinfo=UTC)).code == "not-in-force"


def test_without_a_root_nothing_is_judged_and_the_name_is_only_claimed() -> None:
    found = judged(data_of("slsa/MODULE.bazel.intoto.jsonl"), trust(root=None))
    assert (found.state, found.code, found.signers) == (State.UNKNOWN, "no-trust", ())
    assert found.claimed.startswith(BCR)


@pytest.mark.parametrize("change", [
    lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle.v9.9+json"), lambda b: b.pop("mediaType"), lambda b: b.update(mediaType=["x"]),
    lambda b: b.update(verificationMaterial=None), lambda b: b["verificationMaterial"].pop("certificate"), lambda b: b.pop("dsseEnvelope"),
    lambda b: b["verificationMaterial"].update(certificate={"rawBytes": "AAAA"}), lambda b: b["verificationMaterial"].update(tlogEntries=[]),
    lambda b: b["verificationMaterial"].update(tlogEntries={"a": 1}), lambda b: b["verificationMaterial"].update(tlogEntries=[None]),
    lambda b: b["verificationMaterial"]["tlogEntries"].append(b["verificationMaterial"]["tlogEntries"][0]),
    lambda b: b["verificationMaterial"]["tlogEntries"][0].update(integratedTime="1"), lambda b: b["verificationMaterial"].update(publicKey={"hint": "x"}),
    lambda b: b["verificationMaterial"]["tlogEntries"][0].update(canonicalizedBody="AAAA"),
    lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("inclusionProof"), lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("logId"),
    lambda b: b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].update(hashes=["AAAA"]),
    lambda b: b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].update(checkpoint={"envelope": "x"}),
    lambda b: b.update(messageSignature={"signature": "AAAA"}), lambda b: b["dsseEnvelope"].update(payloadType="application/json"),
    lambda b: b["dsseEnvelope"].update(payload="e30="), lambda b: b["dsseEnvelope"]["signatures"].append(b["dsseEnvelope"]["signatures"][0]),
    lambda b: b["dsseEnvelope"].update(signatures=[]), lambda b: b.update(dsseEnvelope=[]),
    lambda b: b.update(verificationMaterial=data_of("slsa/MODULE-wrong-signer.bazel.intoto.jsonl")["verificationMaterial"]),
])  # fmt: skip
def test_no_change_leaves_a_bundle_valid(change: Callable[[dict[str, Any]], object]) -> None:
    bundle = copy.deepcopy(data_of("slsa/MODULE.bazel.intoto.jsonl"))
    change(bundle)
    found = judged(bundle)
    assert found.state is not State.VALID
    assert found.payload is None
    assert found.reason


@pytest.mark.parametrize("problem", [RuntimeError("x"), RecursionError(), BaseException("a panic"), KeyError("y"), OSError()])
def test_whatever_a_verifier_raises_the_bundle_is_no_evidence(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def explode(*_: object) -> None:
        raise problem

    monkeypatch.setattr(verify, "_sigstore", explode)
    assert judged(data_of("slsa/MODULE.bazel.intoto.jsonl")).state is State.INVALID


@pytest.mark.parametrize("root", [b"{}", b"", b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'])
def test_a_root_that_is_none_makes_nothing_valid(root: bytes) -> None:
    assert judged(data_of("slsa/MODULE.bazel.intoto.jsonl"), trust(root=root)).state is State.INVALID


def managed(signed: dict[str, Any]) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        **signed,
    }


@pytest.mark.parametrize(("key", "state"), [(KEY, State.VALID), (OTHER, State.INVALID)])
def test_a_bundle_around_a_listed_key_needs_that_key_and_no_root(key: KeyPair, state: State) -> None:
    bundle = managed({"dsseEnvelope": json.loads(sign(b"{}", IN_TOTO, KEY.private_pem, "k"))})
    found = judged(bundle, key_trust(key.public_pem))
    assert (found.state, found.payload) == (state, b"{}" if state is State.VALID else None)


@pytest.mark.parametrize(("digest", "key", "state"), [
    (hashlib.sha256(b"file").digest(), KEY, State.VALID), (hashlib.sha256(b"other").digest(), KEY, State.INVALID),
    (hashlib.sha256(b"file").digest(), OTHER, State.INVALID), (b"short", KEY, State.INVALID), (b"", KEY, State.INVALID),
])  # fmt: skip
def test_a_listed_key_signs_a_file_by_its_digest(digest: bytes, key: KeyPair, state: State) -> None:
    private = load_private(KEY.private_pem, "k")
    signature = base64.b64encode(private.sign(b"file", ec.ECDSA(hashes.SHA256()))).decode()
    stated = {"algorithm": "SHA2_256", "digest": base64.b64encode(digest).decode()}
    bundle = managed({"messageSignature": {"messageDigest": stated, "signature": signature}})
    found = judged(bundle, key_trust(key.public_pem))
    assert found.state is state
    if state is State.VALID:
        assert found.subject_digest == "sha256:" + digest.hex()
        assert judged(bundle, key_trust(key.public_pem), artifacts=["sha256:" + "0" * 64]).code == "other-artifact"


def test_a_bundle_with_a_key_and_a_certificate_is_neither() -> None:
    bundle = data_of("slsa/MODULE.bazel.intoto.jsonl")
    bundle["verificationMaterial"]["publicKey"] = {"hint": "x"}
    assert judged(bundle).code == "malformed"
