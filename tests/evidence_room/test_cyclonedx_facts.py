"""What a CycloneDX document says, and no more: completeness, licences, identity, findings, each with its place."""

import gc
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.model import Collection, Completeness, Record, Version
from policyengine.evidence.cyclonedx_components import licence_expression
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.evidence.load import Reading, load

AT = datetime(2026, 11, 1, tzinfo=UTC)
SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"
PRODUCT = {"type": "application", "bom-ref": "mes", "name": "mes", "version": "4.2.0"}
A = {"type": "library", "bom-ref": "a", "name": "a", "version": "1.2.0", "purl": "pkg:npm/a@1.2.0"}
B = {"type": "library", "bom-ref": "b", "name": "b", "version": "2.0"}


def bom(**changes: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "serialNumber": f"urn:uuid:{SERIAL}",
            "metadata": {"component": PRODUCT}, "components": [A, B], **changes}  # fmt: skip


def read(document: Any) -> Document:
    (found,) = load([SourceFile("s.json", json.dumps(document).encode())], [], Reading(AT))
    return found


def refused(document: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refusal) as problem:
        read(document)
    return problem.value.diagnostics


def collection(document: Document, name: str) -> Collection:
    sbom = document.roots["sbom"]
    assert isinstance(sbom, Record)
    found = sbom.fields[name]
    assert isinstance(found, Collection)
    return found


def rows(document: Document, name: str) -> list[Record]:
    return [each for each in collection(document, name).items if isinstance(each, Record)]


def component(**changes: Any) -> Record:
    return rows(read(bom(components=[{**A, **changes}])), "components")[0]


# Completeness


@pytest.mark.parametrize(("compositions", "components", "dependencies"), [
    ([], "not_stated", "not_stated"),
    ([{"aggregate": "complete", "assemblies": ["mes"], "dependencies": ["mes"]}], "complete", "complete"),
    ([{"aggregate": "complete"}], "complete", "complete"),
    ([{"aggregate": "complete", "assemblies": ["a"]}], "not_stated", "not_stated"),
    ([{"aggregate": "complete", "assemblies": ["mes"]}, {"aggregate": "unknown", "assemblies": ["a"]}], "incomplete", "incomplete"),
    ([{"aggregate": "unknown", "assemblies": ["mes"]}], "incomplete", "incomplete"),
    ([{"aggregate": "not_specified", "assemblies": ["mes"]}], "not_stated", "not_stated"),
    ([{"aggregate": "complete", "assemblies": ["mes"]}, {"aggregate": "unknown", "assemblies": ["mes"]}], "incomplete", "incomplete"),
    ([{"aggregate": "complete", "assemblies": ["mes"]}, {"aggregate": "incomplete", "assemblies": ["mes"]}], "incomplete", "incomplete"),
    ([{"aggregate": "complete", "assemblies": ["mes"]}, {"aggregate": "not_specified", "assemblies": ["mes"]}], "not_stated", "not_stated"),
    ([{"aggregate": "not_specified"}, {"aggregate": "complete"}], "not_stated", "not_stated"),
    ([{"aggregate": "incomplete_third_party_only", "assemblies": ["a"]}], "incomplete", "incomplete"),
    ([{"aggregate": "incomplete", "dependencies": ["a"]}, {"aggregate": "complete", "assemblies": ["mes"]}], "complete", "incomplete"),
    ([{"aggregate": "incomplete", "vulnerabilities": ["x"]}, {"aggregate": "complete", "assemblies": ["mes"]}], "complete", "not_stated"),
])  # fmt: skip
def test_completeness_is_what_the_author_stated_of_that_list(
    compositions: list[dict[str, Any]], components: str, dependencies: str
) -> None:
    document = read(bom(compositions=compositions, dependencies=[{"ref": "mes", "dependsOn": ["a", "b"]}]))
    assert collection(document, "components").state.value == components
    assert collection(document, "dependencies").state.value == dependencies
    assert document.item.completeness.value == components
    assert bool(collection(document, "components").reason) is (components == "incomplete")


def test_without_the_key_a_list_is_absent_and_not_empty() -> None:
    sbom = read(bom()).roots["sbom"]
    assert isinstance(sbom, Record)
    assert "dependencies" not in sbom.fields
    assert collection(read(bom(dependencies=[])), "dependencies").items == ()


