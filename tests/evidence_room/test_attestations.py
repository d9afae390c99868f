"""Statements become records only when everything about them holds; the rest is listed with its reason and feeds nothing else."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.evidence.load import Reading, load
from policyengine.signing.envelope import IN_TOTO, countersign, sign
from policyengine.signing.keys import key_id_of, load_public, new_key
from policyengine.signing.trust import Trust, TrustedBuilder, TrustedSigner

DATA = Path(__file__).parents[1] / "evidence" / "attestations"
PAGE = Path(__file__).parents[2] / "docs" / "trust.md"
AT = datetime(2026, 11, 1, tzinfo=UTC)
ISSUER = "https://token.actions.githubusercontent.com"
KEY, OTHER = new_key(), new_key()
SLSA = "https://slsa.dev/provenance/v1"
TEST = "https://in-toto.io/attestation/test-result/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"
VULNS = "https://in-toto.io/attestation/vulns/v0.2"
GXP = "urn:policyengine-gxp:attestation:v1"
MODEL = "urn:policyengine-gxp:model-attestation:v1"
HEX = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def keyed(name: str, path: str) -> TrustedSigner:
    pem = (DATA / path).read_bytes()
    return TrustedSigner(name, "service", ("*",), pem, key_id_of(load_public(pem, name)))


BUILDER = TrustedSigner("builder", "service", ("*",), KEY.public_pem, KEY.key_id)
SITE = Trust("digest", (BUILDER,), (TrustedBuilder("https://builder.example/1", 3, ("builder",)),))


def read(raw: bytes, trust: Trust | None = SITE, at: datetime = AT, name: str = "file.json") -> tuple[Document, ...]:
    return load([SourceFile(name, raw)], [], Reading(at, trust))


def statement(predicate_type: str = TEST, predicate: Any = None, **fields: Any) -> dict[str, Any]:
    return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "mes.tar", "digest": {"sha256": HEX}}],
            "predicateType": predicate_type, "predicate": {"result": "PASSED"} if predicate is None else predicate, **fields}  # fmt: skip


def signed(data: Any, kind: str = IN_TOTO) -> bytes:
    return sign(json.dumps(data).encode(), kind, KEY.private_pem, "key")


def one(raw: bytes, trust: Trust | None = SITE, at: datetime = AT) -> Document:
    (document,) = read(raw, trust, at)
    return document


def rows(document: Document, root: str) -> list[dict[str, Any]]:
    found = document.roots.get(root)
    items = found.items if isinstance(found, Collection) else ()
    return [dict(each.fields) for each in items if isinstance(each, Record)]


def test_a_verified_test_result_feeds_its_root_and_the_attestations() -> None:
    document = one(signed(statement(predicate={"result": "FAILED", "passedTests": ["a"], "failedTests": ["b"]})))
    assert (document.item.verified, document.item.reason, document.item.kind) == (True, None, "attestation")
    assert document.item.feeds == ("attestations", "test_results")
    (row,) = rows(document, "test_results")
    assert (row["passed_tests"], row["failed_tests"], row["outcome"]) == (("a",), ("b",), "failed")
    assert row["subject_digests"] == (f"sha256:{HEX}",)
    assert row["signer"].fields == {"kind": "service", "name": "builder"}
    none_left = document.roots["unverified_attestations"]
    assert isinstance(none_left, Collection)
    assert (none_left.items, none_left.state) == ((), Completeness.COMPLETE)


def without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}


def subjects(*digests: Any) -> dict[str, Any]:
    return statement(subject=[{"name": f"mes{i}.tar", "digest": each} for i, each in enumerate(digests)])


@pytest.mark.parametrize(("raw", "said"), [
    (signed(statement(), "application/json"), "payload type is `application/json`"), (signed(statement(), IN_TOTO.upper()), "payload type"),
    (signed(statement(_type="https://in-toto.io/Statement/v2")), "not an in-toto statement"), (signed(statement(_type=["x"])), "not an in-toto statement"),
    (signed(without(statement(), "_type")), "not an in-toto statement"), (signed([]), "not an in-toto statement"), (signed(None), "not an in-toto"),
    (signed(without(statement(), "predicateType")), "no predicate type"), (signed(statement(predicateType="")), "no predicate type"),
    (signed(statement(subject=[])), "has no subject"), (signed(without(statement(), "subject")), "has no subject"), (signed(statement(subject={})), "no subject"),
    (signed(statement(subject=[{"name": "mes.tar"}])), "no digest"), (signed(statement(subject=[None])), "no digest"), (signed(subjects({})), "no digest"),
    (signed(subjects({"sha1": "a" * 40})), "no strong digest, only sha1"), (signed(subjects({"md5": "a" * 32})), "no strong digest, only md5"),
    (signed(subjects({"gitCommit": "a" * 40})), "no strong digest, only gitcommit"), (signed(subjects({"sha256": HEX[:-2]})), "not a sha256 digest"),
    (signed(subjects({"sha256": HEX + "\n"})), "not a sha256 digest"), (signed(subjects({"sha256": "a" * 40})), "not a sha256 digest"),
    (signed(subjects({"sha256": int("1" * 15)})), "is not text"), (signed(subjects({"sha256": ""})), "not a sha256 digest"),
    (signed(subjects({"sha256": HEX, "SHA-256": "0" * 64})), "contradict each other"), (signed(subjects({"sha256": HEX}, {"md5": "a" * 32})), "no strong digest"),
    (signed(statement(predicate={})), "predicate is empty"), (signed({**statement(), "predicate": None}), "predicate is empty"),
    (signed(statement(predicate=[1])), "predicate is empty"), (signed(statement(predicate={"result": "passed"})), "none of PASSED"),
    (signed(statement(predicate={"result": "PASSED", "failedTests": ["x"]})), "lists failed tests"),
    (signed(statement(predicate={"result": "FAILED", "failedTests": [1]})), "not a list of texts"),
    (signed(statement(VSA, {"verificationResult": "OK"})), "neither PASSED nor FAILED"),
    (signed(statement(SLSA, {"buildDefinition": {}, "runDetails": {"builder": {}, "metadata": {"finishedOn": "2026-12-01T00:00:00Z"}}})), "after the evaluation"),
    (signed(statement(SLSA, {"buildDefinition": {}, "runDetails": {"builder": {}, "metadata": {"finishedOn": "yesterday"}}})), "not an RFC 3339 time"),
    (signed(statement(GXP, {"kind": "oq", "outcom": "passed"})), "there is no field `outcom`"), (signed(statement(GXP, {"signer": {}})), "cannot be stated"),
    (signed(statement(GXP, {"outcome": "PASS"})), "is not one of passed"), (signed(statement(GXP, {"time": "2026-11-02T00:00:00Z"})), "after the evaluation"),
    (sign(b'{"_type":"a","_type":"b"}', IN_TOTO, KEY.private_pem, "k"), "is there twice"), (sign(b"", IN_TOTO, KEY.private_pem, "k"), "empty"),
    (sign(b"\xff\xfe{", IN_TOTO, KEY.private_pem, "k"), "UTF-16"), (sign(b"[" * 1500, IN_TOTO, KEY.private_pem, "k"), "payload"),
])  # fmt: skip
def test_a_signed_statement_that_says_nothing_usable_is_no_evidence(raw: bytes, said: str) -> None:
    document = one(raw)
    assert document.item.verified is False
    assert said in (document.item.reason or "")
    assert set(document.roots) == {"unverified_attestations"}
    assert len(rows(document, "unverified_attestations")) == 1


def test_a_predicate_type_with_the_right_start_is_another_one() -> None:
    document = one(signed(statement(TEST + "/x")))
    assert "test_results" not in document.roots


def test_the_signer_must_be_allowed_and_there_must_be_enough() -> None:
    limited = TrustedSigner("scanner", "service", (VULNS,), KEY.public_pem, KEY.key_id)
    assert "scanner may not sign" in (one(signed(statement()), Trust("d", (limited,))).item.reason or "")
    second = TrustedSigner("qa", "service", ("*",), OTHER.public_pem, OTHER.key_id)
    two = Trust("d", (BUILDER, second), thresholds={TEST: 2})
    assert one(signed(statement()), two).item.verified is False
    assert one(countersign(signed(statement()), OTHER.private_pem, "k"), two).item.verified is True


def test_weak_and_foreign_digests_may_stand_beside_a_strong_one() -> None:
    (row,) = rows(one(signed(subjects({"sha256": HEX.upper(), "md5": "a" * 32, "gitCommit": "a" * 40}))), "attestations")
    assert row["subject_digests"] == ("gitcommit:" + "a" * 40, "md5:" + "a" * 32, f"sha256:{HEX}")


def test_every_subject_has_its_row() -> None:
    document = one(signed(subjects({"sha256": HEX}, {"sha512": "a" * 128})))
    assert [row["subject_digests"] for row in rows(document, "test_results")] == [(f"sha256:{HEX}",), ("sha512:" + "a" * 128,)]
    assert document.item.counts == {"subjects": 2}


@pytest.mark.parametrize(("builder", "trust", "level"), [
    ("https://builder.example/1", SITE, 3), ("https://builder.example/10", SITE, None), ("https://builder.example/1", Trust("d", (BUILDER,)), None),
    ("https://builder.example/1", Trust("d", (BUILDER,), (TrustedBuilder("https://builder.example/1", 3, ("another",)),)), None),
])  # fmt: skip
def test_a_level_is_granted_by_the_trust_file_to_a_builder_and_its_signer(
    builder: str, trust: Trust, level: int | None
) -> None:
    predicate = {"buildDefinition": {"buildType": "t", "resolvedDependencies": [{"uri": "git+https://x", "digest": {"gitCommit": "a" * 40}}]},
                 "runDetails": {"builder": {"id": builder, "level": 4}, "metadata": {"finishedOn": "2026-10-01T00:00:00Z"}}}  # fmt: skip
    (row,) = rows(one(signed(statement(SLSA, predicate)), trust), "provenances")
    assert row.get("builder_level") == level
    assert (row["builder_id"], row["build_type"], row["source_uri"], row["source_digest"]) == (
        builder,
        "t",
        "git+https://x",
        "gitcommit:" + "a" * 40,
    )
    assert row["finished_on"] == row["time"] == datetime(2026, 10, 1, tzinfo=UTC)


def test_which_of_several_dependencies_is_the_source_is_not_guessed() -> None:
    predicate = {
        "buildDefinition": {"resolvedDependencies": [{"uri": "git+https://x"}, {"uri": "git+https://y"}]},
        "runDetails": {"builder": {"id": "b"}},
    }
    assert "source_uri" not in rows(one(signed(statement(SLSA, predicate))), "provenances")[0]


def test_silence_about_failed_tests_is_no_list_of_none() -> None:
    (row,) = rows(one(signed(statement())), "test_results")
    assert "failed_tests" not in row
    assert (
        rows(one(signed(statement(predicate={"result": "PASSED", "failedTests": []}))), "test_results")[0]["failed_tests"] == ()
    )


def test_summaries_and_scans() -> None:
    summary = {"verificationResult": "FAILED", "verifiedLevels": ["FAILED"], "timeVerified": "2026-10-01T00:00:00Z"}
    (row,) = rows(one(signed(statement(VSA, summary))), "verification_summaries")
    assert (row["result"], row["verified_levels"], row["outcome"]) == ("FAILED", ("FAILED",), "failed")
    scan = {
        "scanner": {"uri": "s", "db": {"lastUpdate": "2026-10-01T00:00:00Z"}},
        "metadata": {"scanFinishedOn": "2026-10-02T00:00:00Z"},
    }
    (row,) = rows(one(signed(statement(VULNS, scan))), "scans")
    assert row["finished_on"] - row["database_updated"] == timedelta(days=1)


def test_the_page_s_own_statement_is_evidence() -> None:
    text = PAGE.read_text("utf-8").split("```json\n")[1].split("```")[0]
    (row,) = rows(one(signed(json.loads(text))), "attestations")
    assert (row["kind"], row["outcome"], row["system_id"]) == ("oq", "passed", "MES-01")
    (row,) = rows(
        one(signed(statement(MODEL, {"model_name": "m", "result": "PASSED", "replay_identical": True}))), "model_attestations"
    )
    assert (row["model_name"], row["replay_identical"]) == ("m", True)


def test_without_trust_nothing_is_judged() -> None:
    document = one(signed(statement()), None)
    assert (document.item.verified, set(document.roots)) == (False, {"unverified_attestations"})
    assert (document.item.reason or "").startswith("not judged")
    (row,) = rows(document, "unverified_attestations")
    assert (row["predicate_type"], row["subject_digests"]) == (TEST, ())


@pytest.mark.parametrize("change", [
    lambda d: d.update(payload=base64.b64encode(b"{}").decode()), lambda d: d.update(signatures=[]), lambda d: d.update(signatures=None),
    lambda d: d.update(payload=3), lambda d: d.pop("payload"), lambda d: d.update(signatures=[{"sig": "!"}]), lambda d: d.pop("signatures"),
    lambda d: d.pop("payloadType"), lambda d: d.update(payloadType=""),
])  # fmt: skip
def test_a_broken_envelope_is_listed_and_feeds_nothing(change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(signed(statement()))
    change(data)
    document = one(json.dumps(data).encode())
    assert (document.item.verified, document.item.feeds) == (False, ("unverified_attestations",))


@pytest.mark.parametrize("raw", [
    b'{"attestations":[]}', b'{"version":1,"attestation_bundles":[]}', b'{"attestation_bundles":[{"attestations":[]},null,3]}',
    b'{"provenance_summary":{"provenance":[]}}', b'{"provenance_summary":{"provenance":7}}',
])  # fmt: skip
def test_a_wrapper_without_attestations_does_not_vanish(raw: bytes) -> None:
    with pytest.raises(Refusal, match="PE413"):
        read(raw)


@pytest.mark.parametrize("raw", [
    b'{"attestations":[{"bundle":null},{"bundle":[]},3]}', b'{"attestation_bundles":[{"attestations":[null,{"version":1}]}]}',
    b'{"version":2,"verification_material":{},"envelope":{}}', b'{"version":1,"verification_material":[],"envelope":3}',
    b'{"provenance_summary":{"provenance":[{"envelope":null},null]}}', b'{"signed":{"_type":"link"},"signatures":[{"sig":"zz"}]}',
    b'{"signed":{"_type":"layout"},"signatures":null}', b'{"signed":{"_type":[]},"signatures":[]}', b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":3}',
])  # fmt: skip
def test_rubbish_in_a_wrapper_is_listed(raw: bytes) -> None:
    documents = read(raw)
    assert documents
    assert {d.item.verified for d in documents} == {False}


def test_lines_and_wrappers_give_one_item_for_each_envelope() -> None:
    raw = signed(statement()) + signed(statement(VSA, {"verificationResult": "PASSED"}))
    names = [d.item.name for d in read(raw, name="all.jsonl")]
    assert names == ["all.jsonl#/0", "all.jsonl#/1"]
    assert len({d.item.digest for d in read(raw)}) == 1


REAL = Trust("digest", (
    keyed("google", "slsa/vsa_signing_public_key.pem"), keyed("carl", "in-toto/carl.pub"), keyed("gcb", "gcb/global-pae-google-hosted-worker_1.key"),
    keyed("gcb us-west2", "gcb/us-west2.key"),
    TrustedSigner("bcr", "service", ("*",), identity="https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/tags/v0.0.1", issuer=ISSUER),
    TrustedSigner("pypi", "service", ("*",), issuer=ISSUER,
                  identity_pattern="https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/*"),
    TrustedSigner("generator", "service", ("*",), issuer=ISSUER,
                  identity_pattern="https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/*"),
), sigstore_root=(DATA / "trust" / "public-good-trusted_root.json").read_bytes())  # fmt: skip


@pytest.mark.parametrize(("path", "verdicts"), [
    ("slsa/MODULE.bazel.intoto.jsonl", [(True, "")]), ("slsa/MODULE-wrong-signer.bazel.intoto.jsonl", [(False, "who is not trusted here")]),
    ("slsa/gha-generic-v2.1.0.intoto.jsonl", [(True, "")]), ("slsa/annotated-tag.intoto.jsonl", [(False, "no signature by a trusted key")]),
    ("slsa/gke-gce-pre.bcid-vsa.jsonl", [(False, "the signature holds, but it is not evidence: a subject has no strong digest, only gce_image_id")]),
    ("npm/gundam-visor-cli-v1-tag.tgz.json", [(False, "no signature by a trusted key"), (False, "log entries of kind `intoto 0.0.2`")]),
    ("npm/gundam-visor-cli-v1-tag-invalidsigprov.tgz.json", [(False, "no signature by a trusted key"), (False, "does not fit its content")]),
    ("gcb/v1.0-gcloud-container-github.json", [(True, ""), (False, "no signature by a trusted key")]),
    ("gcb/gcloud-container-github-v03.json", [(False, "no signature by a trusted key")]),
    ("pypi/pypi_attestation_models-0.0.4a2.tar.gz.attestation", [(True, "")]), ("predicates/certify-novuln-v02.json", [(False, "nobody signed it")]),
    ("in-toto/package.2f89b927.link", [(True, "makes no statement")]), ("in-toto/package.dsse.link", [(False, "not an in-toto statement")]),
])  # fmt: skip
def test_real_files(path: str, verdicts: list[tuple[bool, str]]) -> None:
    documents = read((DATA / path).read_bytes(), REAL, name=path)
    assert [d.item.verified for d in documents] == [verified for verified, _ in verdicts]
    for document, (verified, said) in zip(documents, verdicts, strict=True):
        assert said in (document.item.reason or "")
        assert ("attestations" in document.roots) is (verified and not said)


def test_a_real_provenance_of_the_old_form() -> None:
    (document,) = read((DATA / "slsa/gha-generic-v2.1.0.intoto.jsonl").read_bytes(), REAL)
    (row,) = rows(document, "provenances")
    assert row["source_uri"] == "git+https://github.com/slsa-framework/example-package@refs/tags/v14.2"
    assert row["source_digest"] == "gitcommit:4d329c75e7ec1725f7c9ce917a8799d408d06be3"
    assert row["signer_identity"].endswith("@refs/tags/v2.1.0")
    assert (row["signer_issuer"], "builder_level" in row) == (ISSUER, False)
    assert row["logged_at"].tzinfo is not None
