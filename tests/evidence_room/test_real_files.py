"""Files that others published: what each is comes out as its authors and independent tools say. Origins: the README beside each."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.evidence.document import Document
from policyengine.evidence.files import read_file
from policyengine.evidence.load import Reading, load
from policyengine.signing.keys import key_id_of, load_public
from policyengine.signing.trust import Trust, TrustedSigner

DATA = Path(__file__).parents[1] / "evidence"
ROOT = (DATA / "attestations/trust/public-good-trusted_root.json").read_bytes()
AT = datetime(2026, 11, 1, tzinfo=UTC)
GITHUB = "https://token.actions.githubusercontent.com"
PROVENANCE = "https://slsa.dev/provenance/v1"
BCR = "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/tags/v0.0.1"
BEACON = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
PYPI = "https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2"
A_TXT = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"


def by_identity(identity: str, issuer: str = GITHUB, *types: str) -> TrustedSigner:
    return TrustedSigner("the signer", "service", types or ("*",), identity=identity, issuer=issuer)


def by_key(path: str) -> TrustedSigner:
    pem = (DATA / path).read_bytes()
    return TrustedSigner("the signer", "service", ("*",), pem, key_id_of(load_public(pem, path)))


def trust(*signers: TrustedSigner) -> Trust:
    return Trust("sha256:00", signers, sigstore_root=ROOT)


def documents(path: str, trusted: Trust | None = None) -> tuple[Document, ...]:
    return load([read_file(DATA / path)], [], Reading(AT, trusted))


def rows(document: Document, root: str) -> list[Record]:
    found = document.roots.get(root)
    return [each for each in found.items if isinstance(each, Record)] if isinstance(found, Collection) else []


@pytest.mark.parametrize(("name", "version", "components", "top_level", "dependencies", "vulnerabilities"), [
    ("cern-lhc-vdm-editor.cdx.json", "1.2", 43, 43, 0, 0),
    ("granite-4.1-30b-base.cdx.json", "1.7", 29, 29, 0, 0),
    ("valid-vulnerability-1.6.cdx.json", "1.6", 1, 1, 0, 1),
    ("trivy-npm.cdx.json", "1.7", 13, 13, 14, 1),
    ("guac-components-nested.cdx.json", "1.4", 3, 1, 3, 0),
    ("samd-cardiosense.cdx.json", "1.5", 15, 15, 0, 0),
    ("witness-alpine.cdx.json", "1.5", 15, 15, 10, 0),
    ("sbomqs-component-dependencies.cdx.json", "1.6", 3, 3, 4, 0),
])  # fmt: skip
def test_boms_are_counted_as_published(name: str, version: str, components: int, top_level: int, dependencies: int,
                                       vulnerabilities: int) -> None:  # fmt: skip
    (document,) = documents(f"sbom/{name}")
    item = document.item
    assert (item.kind, item.format) == ("sbom", f"cyclonedx {version}")
    assert item.counts == {"components": components, "top_level": top_level, "dependencies": dependencies,
                           "vulnerabilities": vulnerabilities}  # fmt: skip
    raw = (DATA / "sbom" / name).read_bytes()
    assert (item.digest, item.size) == (sha256_of(raw), len(raw))
    assert item.digest.removeprefix("sha256:") in (DATA / "sbom/README.md").read_text()
    assert item.verified is None, "CycloneDX carries no signature that is judged"
    sbom = document.roots["sbom"]
    assert isinstance(sbom, Record)
    listed = sbom.fields["components"]
    assert isinstance(listed, Collection)
    assert len(listed.items) == components


def test_what_the_authors_call_invalid_is_refused_with_its_place() -> None:
    with pytest.raises(Refusal) as refused:
        documents("sbom/invalid-hash-sha256-1.6.cdx.json")
    (problem,) = refused.value.diagnostics
    assert (problem.code, problem.pointer) == ("PE411", "/components/0/hashes/2/content")


def test_a_stated_composition_is_taken_and_silence_is_not() -> None:
    assert documents("sbom/granite-4.1-30b-base.cdx.json")[0].item.completeness is Completeness.COMPLETE
    assert documents("sbom/cern-lhc-vdm-editor.cdx.json")[0].item.completeness is Completeness.NOT_STATED


GOOD: list[Any] = [
    ("attestations/slsa/MODULE.bazel.intoto.jsonl", by_identity(BCR), "sigstore bundle 0.3", PROVENANCE, "provenances", BCR),
    ("attestations/slsa/gha-generic-v2.1.0.intoto.jsonl",
     by_identity("https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"),
     "sigstore bundle 0.3", "https://slsa.dev/provenance/v0.2", "provenances", "generator_generic_slsa3"),
    ("attestations/sigstore/happy-path-intoto-in-dsse-v3.json", by_identity(BEACON), "sigstore bundle 0.3", PROVENANCE, "provenances", BEACON),
    ("attestations/pypi/pypi_attestation_models-0.0.4a2.tar.gz.attestation", by_identity(PYPI), "pep 740 attestation 1",
     "https://docs.pypi.org/attestations/publish/v1", "attestations", PYPI),
    ("sigstore/bundleV02-dsse.json", by_identity("brian@dehamer.com", "https://github.com/login/oauth"), "sigstore bundle 0.2",
     "https://github.com/npm/attestation/tree/main/specs/publish/v0.1", "attestations", "brian@dehamer.com"),
    ("sigstore/model-v1.1.0-sigstore.json", by_identity("stefanb@us.ibm.com", "https://sigstore.verify.ibm.com/oauth2"),
     "sigstore bundle 0.3", "https://model_signing/signature/v1.0", "attestations", "stefanb@us.ibm.com"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "signer", "form", "kind", "root", "identity"), GOOD)
def test_good_ones_hold_for_their_signer(
    path: str, signer: TrustedSigner, form: str, kind: str, root: str, identity: str
) -> None:
    (document,) = documents(path, trust(signer))
    item = document.item
    assert (item.kind, item.format) == ("attestation", f"{form}, {kind}")
    assert item.verified is True, item.reason
    assert item.counts == {"subjects": 1}
    assert item.signer is not None
    assert identity in item.signer
    assert item.digest == sha256_of((DATA / path).read_bytes())
    (row,) = rows(document, root)
    assert all(str(each).startswith(("sha256:", "sha512:")) for each in row.fields["subject_digests"])  # type: ignore[attr-defined]
    assert rows(document, "attestations")
    assert not rows(document, "unverified_attestations")


@pytest.mark.parametrize(("path", "signer", "form", "kind", "root", "identity"), GOOD)
@pytest.mark.parametrize("change", [
    {"identity": "somebody else"}, {"issuer": "https://issuer.example"}, {"predicate_types": ("https://example.com/other",)},
    {"valid_from": datetime(2030, 1, 1, tzinfo=UTC)}, {"valid_until": datetime(2001, 1, 1, tzinfo=UTC)},
])  # fmt: skip
def test_good_ones_hold_for_nobody_else(path: str, signer: TrustedSigner, form: str, kind: str, root: str, identity: str,
                                        change: dict[str, Any]) -> None:  # fmt: skip
    (document,) = documents(path, trust(replace(signer, **change)))
    assert document.item.verified is False
    assert document.item.reason
    assert set(document.item.feeds) == {"unverified_attestations"}
    assert not rows(document, root)
    assert len(rows(document, "unverified_attestations")) == 1


@pytest.mark.parametrize("path", [case[0] for case in GOOD])
def test_without_trust_nothing_is_verified(path: str) -> None:
    (document,) = documents(path)
    assert document.item.verified is False
    assert str(document.item.reason).startswith("not judged: no ")


@pytest.mark.parametrize(("path", "said"), [
    ("attestations/sigstore/dsse-invalid-sig_fail.json", "does not fit its content"),
    ("attestations/sigstore/set-invalid-signature_fail.json", "invalid"),
    ("attestations/sigstore/checkpoint-wrong-roothash_fail.json", "root hash"),
    ("attestations/sigstore/integrated-time-in-future_fail.json", "not valid at validation time"),
    ("attestations/slsa/MODULE-wrong-signer.bazel.intoto.jsonl", "malicious_attestation.yaml@refs/heads/main"),
    ("attestations/sigstore/bundleV03-intoto.json", "not judged"),
    ("attestations/slsa/annotated-tag.intoto.jsonl", "not judged"),
    ("attestations/predicates/certify-novuln-v02.json", "nobody signed it"),
])  # fmt: skip
def test_bad_ones_feed_nothing_and_say_why(path: str, said: str) -> None:
    (document,) = documents(path, trust(by_identity(BCR), by_identity(BEACON)))
    assert document.item.verified is False
    assert said in str(document.item.reason)
    assert set(document.item.feeds) == {"unverified_attestations"}


def test_a_verification_summary_without_a_strong_digest_is_no_evidence() -> None:
    signer = by_key("attestations/slsa/vsa_signing_public_key.pem")
    (document,) = documents("attestations/slsa/gke-gce-pre.bcid-vsa.jsonl", trust(signer))
    assert "the signature holds, but it is not evidence: a subject has no strong digest" in str(document.item.reason)


def test_each_attestation_of_an_index_is_judged_alone() -> None:
    """The registry's key signed one, a workflow the other; the log entry of the second is of a kind that is not judged."""
    found = documents("attestations/npm/gundam-visor-cli-v1-tag-invalidsigprov.tgz.json", trust(by_identity(BCR)))
    assert [document.item.name.rpartition("#")[2] for document in found] == ["/attestations/0", "/attestations/1"]
    assert all(document.item.verified is False for document in found)
    assert "does not fit its content" in str(found[1].item.reason)


def test_a_file_signed_with_a_managed_key() -> None:
    (document,) = documents("sigstore/managed-key-happy-path.json", trust(by_key("sigstore/managed-key-happy-path.pub")))
    assert document.item.verified is True
    assert A_TXT in str(document.item.reason), "the file that it covers is named"
    assert document.item.feeds == (), "a signature over a file states nothing that a rule can use"
    (other,) = documents("sigstore/managed-key-happy-path.json", trust(by_key("attestations/slsa/vsa_signing_public_key.pem")))
    assert other.item.verified is False