def test_an_entry_without_depends_on_has_none_and_no_entry_says_nothing() -> None:
    (row,) = rows(read(bom(dependencies=[{"ref": "a"}])), "dependencies")
    assert row.fields == {"ref": "a", "depends_on": ()}


def test_what_is_nested_counts_as_dependency_and_that_is_said() -> None:
    document = read(bom(components=[{**A, "components": [B]}], dependencies=[{"ref": "a", "dependsOn": []}]))
    (row,) = rows(document, "dependencies")
    assert row.fields["depends_on"] == ("b",)
    assert any("nested" in each for each in document.assumptions)


def test_services_are_nodes_of_the_graph_and_no_components() -> None:
    services = [{"bom-ref": "outer", "name": "o", "services": [{"bom-ref": "inner", "name": "i"}]}]
    document = read(bom(services=services, dependencies=[{"ref": "a", "dependsOn": ["inner"]}]))
    assert document.item.counts["components"] == 2


def test_a_made_up_reference_cannot_be_referred_to() -> None:
    nameless = {key: value for key, value in B.items() if key != "bom-ref"}
    (row,) = rows(read(bom(components=[nameless])), "components")
    assert row.fields["bom_ref"] == "#/components/0"
    (problem,) = refused(bom(components=[nameless], dependencies=[{"ref": "#/components/0"}]))
    assert (problem.code, problem.pointer) == ("PE412", "/dependencies/0/ref")


# Components


def test_each_fact_has_its_place_and_scheme() -> None:
    row = component(
        supplier={"name": " Gr\u0075\u0308n AG ", "url": ["https://x.example"]}, cpe="cpe:2.3:a:x:a:1.2.0:*:*:*:*:*:*:*"
    )
    assert row.fields["version"] == Version("1.2.0", "npm")
    supplier = row.fields["supplier"]
    assert isinstance(supplier, Record)
    assert supplier.fields == {"name": "Gr\u00fcn AG", "url": "https://x.example"}
    assert row.origin is not None
    assert supplier.origin is not None
    assert (row.origin.pointer, supplier.origin.pointer) == ("/components/0", "/components/0/supplier")


def test_scope_by_default_is_an_assumption_and_not_of_the_product() -> None:
    document = read(bom(components=[{**A, "scope": "optional"}]))
    assert document.assumptions == ()
    document = read(bom())
    assert [row.fields["scope"] for row in rows(document, "components")] == ["required", "required"]
    assert len(document.assumptions) == 1


@pytest.mark.parametrize(("given", "kept"), [
    ("pkg:NPM/a@1.2.0", "pkg:npm/a@1.2.0"), ("pkg://npm/a@1.2.0", "pkg:npm/a@1.2.0"), (" pkg:npm/a@1.2.0 ", "pkg:npm/a@1.2.0"),
    ("pkg:npm/%40s/a@1.2.0?x=y@z#sub", "pkg:npm/%40s/a@1.2.0?x=y@z#sub"), ("npm/a", None), ("pkg:npm", None), ("pkg:/", None),
    ("javascript:alert(1)", None),
])  # fmt: skip
def test_a_package_url_is_canonical_or_not_recorded(given: str, kept: str | None) -> None:
    document = read(bom(components=[{**A, "purl": given}]))
    (row,) = rows(document, "components")
    assert row.fields.get("purl") == kept
    assert any("/components/0/purl" in each for each in document.item.warnings) is (kept is None)


@pytest.mark.parametrize(("listed", "expression"), [
    ([{"license": {"id": "MIT"}}], "MIT"),
    ([{"license": {"id": "MIT"}}, {"license": {"id": "MIT"}}], "MIT"),
    ([{"license": {"id": "MIT"}}, {"license": {"id": "Apache-2.0"}}], "MIT AND Apache-2.0"),
    ([{"expression": "MIT OR GPL-2.0-only"}], "MIT OR GPL-2.0-only"),
    ([{"expression": "MIT OR GPL-2.0-only"}, {"license": {"id": "ISC"}}], "(MIT OR GPL-2.0-only) AND ISC"),
    ([{"license": {"name": "Our own, 2026"}}], "LicenseRef-Our-own-2026"),
    ([{"license": {"name": "MIT"}}], "LicenseRef-MIT"),
    ([{"license": {"name": " "}}], ""), ([], ""),
])  # fmt: skip
def test_licences_are_one_expression(listed: list[dict[str, Any]], expression: str) -> None:
    assert licence_expression(listed) == expression


