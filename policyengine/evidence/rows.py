"""The raw rows of a declared CSV, JSONL, JSON or YAML file: each with its place, a bad one marked and kept out of the way.

A file that is not of its kind at all is refused (PE420 to PE422). A damaged row costs that row: what follows is still read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policyengine.core.diagnostic import Diagnostic, Refusal

BOM = "\ufeff"
WIDE_BOMS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True)
class RawRow:
    """``place`` is ``line 17`` or ``/3``; ``problem`` says why there is no value."""

    place: str
    value: Mapping[str, object]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RawRows:
    """``header`` are the columns of a CSV file, None elsewhere."""

    header: tuple[str, ...] | None
    rows: Iterator[RawRow]
    warnings: tuple[str, ...] = ()


def csv_rows(raw: bytes, name: str, delimiter: str = ",") -> RawRows:
    """Rows of a CSV file by the names in its first line. Quoted cells may hold line ends; a cut or longer row is a bad row.

    What a quote that is never closed swallows is one bad row: where it should have ended would be a guess.
    """
    text = utf8_text(raw, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = tuple(cell.strip() for cell in next(reader, []))
    except csv.Error as wrong:
        raise _refusal("PE420", name, f"the header cannot be read: {wrong}", line=1) from None
    if not any(header):
        raise _refusal("PE420", name, "there is no header line; a CSV file without rows still names its columns", line=1)
    for column in header:
        if not column:
            raise _refusal("PE420", name, "a column of the header has no name", line=1)
        if header.count(column) > 1:
            raise _refusal("PE420", name, f"the column `{column}` is there twice", line=1)
    warnings = () if text.endswith(("\n", "\r")) else ("the last line has no line end: it may be cut",)
    return RawRows(header, _csv_body(reader, header), warnings)


def _csv_body(reader: Iterator[list[str]], header: tuple[str, ...]) -> Iterator[RawRow]:
    while True:
        first = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            last = reader.line_num  # type: ignore[attr-defined]
            extent = f"; it runs to line {last}" if last > first else ""
            yield RawRow(f"line {first}", {}, f"not CSV: {wrong}{extent}")
            continue
        if not cells:
            continue
        if len(cells) != len(header):
            yield RawRow(f"line {first}", {}, f"{len(cells)} cells found, {len(header)} expected")
            continue
        yield RawRow(f"line {first}", dict(zip(header, cells, strict=True)))


def jsonl_rows(raw: bytes, name: str) -> RawRows:
    """One JSON object on each line; blank lines are passed over. Refused where no line at all is an object.

    An empty file is refused too: an export that died leaves the same, and it must not read as "there are none".
    """
    utf8_text(raw, name)
    rows = list(_jsonl_body(raw.removeprefix(BOM.encode()), name))
    if not rows:
        raise _refusal("PE421", name, "the file is empty", line=1, hint="a list that has no entries is given as json: `[]`")
    if rows and all(row.problem for row in rows):
        raise _refusal("PE421", name, f"no line of it is a JSON object: {rows[0].place}: {rows[0].problem}")
    return RawRows(None, iter(rows))


def _jsonl_body(raw: bytes, name: str) -> Iterator[RawRow]:
    from policyengine.core.strict_json import load_json

    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            value = load_json(line, name)
        except Refusal as refused:
            yield RawRow(place, {}, refused.diagnostics[0].message)
            continue
        yield RawRow(place, value) if isinstance(value, dict) else RawRow(place, {}, "not a JSON object")


def listed_rows(document: object, name: str, key: str) -> RawRows:
    """The rows of a JSON or YAML list, or of the list under ``key`` of an object (``rows:`` of the declaration)."""
    pointer = ""
    if key:
        if not isinstance(document, Mapping) or key not in document:
            raise _refusal("PE422", name, f"there is no list `{key}` at the top")
        document, pointer = document[key], f"/{key}"
    if not isinstance(document, list | tuple):
        hint = "name the key that holds the list: `rows: <key>`" if isinstance(document, Mapping) else ""
        raise _refusal("PE422", name, "a list of rows expected", pointer=pointer, hint=hint)
    rows = (
        RawRow(f"{pointer}/{i}", row) if isinstance(row, Mapping) else RawRow(f"{pointer}/{i}", {}, "not an object")
        for i, row in enumerate(document)
    )
    return RawRows(None, rows)


def document_of(raw: bytes, name: str, form: str) -> object:
    """The plain data of a whole JSON or YAML file."""
    if form == "json":
        from policyengine.core.strict_json import load_json

        return load_json(raw, name)
    from policyengine.core.strict_yaml import load_yaml

    return load_yaml(raw, name)


def utf8_text(raw: bytes, name: str) -> str:
    """The text of a file; a UTF-8 byte order mark is skipped, any other encoding refused by name."""
    for mark, encoding in WIDE_BOMS.items():
        if raw.startswith(mark):
            raise _refusal("PE420", name, f"{encoding} found, UTF-8 expected")
    try:
        return raw.decode("utf-8").removeprefix(BOM)
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise _refusal("PE420", name, f"not UTF-8: byte 0x{raw[wrong.start]:02x}", line=line) from None


def _refusal(code: str, name: str, message: str, line: int = 0, pointer: str = "", hint: str = "") -> Refusal:
    return Refusal(Diagnostic(code, message, file=name, line=line, column=1 if line else 0, pointer=pointer, hint=hint))
