"""Who a certificate names: one URI or e-mail address and one issuer, letter by letter, or nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from policyengine.signing.certificate import (
    ISSUER,
    OLD_ISSUER,
    NoIdentity,
    claimed_identity,
    identity_of,
    leaf_of,
    time_of_signing,
)
from policyengine.signing.trust import TrustedSigner

KEY = ec.generate_private_key(ec.SECP256R1())
WHO = "https://github.com/plant/mes/.github/workflows/release.yml@refs/heads/main"
BY = "https://token.actions.githubusercontent.com"
URI, MAIL, HOST = x509.UniformResourceIdentifier, x509.RFC822Name, x509.DNSName


def der_text(text: str) -> bytes:
    raw = text.encode()
    return bytes([0x0C, len(raw)]) + raw


def certificate(names: list[Any], extensions: dict[str, bytes]) -> x509.Certificate:
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([])).issuer_name(x509.Name([])).public_key(KEY.public_key()).serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=10))
    )  # fmt: skip
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for oid, raw in extensions.items():
        made = made.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), raw), critical=False)
    return made.sign(KEY, hashes.SHA256())


@pytest.mark.parametrize(("names", "extensions", "identity"), [
    ([URI(WHO)], {ISSUER: der_text(BY)}, WHO), ([MAIL("a@plant.example")], {OLD_ISSUER: BY.encode()}, "a@plant.example"),
    ([URI(WHO)], {ISSUER: der_text(BY), OLD_ISSUER: b"https://other.example"}, WHO),
])  # fmt: skip
def test_one_name_and_one_issuer(names: list[Any], extensions: dict[str, bytes], identity: str) -> None:
    assert identity_of(certificate(names, extensions)) == (identity, BY)


@pytest.mark.parametrize(("names", "extensions"), [
    ([URI(WHO), URI("https://evil.example")], {ISSUER: der_text(BY)}), ([URI(WHO), MAIL("a@evil.example")], {ISSUER: der_text(BY)}),
    ([URI(WHO), HOST("evil.example")], {ISSUER: der_text(BY)}), ([HOST("plant.example")], {ISSUER: der_text(BY)}),
    ([URI(WHO), URI(WHO)], {ISSUER: der_text(BY)}), ([URI(WHO)], {}), ([URI(WHO)], {ISSUER: BY.encode()}),
    ([URI(WHO)], {ISSUER: der_text(BY) + b"x"}), ([URI(WHO)], {ISSUER: der_text(BY)[:-1]}), ([URI(WHO)], {ISSUER: b"\x0c"}),
    ([URI(WHO)], {ISSUER: b"\x0c\x81\x80" + b"a" * 128}),
])  # fmt: skip
def test_anything_else_names_nobody(names: list[Any], extensions: dict[str, bytes]) -> None:
    with pytest.raises(NoIdentity):
        identity_of(certificate(names, extensions))


def test_no_names_at_all() -> None:
    with pytest.raises(x509.ExtensionNotFound):
        identity_of(certificate([], {ISSUER: der_text(BY)}))
    assert claimed_identity({"certificate": {"rawBytes": "AAAA"}}) == claimed_identity(None) == claimed_identity([]) == ""


@pytest.mark.parametrize(("name", "issuer"), [
    (WHO + "\n", BY), (WHO + "\nhttps://evil.example", BY), ("x" + WHO, BY), (WHO + "x", BY), (WHO.upper(), BY), (WHO.replace(".", "x"), BY),
    (WHO + "/", BY), (WHO, BY + "/"), (WHO, BY.upper()), (WHO, "https://token.actions.githubusercontent.com.evil.example"), (WHO, BY + "\n"),
    (WHO.replace("heads/main", "heads/main2"), BY), (WHO.replace("plant/mes", "plant/mes2"), BY),
])  # fmt: skip
def test_almost_the_same_is_somebody_else(name: str, issuer: str) -> None:
    found = identity_of(certificate([URI(name)], {ISSUER: der_text(issuer)}))
    exact = TrustedSigner("s", "service", ("*",), identity=WHO, issuer=BY)
    pattern = TrustedSigner("s", "service", ("*",), identity_pattern=WHO.replace("release.yml", "*.yml"), issuer=BY)
    assert not exact.has_identity(*found)
    assert not pattern.has_identity(*found)
    assert exact.has_identity(WHO, BY)
    assert pattern.has_identity(WHO, BY)


@pytest.mark.parametrize("material", [{}, {"certificate": {}}, {"certificate": None}, {"certificate": {"rawBytes": "?"}},
                                      {"x509CertificateChain": {"certificates": []}}])  # fmt: skip
def test_no_certificate_is_an_error_that_the_caller_catches(material: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r".*"):
        leaf_of(material)


@pytest.mark.parametrize("material", [
    {}, {"tlogEntries": [{"integratedTime": "1766077479"}]}, {"tlogEntries": [{"integratedTime": "0", "inclusionPromise": {"x": 1}}]},
    {"tlogEntries": [{"integratedTime": "1", "inclusionPromise": {"x": 1}}] * 2},
    {"timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}] * 2}},
])  # fmt: skip
def test_a_time_that_nobody_promised_is_none(material: dict[str, Any]) -> None:
    assert time_of_signing(material) == (None, "")