def test_licence_names_that_differ_stay_apart() -> None:
    names = ["社内", "社外", "a+b", "a*b", "MIT OR x"]
    refs = [licence_expression([{"license": {"name": name}}]) for name in names]
    assert len(set(refs)) == len(names)
    assert all(ref.startswith("LicenseRef-") and " " not in ref for ref in refs)


def test_own_properties_are_read_strictly_and_others_left_alone() -> None:
    own = [{"name": "policyengine:custom", "value": "true"}, {"name": "gxp:impact", "value": "x"}]
    row = component(properties=own)
    assert row.fields["custom"] is True
    assert "isolated" not in row.fields
    for value in ("yes", "True", "1", ""):
        (problem,) = refused(bom(components=[{**A, "properties": [{"name": "policyengine:isolated", "value": value}]}]))
        assert problem.pointer == "/components/0/properties/0/value"
    twice = [{"name": "policyengine:custom", "value": "true"}, {"name": "policyengine:custom", "value": "false"}]
    assert "twice" in refused(bom(components=[{**A, "properties": twice}]))[0].message
    document = read(bom(components=[{**A, "properties": [{"name": "policyengine:isolatd", "value": "true"}]}]))
    assert any("`policyengine:isolated`" in each for each in document.item.warnings)


@pytest.mark.parametrize("spec", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
def test_every_version_is_checked(spec: str) -> None:
    assert read(bom(specVersion=spec)).item.format == f"cyclonedx {spec}"
    assert refused(bom(specVersion=spec, version=0))[0].pointer == "/version"
    (problem,) = refused(bom(specVersion=spec, components=[{**A, "hash": "x"}]))
    assert (problem.code, problem.pointer, problem.hint) == ("PE411", "/components/0/hash", "did you mean `hashes`?")


# The schema


@pytest.mark.parametrize("change", [
    {"externalReferences": [{"type": "vcs", "url": "${project.scm.url} x"}]}, {"supplier": {"name": "x", "url": ["<none>"]}},
    {"licenses": [{"license": {"id": "MIT", "url": "not an address"}}]},
    {"supplier": {"contact": [{"email": "no address"}]}},
])  # fmt: skip
def test_a_wrong_address_is_a_warning(change: dict[str, Any]) -> None:
    (warning,) = read(bom(components=[{**A, **change}])).item.warnings
    assert warning.startswith("/components/0/")
    assert "format" in warning


def test_a_wrong_address_hides_no_other_fault() -> None:
    change = {"externalReferences": [{"type": "vcs", "url": "${x} y"}], "expire_at": "x"}
    (problem,) = refused(bom(components=[{**A, **change}]))
    assert problem.pointer == "/components/0/expire_at"


@pytest.mark.parametrize(("change", "pointer", "words"), [
    ({"licenses": [{"license": {"id": "Apache-2"}}]}, "/components/0/licenses/0/license/id", "did you mean `Apache-2.0`?"),
    ({"type": "libary"}, "/components/0/type", "did you mean `library`?"),
    ({"name": None}, "/components/0/name", "null found, text expected"),
    ({"hashes": {}}, "/components/0/hashes", "an object found, a list expected"),
    ({"hashes": [{"alg": "SHA256", "content": "ab" * 32}]}, "/components/0/hashes/0/alg", "did you mean `SHA-256`?"),
])  # fmt: skip
def test_a_fault_is_told_in_plain_words(change: dict[str, Any], pointer: str, words: str) -> None:
    (problem,) = refused(bom(components=[{**A, **change}]))
    assert problem.pointer == pointer
    assert words in problem.message


def test_a_key_of_any_letters_is_one_step_of_a_pointer() -> None:
    (problem,) = refused(bom(**{"a/b~\u001b[31m": 1}))
    assert problem.pointer.startswith("/a~1b~0")
    assert "\u001b" not in problem.headline


def test_a_long_value_is_cut() -> None:
    (problem,) = refused(bom(components=[{**A, "type": "x" * 1_000_000}]))
    assert len(problem.headline) < 500


def test_the_schema_is_found_without_loading_the_library() -> None:
    program = (
        "import sys\nfrom policyengine.evidence.cyclonedx_schema import check_schema\n"
        "check_schema({'bomFormat': 'CycloneDX', 'specVersion': '1.6'}, '1.6', 's')\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'cyclonedx'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["purl", "cpe"])
def test_a_blank_identifier_is_not_recorded(name: str) -> None:
    assert not {"purl", "cpe"} & component(**{"purl": "", name: " "}).fields.keys()


# Vulnerabilities


def found_by(**changes: Any) -> Document:
    return read(bom(vulnerabilities=[{"id": "CVE-2026-1", "affects": [{"ref": "a"}], **changes}]))


def test_there_is_a_row_for_each_affected_component() -> None:
    document = found_by(affects=[{"ref": "a"}, {"ref": "b"}, {"ref": "a", "versions": [{"version": "1.2.0"}]}])
    affected = [row.fields["component"] for row in rows(document, "vulnerabilities")]
    assert [each.fields["bom_ref"] for each in affected if isinstance(each, Record)] == ["a", "b"]
    assert document.item.counts["vulnerabilities"] == 1


@pytest.mark.parametrize(("ratings", "severity", "score"), [
    ([], None, None),
    ([{"severity": "unknown"}], None, None),
    ([{"severity": "low"}, {"severity": "critical"}, {"severity": "unknown"}], "critical", None),
    ([{"severity": "none", "score": 0, "method": "CVSSv31"}], "none", Decimal(0)),
    ([{"score": 9.8, "method": "CVSSv31"}, {"score": 5.1, "method": "CVSSv4"}, {"score": 6.30, "method": "CVSSv4"}], None, Decimal("9.8")),
    ([{"score": 10, "method": "CVSSv2"}, {"score": 7.5, "method": "CVSSv3"}], None, Decimal(10)),
    ([{"score": 99, "method": "OWASP"}, {"score": 3}], None, None),
    ([{"score": 10.0, "severity": "info"}], "critical", None),
    ([{"score": 7.0, "severity": "low", "method": "CVSSv31"}], "high", Decimal(7)),
    ([{"score": 10, "severity": "low", "method": "CVSSv2"}], "high", Decimal(10)),
    ([{"score": 3.9, "severity": "critical", "method": "CVSSv4"}], "critical", Decimal("3.9")),
    ([{"severity": "low"}, {"score": 9.8, "method": "CVSSv31"}], "critical", Decimal("9.8")),
    ([{"score": 99, "severity": "low", "method": "OWASP"}], "low", None),
])  # fmt: skip
def test_severity_and_score_are_the_highest(ratings: Any, severity: str | None, score: Decimal | None) -> None:
    (row,) = rows(found_by(ratings=ratings), "vulnerabilities")
    assert row.fields.get("severity") == severity
    assert row.fields.get("cvss_score") == score


@pytest.mark.parametrize(("versions", "row", "analysed"), [
    ([{"version": "1.2.0"}], True, True),
    ([{"version": "1.1.0"}], True, False),
    ([{"version": "1.1.0"}, {"version": "1.2.0"}], True, True),
    ([{"version": "1.2.0", "status": "unaffected"}], False, False),
    ([{"version": "1.1.0", "status": "unaffected"}], True, False),
    ([{"version": "1.2.0", "status": "unaffected"}, {"version": "1.2.0", "status": "affected"}], True, True),
    ([{"version": "1.2.0", "status": "unaffected"}, {"range": "vers:npm/>=1.0.0", "status": "affected"}], True, True),
    ([{"range": "vers:npm/>=1.0.0|<2.0.0"}], True, True),
    ([{"range": "vers:npm/>=2.0.0"}], True, False),
    ([{"range": "vers:npm/>=1.0.0", "status": "unaffected"}], False, False),
    ([{"range": "nonsense", "status": "unaffected"}], True, True),
])  # fmt: skip
def test_a_statement_is_about_the_versions_that_it_names(versions: list[dict[str, str]], row: bool, analysed: bool) -> None:
    document = found_by(
        affects=[{"ref": "a", "versions": versions}], analysis={"state": "not_affected", "justification": "code_not_present"}
    )
    found = rows(document, "vulnerabilities")
    assert bool(found) is row
    assert bool(document.item.warnings) is not row
    assert [("analysis_state" in each.fields, "analysis_version" in each.fields) for each in found] == (
        [(analysed, analysed)] if row else []
    )


def test_resolved_at_is_an_assumption_and_a_first_issue_is_no_update() -> None:
    document = found_by(analysis={"state": "resolved", "lastUpdated": "2026-10-01T00:00:00Z"})
    (row,) = rows(document, "vulnerabilities")
    assert row.fields["resolved_at"] == row.fields["analysis_updated"] == datetime(2026, 10, 1, tzinfo=UTC)
    assert any("resolved" in each for each in document.assumptions)
    (row,) = rows(found_by(analysis={"state": "resolved", "firstIssued": "2026-10-01T00:00:00Z"}), "vulnerabilities")
    assert not {"resolved_at", "analysis_updated"} & row.fields.keys()


@pytest.mark.parametrize(("ref", "known"), [
    (f"urn:cdx:{SERIAL}/1#a", True), (f"urn:cdx:{SERIAL.upper()}/1#a", True), (f"urn:cdx:{SERIAL}/1#p%40q", True),
    (f"urn:cdx:{SERIAL}/2#a", False), (f"urn:cdx:{SERIAL}/1", False), (f"urn:cdx:{SERIAL}/1#c", False),
])  # fmt: skip
def test_a_link_is_to_this_very_document_and_version(ref: str, known: bool) -> None:
    document = read(
        bom(components=[A, {**B, "bom-ref": "p@q"}], vulnerabilities=[{"id": "CVE-2026-1", "affects": [{"ref": ref}]}])
    )
    (row,) = rows(document, "vulnerabilities")
    assert ("component" in row.fields) is known
    assert bool(document.item.warnings) is not known


@pytest.mark.parametrize("affects", [[], [{"ref": "a "}], [{"ref": f"urn:cdx:{SERIAL[::-1]}/1#a"}], [{"ref": "service"}]])
def test_a_critical_finding_does_not_vanish_with_its_component(affects: Any) -> None:
    finding = {"id": "CVE-2026-1", "affects": affects, "ratings": [{"severity": "critical"}],
               "analysis": {"state": "resolved", "lastUpdated": "2026-10-01T00:00:00Z"}}  # fmt: skip
    document = read(bom(vulnerabilities=[finding], services=[{"bom-ref": "service", "name": "s"}]))
    assert [dict(row.fields) for row in rows(document, "vulnerabilities")] == [{"id": "CVE-2026-1", "severity": "critical"}]


def test_a_reference_that_leads_nowhere_keeps_its_place_beside_one_that_does() -> None:
    found = rows(found_by(affects=[{"ref": "a"}, {"ref": "b "}, {"ref": "c"}]), "vulnerabilities")
    assert [("component" in row.fields) for row in found] == [True, False]


@pytest.mark.parametrize("about", [{}, {"metadata": {"component": PRODUCT}}])
def test_a_document_of_findings_alone_feeds_nothing_and_says_so(about: dict[str, Any]) -> None:
    statements = {"vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": "urn:cdx:x"}]}]}
    document = read({"bomFormat": "CycloneDX", "specVersion": "1.6", **about, **statements})
    assert (document.item.kind, document.item.feeds, dict(document.roots)) == ("vex", (), {})
    assert "not used" in str(document.item.reason)


