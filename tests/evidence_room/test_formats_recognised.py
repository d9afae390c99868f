"""What a file is follows from its content; what is known and not read is told by its name; each file is read once."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.evidence import registry
from policyengine.evidence.files import SourceFile, read_file, read_files
from policyengine.evidence.load import Reading, load

AT = datetime(2026, 11, 1, tzinfo=UTC)
BOM: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "a"}]}


def refused(raw: bytes) -> Diagnostic:
    with pytest.raises(Refusal) as problem:
        load([SourceFile("sbom.cdx.json", raw)], [], Reading(AT))
    (told,) = problem.value.diagnostics
    return told


@pytest.mark.parametrize(("document", "named"), [
    ({"spdxVersion": "SPDX-2.3", "packages": []}, "SPDX"), ({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}, "SPDX"),
    ({"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}, "OpenVEX"), ({"document": {"csaf_version": "2.0"}}, "CSAF"),
    ({"version": "2.1.0", "runs": []}, "SARIF"), ({"schema_version": "1.6.0", "id": "x", "affected": []}, "OSV"),
    ({"SchemaVersion": 2, "Results": []}, "Trivy"), ({"matches": [], "descriptor": {}}, "Grype"), ({"resourceType": "AuditEvent"}, "FHIR"),
    ({"Records": []}, "CloudTrail"), ({"specversion": "1.0", "source": "x"}, "CloudEvents"), ({"class_uid": 2003}, "OCSF"),
    ({"assessment-results": {}}, "OSCAL"), ({"bomFormat": "SPDX", "specVersion": "1.6"}, "bomFormat `SPDX`"),
    ({"specVersion": "1.6", "components": []}, "specVersion"), ({"foo": 1, "bar": 2}, "`bar`, `foo`"), ({}, "without keys"),
    ({"k" * 100_000: 1}, "kk.."), (["a"], "a list"), (7, "a single value"), (True, "a single value"),
])  # fmt: skip
def test_a_known_format_is_refused_by_name(document: Any, named: str) -> None:
    problem = refused(json.dumps(document).encode())
    assert problem.code == "PE410"
    assert named in problem.message
    assert "CycloneDX" in problem.hint or "`as:`" in problem.hint
    assert len(problem.headline) < 800


@pytest.mark.parametrize(("raw", "named"), [
    (b"PK\x03\x04rest", "ZIP"), (b"\x1f\x8b\x08\x00", "gzip"), (b"\x28\xb5\x2f\xfd00", "Zstandard"), (b"BZh91AY", "bzip2"),
    (b"\xfd7zXZ\x00", "XZ"), (b"%PDF-1.7", "PDF"), (b"-----BEGIN PUBLIC KEY-----\n", "PEM"), (b"SPDXVersion: SPDX-2.3\n", "SPDX"),
    (b"# made by hand\nSPDXVersion: SPDX-2.3\n", "SPDX"), (b'<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>', "CycloneDX XML"),
    (b"\xef\xbb\xbf\n<epcis:EPCISDocument/>", "EPCIS XML"), (b"<testsuites/>", "JUnit XML"), (b"<html>", "XML"),
])  # fmt: skip
def test_what_is_no_json_is_refused_by_name(raw: bytes, named: str) -> None:
    problem = refused(raw)
    assert problem.code == "PE410"
    assert named in problem.message


def test_nothing_of_xml_is_read() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>' + b"x" * 5_000_000
    assert "XML" in refused(bomb).message


@pytest.mark.parametrize("name", ["a.xml", "b.spdx.json", "c", "d.csv"])
def test_a_name_decides_nothing(name: str) -> None:
    (document,) = load([SourceFile(name, json.dumps(BOM).encode())], [], Reading(AT))
    assert (document.item.kind, document.item.name) == ("sbom", name)


def test_each_file_is_parsed_once_and_the_digest_is_of_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    load_json = registry.load_json

    def counted(raw: bytes, name: str) -> object:
        parsed.append(raw)
        return load_json(raw, name)

    monkeypatch.setattr(registry, "load_json", counted)
    raw = b"\xef\xbb\xbf " + json.dumps(BOM).encode() + b"\r\n"
    (document,) = load([SourceFile("s", raw)], [], Reading(AT))
    assert parsed == [raw]
    assert (document.item.digest, document.item.size) == (sha256_of(raw), len(raw))


def test_progress_names_each_file() -> None:
    seen: list[str] = []
    load([SourceFile("a", json.dumps(BOM).encode()), SourceFile("b", json.dumps(BOM).encode())], [], Reading(AT), seen.append)
    assert seen == ["a", "b"]


def test_standard_input_is_read_once_and_only_where_it_is_offered(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"1")
    asked: list[int] = []

    def given() -> bytes:
        asked.append(1)
        return b"{}"

    files = read_files([tmp_path, Path("-"), Path("-")], standard_input=given)
    assert [(file.name, file.raw) for file in files] == [("-", b"{}"), ("a.json", b"1")]
    assert asked == [1]
    with pytest.raises(Refusal, match="standard input"):
        read_files([Path("-")])


def test_what_the_caller_reads_himself_is_left_out(tmp_path: Path) -> None:
    for name in ("a.json", "b.csv"):
        (tmp_path / name).write_bytes(b"1")
    assert [file.name for file in read_files([tmp_path], leave_out=[tmp_path / "." / "b.csv"])] == ["a.json"]


def test_the_name_of_a_file_does_not_depend_on_the_order_of_arguments(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.json").write_bytes(b"1")
    paths = [tmp_path / "sub" / "a.json", tmp_path, tmp_path / "sub"]
    assert {tuple(file.name for file in read_files(order)) for order in (paths, paths[::-1], paths[1:] + paths[:1])} == {
        ("sub/a.json",)
    }


def test_a_pipe_is_not_waited_for_and_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(Refusal) as problem:
            read_file(path)
        assert problem.value.diagnostics[0].code == "PE404"
