"""SBOMs that want a pass without evidence."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.evidence.load import Reading, load

AT = datetime(2026, 11, 1, tzinfo=UTC)
HEX = "ab" * 32
PART: dict[str, Any] = {"type": "library", "bom-ref": "a", "name": "openssl", "version": "3.0.1", "purl": "pkg:generic/openssl@3.0.1",
                        "hashes": [{"alg": "SHA-256", "content": HEX}]}  # fmt: skip
BOM: dict[str, Any] = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
    "metadata": {"timestamp": "2026-10-01T00:00:00Z", "component": {"type": "application", "bom-ref": "root", "name": "mes", "version": "4.2.0"}},
    "components": [PART], "dependencies": [{"ref": "root", "dependsOn": ["a"]}],
}  # fmt: skip


def bom(**changes: Any) -> dict[str, Any]:
    made = {**copy.deepcopy(BOM), **changes}
    return {key: value for key, value in made.items() if value != "absent"}


def part(**changes: Any) -> dict[str, Any]:
    made = {**copy.deepcopy(PART), **changes}
    return bom(components=[{key: value for key, value in made.items() if value != "absent"}])


def read(document: Any) -> Document:
    (found,) = load([SourceFile("s.json", json.dumps(document).encode())], [], Reading(AT))
    return found


def refused(document: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refusal) as problem:
        read(document)
    return problem.value.diagnostics


def sbom_of(document: Document) -> Record:
    found = document.roots["sbom"]
    assert isinstance(found, Record)
    return found


def components(document: Document) -> list[Record]:
    found = sbom_of(document).fields["components"]
    assert isinstance(found, Collection)
    return [each for each in found.items if isinstance(each, Record)]


def test_the_honest_one_is_read() -> None:
    (row,) = components(read(BOM))
    assert row.fields["digests"] == (f"sha256:{HEX}",)


@pytest.mark.parametrize(("document", "pointer"), [
    (bom(components=None), "/components"), (bom(components={}), "/components"), (bom(components="x"), "/components"),
    (bom(components=[None]), "/components/0"), (bom(components=[[]]), "/components/0"), (bom(version="1"), "/version"),
    (bom(version=0), "/version"), (bom(component=[]), ""), (part(hash=[]), "/components/0"), (part(name=None), "/components/0/name"),
    (part(name="absent"), "/components/0"), (part(name=""), "/components/0/name"), (part(name=" "), "/components/0/name"),
    (part(type="foo"), "/components/0/type"), (part(version=7), "/components/0/version"),
    (bom(metadata={"timestamp": "2026-10-01T00:00:00"}), "/metadata/timestamp"),
    (bom(metadata={"timestamp": "2026-02-30T00:00:00Z"}), "/metadata/timestamp"),
    (bom(metadata={"timestamp": "2026-11-01T00:00:01Z"}), "/metadata/timestamp"),
    (bom(metadata={"timestamp": "2026-11-01T01:00:00+00:30"}), "/metadata/timestamp"),
    (bom(dependencies=[{"ref": "root", "dependsOn": ["nobody"]}]), "/dependencies/0"),
    (bom(dependencies=[{"ref": "nobody", "dependsOn": []}]), "/dependencies/0"),
    (bom(dependencies=[{"ref": "a"}, {"ref": "a", "dependsOn": ["root"]}]), "/dependencies"),
    (bom(components=[PART, {**PART, "name": "other"}]), "/components/1/bom-ref"),
    (bom(components=[{**PART, "bom-ref": "root"}]), "/components/0/bom-ref"),
    (part(purl="pkg:generic/openssl@9.9.9"), "/components/0/purl"),
])  # fmt: skip
def test_what_two_readers_would_read_differently_is_refused(document: Any, pointer: str) -> None:
    problems = refused(document)
    assert any(each.pointer.startswith(pointer) for each in problems), [each.headline for each in problems]


@pytest.mark.parametrize("version", ["9.9", 1.6, None, "1.6 ", "", ["1.6"], "1.1", "2.0"])
def test_an_unknown_version_is_named(version: Any) -> None:
    (problem,) = refused(bom(specVersion=version))
    assert (problem.code, problem.pointer) == ("PE410", "/specVersion")
    assert str(version) in problem.message


@pytest.mark.parametrize("content", [
    "ab" * 20, "zz" * 32, f"sha256:{HEX}", f"{HEX}\n", f" {HEX}", HEX[:-1], "", "a" * 65, "０" * 64,
])  # fmt: skip
def test_what_is_no_sha256_is_refused(content: str) -> None:
    assert any(
        each.pointer.startswith("/components/0/hashes/0")
        for each in refused(part(hashes=[{"alg": "SHA-256", "content": content}]))
    )


def test_upper_case_is_the_same_digest() -> None:
    (row,) = components(read(part(hashes=[{"alg": "SHA-256", "content": HEX.upper()}])))
    assert row.fields["digests"] == (f"sha256:{HEX}",)
    assert row.fields["strongly_hashed"] is True


@pytest.mark.parametrize(
    "hashes", ["absent", [], [{"alg": "MD5", "content": "ab" * 16}], [{"alg": "SHA-1", "content": "ab" * 20}]]
)
def test_no_hash_or_a_weak_one_is_no_strong_hash(hashes: Any) -> None:
    (row,) = components(read(part(hashes=hashes)))
    assert row.fields["strongly_hashed"] is False
    assert not any(str(each).startswith("sha256:") for each in row.fields.get("digests", ()))  # type: ignore[attr-defined]


def test_two_digests_of_one_algorithm_contradict() -> None:
    (problem,) = refused(part(hashes=[{"alg": "SHA-256", "content": HEX}, {"alg": "SHA-256", "content": "cd" * 32}]))
    assert problem.pointer == "/components/0/hashes/1"
    assert HEX in problem.message
    assert "cd" * 32 in problem.message


@pytest.mark.parametrize(("purl", "version", "good"), [
    ("pkg:npm/%40scope/x@1.0.0", "1.0.0", True), ("pkg:npm/@scope/x", "1.0.0", True), ("pkg:golang/a/b@v1.2.3", "1.2.3", True),
    ("pkg:golang/a/b@1.2.3", "v1.2.3", True), ("pkg:deb/debian/x@2.0%2Bdfsg-1?arch=amd64", "2.0+dfsg-1", True),
    ("pkg:rpm/x@2.0-1?epoch=1", "1:2.0-1", True), ("pkg:generic/x@1.0#sub@2", "1.0", True), ("pkg:generic/x@1.0?a=b@2", "1.0", True),
    ("pkg:generic/x@1.0", "1.0.0", False), ("pkg:generic/x@4.1.9", "4.2.0", False), ("pkg:npm/%40scope/x@1.0.1", "1.0.0", False),
])  # fmt: skip
def test_purl_and_version_agree_or_both_are_shown(purl: str, version: str, good: bool) -> None:
    document = part(purl=purl, version=version)
    if good:
        assert read(document).item.kind == "sbom"
        return
    (problem,) = refused(document)
    assert f"`{version}`" in problem.message
    assert "`" + purl.rpartition("@")[2] + "`" in problem.message


def nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "library", "name": "deepest", "bom-ref": "deepest"}
    for level in range(depth):
        made = {"type": "library", "name": f"n{level}", "bom-ref": f"n{level}", "components": [made]}
    return made


@pytest.mark.parametrize("depth", [1, 40])
def test_components_are_found_at_every_depth(depth: int) -> None:
    rows = components(read(bom(components=[nested(depth)], dependencies="absent")))
    assert len(rows) == depth + 1
    assert "deepest" in {row.fields["name"] for row in rows}


def test_components_below_the_product_are_found() -> None:
    product = {**BOM["metadata"]["component"], "components": [nested(3)]}
    rows = components(read(bom(metadata={"component": product})))
    assert {row.fields["name"] for row in rows} == {"openssl", "n0", "n1", "n2", "deepest"}
    assert len({row.origin.pointer for row in rows if row.origin}) == 5


@pytest.mark.parametrize(("depth", "limit"), [(70, "`component depth`"), (900, "`JSON depth`")])
def test_nesting_meets_a_limit_with_a_name(depth: int, limit: str) -> None:
    text = '{"type":"library","name":"x","components":[' * depth + "]}" * depth
    raw = json.dumps(bom(components="X")).replace('"X"', f"[{text}]").encode()
    with pytest.raises(Refusal, match=limit):
        load([SourceFile("s.json", raw)], [], Reading(AT))


def test_a_cycle_is_read() -> None:
    document = read(bom(dependencies=[{"ref": "root", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["root", "a"]}]))
    assert document.item.counts["dependencies"] == 2


@pytest.mark.parametrize("document", [bom(components=[], metadata="absent", dependencies=[]),
                                      bom(components="absent", metadata="absent", dependencies="absent")])  # fmt: skip
def test_a_bom_of_nothing_feeds_nothing(document: Any) -> None:
    found = read(document)
    assert (found.item.kind, found.item.feeds, dict(found.roots)) == ("bom", (), {})
    assert found.item.reason


def test_an_empty_list_and_no_list_are_told_apart() -> None:
    empty = sbom_of(read(bom(components=[], dependencies=[]))).fields["components"]
    assert isinstance(empty, Collection)
    assert (empty.items, empty.state) == ((), Completeness.NOT_STATED)
    assert "components" not in sbom_of(read(bom(components="absent", dependencies=[]))).fields


def test_its_own_signature_is_not_a_verified_one() -> None:
    signature = {"algorithm": "ES256", "value": "AAAA"}
    document = read(bom(signature=signature))
    assert document.item.verified is None
    assert "not checked" in str(document.item.reason)
    assert "signed" not in sbom_of(document).fields


@pytest.mark.parametrize("aggregate", ["incomplete", "incomplete_first_party_only", "incomplete_third_party_only"])
def test_who_says_incomplete_is_incomplete(aggregate: str) -> None:
    said = [{"aggregate": "complete", "assemblies": ["root"]}, {"aggregate": aggregate, "assemblies": ["a"]}]
    assert read(bom(compositions=said)).item.completeness is Completeness.INCOMPLETE


def test_complete_counts_only_for_the_product_itself() -> None:
    assert read(bom(compositions=[{"aggregate": "complete", "assemblies": ["a"]}])).item.completeness is Completeness.NOT_STATED
    assert (
        read(bom(compositions=[{"aggregate": "complete", "dependencies": ["root"]}])).item.completeness
        is Completeness.NOT_STATED
    )
    assert (
        read(bom(compositions=[{"aggregate": "complete", "assemblies": ["root"]}])).item.completeness is Completeness.COMPLETE
    )


def test_nothing_about_vulnerabilities_is_not_no_vulnerabilities() -> None:
    for document in (bom(), bom(vulnerabilities=[])):
        found = sbom_of(read(document)).fields["vulnerabilities"]
        assert isinstance(found, Collection)
        assert found.state is Completeness.INCOMPLETE


@pytest.mark.parametrize(
    "ref",
    [
        "nobody",
        "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a",
        "urn:cdx:00000000-0000-0000-0000-000000000000/1#a",
        f"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/{'9' * 5000}#a",
    ],
)
def test_a_vex_of_another_document_clears_nothing_here(ref: str) -> None:
    vulnerability = {"id": "CVE-2026-1", "affects": [{"ref": ref}], "analysis": {"state": "not_affected"}}
    document = read(bom(vulnerabilities=[vulnerability]))
    found = sbom_of(document).fields["vulnerabilities"]
    assert isinstance(found, Collection)
    (row,) = found.items
    assert isinstance(row, Record)
    assert row.fields == {"id": "CVE-2026-1"}
    assert any(ref in each for each in document.item.warnings)


def test_a_second_lower_rating_takes_nothing_away() -> None:
    ratings = [{"method": "CVSSv31", "score": 9.8, "severity": "critical"}, {"method": "CVSSv4", "score": 0.1, "severity": "low"},
               {"method": "other", "score": 99}, {"severity": "unknown"}]  # fmt: skip
    document = read(bom(vulnerabilities=[{"id": "CVE-2026-1", "affects": [{"ref": "a"}], "ratings": ratings}]))
    found = sbom_of(document).fields["vulnerabilities"]
    assert isinstance(found, Collection)
    (row,) = found.items
    assert isinstance(row, Record)
    assert (row.fields["severity"], str(row.fields["cvss_score"])) == ("critical", "9.8")


def test_a_vulnerability_without_products_may_mean_any_of_them() -> None:
    document = read(bom(vulnerabilities=[{"id": "CVE-2026-1", "analysis": {"state": "not_affected"}}]))
    assert any("names no affected component" in each for each in document.item.warnings)


@pytest.mark.parametrize(("name", "told"), [
    ("\u043epenssl", "U+043E CYRILLIC SMALL LETTER O"), ("opens\u0455l", "U+0455"), ("openss\u217c", "U+217C"), ("\u03bfpenssl", "U+03BF GREEK"),
])  # fmt: skip
def test_a_look_alike_is_another_name_and_its_letters_are_told(name: str, told: str) -> None:
    document = read(part(name=name, purl="absent"))
    (row,) = components(document)
    assert row.fields["name"] != "openssl"
    assert any(told in each for each in document.item.warnings)


def test_two_spellings_of_one_text_are_one() -> None:
    composed, taken_apart = (
        components(read(part(name=name, purl="absent")))[0].fields["name"] for name in ("caf\u00e9", "cafe\u0301 ")
    )
    assert composed == taken_apart == "caf\u00e9"


@pytest.mark.parametrize("name", ["openssl", "библиотека", "日本語", "naïve-café_2.0", "4.2-rc1"])
def test_honest_names_are_not_suspected(name: str) -> None:
    assert read(part(name=name, purl="absent")).item.warnings == ()


@pytest.mark.parametrize("subject", ["sha256:" + "00" * 32])
def test_the_sbom_of_another_release_is_not_used(subject: str) -> None:
    from policyengine.evidence.release import Subject

    found = assemble([read(BOM)], Context(AT, subjects=(Subject("mes-4.1.9.tar.gz", (subject,)),)))
    assert "sbom" not in found.roots
    (item,) = found.items
    assert "4.2.0" in str(item.reason)
    assert "4.1.9" in str(item.reason)


def test_order_changes_nothing() -> None:
    turned = dict(reversed(list(bom(components=[PART, {**PART, "bom-ref": "b", "name": "zlib"}]).items())))
    first, second = read(bom(components=[PART, {**PART, "bom-ref": "b", "name": "zlib"}])), read(turned)
    assert [row.fields for row in components(first)] == [row.fields for row in components(second)]


def test_many_problems_are_told_up_to_a_limit() -> None:
    many = [{**PART, "bom-ref": f"r{i}", "hashes": [{"alg": "SHA-256", "content": "ab" * 20}]} for i in range(100)]
    assert 1 < len(refused(bom(components=many))) <= 21