def test_a_product_without_parts_is_an_sbom() -> None:
    document = read(bom(components=[], vulnerabilities=[{"id": "CVE-1", "affects": [{"ref": "mes"}]}]))
    assert document.item.kind == "sbom"
    assert len(rows(document, "vulnerabilities")) == 1


def test_warnings_have_an_end() -> None:
    document = read(bom(vulnerabilities=[{"id": f"CVE-{i}", "affects": [{"ref": f"x{i}"}]} for i in range(500)]))
    assert len(document.item.warnings) == 21
    assert document.item.warnings[-1] == "and 480 more"


# Reading as a whole


@pytest.mark.parametrize("good", [True, False])
def test_the_collector_is_as_it_was(good: bool) -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            if good:
                read(bom())
            else:
                refused(bom(components=None))
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_the_order_of_keys_and_rows_changes_no_fact() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(each) for key, each in reversed(list(value.items()))}
        return value

    straight, backwards = bom(), turned(bom(components=[B, A]))
    backwards["components"] = [turned(each) for each in backwards["components"]]
    first, second = read(straight), read(backwards)
    assert sorted(str(row.fields) for row in rows(first, "components")) == sorted(
        str({key: row.fields[key] for key in rows(first, "components")[0].fields if key in row.fields})
        for row in rows(second, "components")
    )
    assert first.item.counts == second.item.counts
    assert first.item.completeness is second.item.completeness is Completeness.NOT_STATED
