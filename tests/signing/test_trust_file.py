"""The trust file: exact, anchored, each key once; what is not understood is refused with its place."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.signing.keys import new_key
from policyengine.signing.trust import Trust, TrustedSigner, load_trust

PAGE = Path(__file__).parents[2] / "docs" / "trust.md"
ROOT = Path(__file__).parents[1] / "evidence" / "attestations" / "trust" / "public-good-trusted_root.json"
KEYS = {"a.pem": new_key().public_pem, "b.pem": new_key().public_pem}
ISSUER = "https://token.actions.githubusercontent.com"
REPO = "https://github.com/plant/mes/.github/workflows/release.yml@refs/tags/"


def reading(files: dict[str, bytes]) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    return read


def load(text: str) -> Trust:
    return load_trust(
        text.encode(), "trust.yaml", reading({**KEYS, "root.json": ROOT.read_bytes(), "no.json": b'{"mediaType":"x"}'})
    )


def test_the_example_of_the_page_is_a_trust_file() -> None:
    text = PAGE.read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    files = {"trusted_root.json": ROOT.read_bytes(), "keys/keller.pub.pem": KEYS["a.pem"], "keys/ruiz.pub.pem": KEYS["b.pem"]}
    trust = load_trust(text.encode(), "trust.yaml", reading(files))
    assert [s.name for s in trust.signers] == ["release builder", "tag builder", "Mara Keller", "Jon Ruiz"]
    assert trust.signers[2].valid_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert trust.threshold("urn:policyengine-gxp:attestation:v1") == 2
    assert list(trust.builder_levels(trust.signers[:1]).values()) == [3]
    assert not trust.builder_levels(trust.signers[1:])
    assert trust.root_digest is not None


SIGNER = "signers:\n  - name: a\n    key: a.pem\n    predicate_types: [k]\n"
KEYLESS = f"signers:\n  - name: a\n    issuer: {ISSUER}\n    predicate_types: [k]\n"


@pytest.mark.parametrize(("text", "said"), [
    ("[]", "a trust file is a mapping"), ("", "a trust file is a mapping"), ("signer: []", "there is no setting `signer`"),
    ("signers: {}\nsigstore: 3", "`sigstore` has one setting"), ("sigstore: {trusted_root: no.json}", "is not a Sigstore trusted root"),
    ("sigstore: {trusted_root: missing.json}", "cannot be read"), ("sigstore: {trusted_root: a.pem}", "PE401"),
    ("signers: [text]", "a signer is a mapping"), ("signers:\n  - key: a.pem\n    predicate_types: [k]", "a signer has a `name`"),
    (SIGNER.replace("a.pem", "missing.pem"), "cannot be read"), (SIGNER.replace("a.pem", "root.json"), "not a public key"),
    (SIGNER.replace("    predicate_types: [k]\n", ""), "`predicate_types` says what"), (SIGNER.replace("[k]", "k"), "is a list of texts"),
    (SIGNER.replace("[k]", "[]"), "`predicate_types` says what"), (SIGNER + "    roles: qa\n", "`roles` is a list of texts"),
    (SIGNER + "    issuer: x\n", "a key has no issuer"), (SIGNER + "    identity: x\n", "one of them; `key` and `identity` found"),
    (SIGNER.replace("    key: a.pem\n", ""), "one of them; none found"),
    (SIGNER + "    kind: person\n", "a person has a `person_id`"), (SIGNER + "    person_id: P-1\n", "a person has a `person_id`"),
    (SIGNER + "    kind: robot\n", "is not a kind of signer"), (SIGNER + "    kind: person\n    person_id: 17\n", "`person_id` is not plain text"),
    (SIGNER + "    valid_until: 2026-01-01\n", "not an RFC 3339 time"), (SIGNER + "    valid_until:\n", "/signers/0/valid_until"),
    (SIGNER + "    valid_from: 2026-02-01T00:00:00Z\n    valid_until: 2026-02-01T00:00:00Z\n", "is not after"),
    (SIGNER + "    expires: 2026-01-01T00:00:00Z\n", "there is no setting `expires`"),
    (SIGNER + SIGNER.removeprefix("signers:\n").replace("name: a", "name: b"), "two signers have one key"),
    (SIGNER + SIGNER.removeprefix("signers:\n").replace("a.pem", "b.pem"), "two signers have one name"),
    (KEYLESS, "one of them; none found"), (KEYLESS.replace(f"    issuer: {ISSUER}\n", "    identity: x\n"), "without its issuer proves nothing"),
    (KEYLESS + "    identity: https://host/*\n", "an identity is exact"), (KEYLESS + "    identity: {prefix: x}\n", "`identity` is not plain text"),
    (KEYLESS + '    identity: "x "\n', "`identity` is not plain text"), (KEYLESS + '    identity: "x\\ny"\n', "`identity` is not plain text"),
    (KEYLESS + '    identity_pattern: "*"\n', "leaves the host"), (KEYLESS + '    identity_pattern: "https://*/x"\n', "leaves the host"),
    (KEYLESS + '    identity_pattern: "https://github.com*/x"\n', "leaves the host"), (KEYLESS + '    identity_pattern: "a@*"\n', "leaves the host"),
    (KEYLESS + "    identity_pattern: https://host/x\n", "the pattern has no `*`"),
    (SIGNER + "thresholds: {k: 2}\n", "2 signers are needed and 1 may sign it"), (SIGNER + "thresholds: {k: 0}\n", "a threshold is a number"),
    (SIGNER + "thresholds: {k: true}\n", "a threshold is a number"), (SIGNER + "thresholds: [k]\n", "`thresholds` maps"),
    (SIGNER + "builders: [{id: x, level: 3}]\n", "needs the `signers`"), (SIGNER + "builders: [{id: x, level: 5, signers: [a]}]\n", "a number from 0 to 4"),
    (SIGNER + "builders: [{id: x, level: 3, signers: [b]}]\n", "there is no signer `b`"), (SIGNER + "builders: {x: 3}\n", "0 signers may sign provenance"),
    (SIGNER + "builders: [{id: x, level: 3, signers: [a]}, {id: x, level: 1, signers: [a]}]\n", "one builder id is there twice"),
    (SIGNER + SIGNER, "the key `signers` is there twice"), ("signers: &a []\nbuilders: *a", "anchors and aliases"),
])  # fmt: skip
def test_what_is_not_understood_is_refused(text: str, said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        load(text)
    lines = "\n".join(f"{each.headline} {each.hint}" for each in refusal.value.diagnostics)
    assert said.replace("a number from 0 to 4", "SLSA build level") in lines


def test_all_problems_come_at_once() -> None:
    with pytest.raises(Refusal) as refusal:
        load(SIGNER.replace("a.pem", "missing.pem") + "    roles: qa\nbuildres: {}\n")
    assert len(refusal.value.diagnostics) == 3


def test_the_short_form_of_builders_is_tied_to_the_only_signer_of_provenance() -> None:
    trust = load(SIGNER.replace("[k]", '["https://slsa.dev/provenance/v1"]') + "builders: {x: 3}\n")
    assert dict(trust.builder_levels(trust.signers)) == {"x": 3}


def test_every_file_counts_for_the_digest() -> None:
    files = dict(KEYS)
    first = load_trust(SIGNER.encode(), "t", reading(files)).digest
    files["a.pem"] = KEYS["b.pem"]
    assert load_trust(SIGNER.encode(), "t", reading(files)).digest != first
    assert load_trust(SIGNER.replace("[k]", "[l]").encode(), "t", reading(KEYS)).digest != first
    assert load_trust(b"# a remark\n" + SIGNER.encode(), "t", reading(KEYS)).digest == first


def keyless(**identity: str) -> TrustedSigner:
    return TrustedSigner("ci", "service", ("*",), issuer=ISSUER, **identity)


@pytest.mark.parametrize(("identity", "issuer", "same"), [
    (f"{REPO}v1.0", ISSUER, True), (f"{REPO}v1.0 ", ISSUER, False), (f"{REPO}v1.0\n", ISSUER, False), (f"{REPO}v1.0.1", ISSUER, False),
    (f"x{REPO}v1.0", ISSUER, False), (f"{REPO}V1.0", ISSUER, False), (f"{REPO}v1x0", ISSUER, False), ("", ISSUER, False),
    (f"{REPO}v1.0", ISSUER + "/", False), (f"{REPO}v1.0", ISSUER.upper(), False), (f"{REPO}v1.0", "", False),
    (f"{REPO}v1.0".replace("plant", "plаnt"), ISSUER, False), ("release@plant.example", ISSUER, False),
])  # fmt: skip
def test_identity_and_issuer_compare_exactly(identity: str, issuer: str, same: bool) -> None:
    assert keyless(identity=f"{REPO}v1.0").has_identity(identity, issuer) is same


@pytest.mark.parametrize(("pattern", "identity", "fits"), [
    (REPO + "*", f"{REPO}v1.0", True), (REPO + "*", REPO, False), (REPO + "*", f"{REPO}v1/evil", False), (REPO + "*", f"{REPO}v1\n", False),
    (REPO + "*", f"{REPO}v1@x", False), (REPO + "*", f"{REPO}v 1", False), (REPO + "*", f"{REPO}v\x001", False),
    (REPO + "*", f"{REPO}v1".replace("github.com", "githubxcom"), False), (REPO + "*", f"https://evil.example/?{REPO}v1", False),
    (REPO + "v*-gxp", f"{REPO}v1-gxp", True), (REPO + "v*-gxp", f"{REPO}v1-gxp-not", False),
    ("*@plant.example", "qa@plant.example", True), ("*@plant.example", "qa@evil@plant.example", False),
    ("*@plant.example", "qa@plant.example.evil", False), ("*@plant.example", "@plant.example", False),
])  # fmt: skip
def test_a_pattern_is_anchored_and_stays_in_its_step(pattern: str, identity: str, fits: bool) -> None:
    assert keyless(identity_pattern=pattern).has_identity(identity, ISSUER) is fits
    assert not keyless(identity_pattern=pattern).has_identity(identity, ISSUER + "/")


def test_an_entry_without_issuer_fits_nobody() -> None:
    assert not TrustedSigner("ci", "service", ("*",), identity="x").has_identity("x", "")
