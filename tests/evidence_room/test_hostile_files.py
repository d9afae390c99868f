"""Files made to be read as something that they are not: each is refused with its place, none is skipped, none is a pass."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.strict_json import load_json
from policyengine.core.strict_yaml import load_yaml
from policyengine.evidence.files import SourceFile, read_file, read_files
from policyengine.evidence.load import Reading, load

AT = datetime(2026, 11, 1, tzinfo=UTC)
BOM = '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1'


def refused(raw: bytes, name: str = "f.json") -> Diagnostic:
    with pytest.raises(Refusal) as problem:
        load([SourceFile(name, raw)], [], Reading(AT))
    return problem.value.diagnostics[0]


@pytest.mark.parametrize(("raw", "place"), [
    (b"", (1, 1)), (b" \n\t\n", (1, 1)), (b'{"bomFormat":\n"CycloneDX",', (2, 13)), (b'{"a":1}\n{"a":2}', (2, 1)),
    (b'{"a":1} x', (1, 9)), (b'{"a":1,}', (1, 8)), (b'{// no\n"a":1}', (1, 2)), (b'{"a":[1,2}', (1, 10)),
    (b"{'a':1}", (1, 2)), (b'{"a":01}', (1, 7)), (b'{"a":"\x01"}', (1, 7)), (b'{"a":"\xff"}', (1, 8)), (b'{"a":"\\ud800"}', (1, 13)),
])  # fmt: skip
def test_what_is_not_one_json_document_is_refused_at_its_place(raw: bytes, place: tuple[int, int]) -> None:
    problem = refused(raw)
    assert problem.code == "PE401"
    assert problem.line == place[0]
    assert abs(problem.column - place[1]) <= 1, problem.headline
    assert problem.headline.startswith(f"f.json:{place[0]}:")


@pytest.mark.parametrize("raw", [
    b'{"components":[],"components":[]}', b'{"a":{"version":1,"version":2}}', b'{"a":1,"\\u0061":2}', b'[{"k":1,"k":1}]',
])  # fmt: skip
def test_a_key_that_is_there_twice_is_refused(raw: bytes) -> None:
    assert "is there twice" in refused(raw).message


@pytest.mark.parametrize("number", [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E+400", "1e-400", "9" * 400, "-" + "9" * 5000, "1" * 310, "0." + "3" * 5000,
])  # fmt: skip
def test_numbers_that_evaluators_would_read_differently_are_refused(number: str) -> None:
    assert refused(f'{{"a":[{{"score":{number}}}]}}'.encode()).code == "PE401"


def test_decimals_stay_exact() -> None:
    assert load_json(b'{"a":6.99999999999999999999,"b":1e3,"c":1e-300}', "f") == {
        "a": Decimal("6.99999999999999999999"), "b": Decimal(1000), "c": Decimal("1e-300")}  # fmt: skip


@pytest.mark.parametrize(("encoding", "named"), [
    ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32"), ("utf-32-le", "UTF-32"),
    ("utf-32-be", "UTF-32"),
])  # fmt: skip
def test_other_encodings_are_refused_by_name(encoding: str, named: str) -> None:
    problem = refused((BOM + "}").encode(encoding))
    assert problem.code == "PE402"
    assert named in problem.message


def test_a_mark_and_windows_line_ends_are_accepted() -> None:
    raw = b"\xef\xbb\xbf" + (BOM + "}").replace(",", ",\r\n").encode()
    (document,) = load([SourceFile("f", raw)], [], Reading(AT))
    assert document.item.size == len(raw)


@pytest.mark.parametrize("raw", [b"[" * 1500 + b"]" * 1500, b'{"a":' * 1500 + b"1" + b"}" * 1500, b"[" * 100_000])
def test_deep_nesting_meets_a_limit_with_a_name(raw: bytes) -> None:
    assert "`JSON depth`" in refused(raw).message


@pytest.mark.parametrize("raw", [
    b'<?xml version="1.0"?><bom/>', b'\xef\xbb\xbf  <!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
    b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://example.com/x.dtd">%p;]><a/>',
])  # fmt: skip
def test_xml_is_refused_before_anything_in_it_is_read(raw: bytes) -> None:
    assert "XML" in refused(raw).message


@pytest.mark.parametrize(("raw", "named"), [
    (b'{"spdxVersion":"SPDX-2.3"}', "SPDX"), (b'{"bomFormat":"cyclonedx"}', "`cyclonedx`"), (b"[]", "a list"), (b"null", "a single value"),
    (b'{"specVersion":"1.6"}', "specVersion"), (b'{"@context":"https://openvex.dev/ns/v0.2.0"}', "OpenVEX"), (b'"x"', "a single value"),
    (b'{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json","verificationMaterial":{}}', "v9"),
    (b'{"mediaType":["x"],"verificationMaterial":{}}', "x"),
])  # fmt: skip
def test_an_unknown_format_is_named(raw: bytes, named: str) -> None:
    problem = refused(raw)
    assert problem.code == "PE410"
    assert named in problem.message


@pytest.mark.parametrize("name", ["sbom.cdx.json", "x.intoto.jsonl", "bundle.sigstore.json"])
def test_a_name_makes_nothing_of_a_file(name: str) -> None:
    assert refused(b"{}", name).code == "PE410"


def test_every_bad_file_is_told_at_once() -> None:
    with pytest.raises(Refusal) as problem:
        load([SourceFile("a", b"{"), SourceFile("b", b"[]"), SourceFile("c", (BOM + "}").encode())], [], Reading(AT))
    assert [each.file for each in problem.value.diagnostics] == ["a", "b"]


@pytest.mark.parametrize(("text", "said"), [
    ("a: &x 1\nb: *x\n", "anchors"), ("a: 1\na: 2\n", "twice"), ("a:\n\t- 1\n", ""), ("a: !!python/object:os.system x\n", "tag"),
    ("a: 1\n---\nb: 2\n", "second document"), ("a: [1\n", ""), ("? [a]\n: 1\n", "not text"), ("a: " + "[" * 60 + "]" * 60, "`YAML depth`"),
    ("a: \x00", ""), ("a: !!binary aGk=\n", "tag"),
])  # fmt: skip
def test_yaml_is_plain_data_or_refused(text: str, said: str) -> None:
    with pytest.raises(Refusal) as problem:
        load_yaml(text.encode(), "f.yaml")
    (first, *_) = problem.value.diagnostics
    assert first.code == "PE403"
    assert said in first.message


@pytest.mark.parametrize("unit", ["[],", "a,", "{},"])
def test_yaml_of_many_tiny_values_is_refused_early(unit: str) -> None:
    with pytest.raises(Refusal) as problem:
        load_yaml(f"[{unit * 300_000}]".encode(), "f.yaml")
    (found,) = problem.value.diagnostics
    assert (found.code, "`YAML nodes` of 200000" in found.message) == ("PE403", True)


def test_yaml_words_and_numbers() -> None:
    assert load_yaml(b"{a: no, b: 2026-01-01, c: 1.10, d: 0x10, e: 1e3, f: null, g: '1', h: True, i: .nan}", "f") == {
        "a": "no", "b": "2026-01-01", "c": Decimal("1.10"), "d": "0x10", "e": "1e3", "f": None, "g": "1", "h": True, "i": ".nan"}  # fmt: skip


@pytest.mark.parametrize("raw", [b"\xff\xfea\x00", b"a: \xff"])
def test_yaml_is_utf8(raw: bytes) -> None:
    with pytest.raises(Refusal) as problem:
        load_yaml(raw, "f.yaml")
    assert problem.value.diagnostics[0].code == "PE402"


@pytest.mark.parametrize(("make", "said"), [
    (lambda folder: folder / "missing", "cannot be read"),
    (lambda folder: _made(folder / "empty").parent / "empty", "holds no file"),
    (lambda folder: _fifo(folder / "pipe"), "not a regular file"),
    (lambda folder: _link(folder / "loop", folder / "loop"), "cannot be read"),
    (lambda folder: _link(_made(folder / "d") / "out", Path("/etc/hostname")).parent, "leads out of the folder"),
    (lambda folder: _link(_made(folder / "d") / "up", folder).parent, "link to a folder"),
    (lambda folder: _link(_made(folder / "d") / "gone", folder / "d" / "nothing").parent, "cannot be read"),
    (lambda folder: _link(_made(folder / "d") / "self", folder / "d" / "self").parent, "cannot be read"),
    (lambda folder: Path("a\x00b"), "no path"),
    (lambda folder: _bytes_name(folder), "not UTF-8"),
])  # fmt: skip
def test_paths_that_are_no_evidence_are_named(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path)
    with pytest.raises(Refusal) as problem:
        read_files([path])
    (told,) = problem.value.diagnostics
    assert told.code == "PE404"
    assert said in told.message
    assert told.file


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _link(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


def _bytes_name(folder: Path) -> Path:
    path = folder / os.fsdecode(b"\xff.json")
    path.write_bytes(b"{}")
    return path


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("inside", [False, True])
def test_what_may_not_be_read_is_refused(tmp_path: Path, inside: bool) -> None:
    folder = _made(tmp_path / "closed")
    (folder / "f.json").write_bytes(b"{}")
    (tmp_path / "open.json").write_bytes(b"{}")
    (folder if inside else folder / "f.json").chmod(0)
    try:
        with pytest.raises(Refusal, match="cannot be read"):
            read_files([tmp_path])
    finally:
        folder.chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f.json").write_bytes(b"{}")
    _made(tmp_path / "closed")
    scan = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(Refusal, match="Permission denied"):
        read_files([tmp_path])


def test_two_files_of_one_name_keep_both_and_their_own_names(tmp_path: Path) -> None:
    for folder, content in (("a", b"1"), ("b", b"2"), ("c", b"3")):
        _made(tmp_path / folder)
        (tmp_path / folder / "x.json").write_bytes(content)
    (tmp_path / "x.json~2").write_bytes(b"4")
    paths = [*(tmp_path / f / "x.json" for f in "cab"), tmp_path / "x.json~2"]
    found = {file.name: file.raw for file in read_files(paths)}
    assert found == {"x.json": b"1", "x.json~3": b"2", "x.json~4": b"3", "x.json~2": b"4"}
    assert read_files(paths) == read_files(reversed(paths))


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    _link(tmp_path / "y.json", tmp_path / "x.json")
    assert len(read_files([tmp_path, tmp_path / "x.json", tmp_path / "." / "x.json"])) == 1


def test_a_folder_is_read_by_relative_names(tmp_path: Path) -> None:
    _made(tmp_path / "sub")
    (tmp_path / "sub" / "b.json").write_bytes(b"{}")
    (tmp_path / "a.json").write_bytes(b"{}")
    assert [file.name for file in read_files([tmp_path])] == ["a.json", "sub/b.json"]


def test_size_meets_a_limit_with_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policyengine.evidence.files.MAX_FILE_BYTES", 3)
    (tmp_path / "f").write_bytes(b"1234")
    with pytest.raises(Refusal, match="`evidence file size`"):
        read_file(tmp_path / "f")
    monkeypatch.setattr("policyengine.evidence.files.MAX_FILES", 1)
    (tmp_path / "f").write_bytes(b"1")
    (tmp_path / "g").write_bytes(b"1")
    with pytest.raises(Refusal, match="`evidence files`"):
        read_files([tmp_path])


@pytest.mark.parametrize("raw", [
    b'{"a":"' + b"\\" * 100_001, b'{"a":' + b"9" * 1_000_000 + b"}", b"{" + b'"a":{' * 100_000, b"\x00" * 1000,
    json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"x": i} for i in range(50_000)]}).encode(),
])  # fmt: skip
def test_a_bad_file_is_answered_at_once(raw: bytes) -> None:
    begin = time.monotonic()
    refused(raw)
    assert time.monotonic() - begin < 3
