"""Declared files: good rows become records, bad ones are named and make the collection incomplete, wrong files are refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, Record
from policyengine.core.strict_yaml import load_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.document import Document
from policyengine.evidence.mapping import declaration_of, read_mapped

MES = """
path: exports/mes-audit-2026-03.csv
as: audit_trail.events
covers: {from: 2026-03-01T00:00:00+01:00, until: 2026-04-01T00:00:00+02:00}
map:
  id: EVT_NO
  sequence: EVT_NO
  time: {column: TS, format: "%d.%m.%Y %H:%M:%S", zone: Europe/Zurich}
  actor.user_id: USER
  kind: {column: ACT, values: {INS: record.create, UPD: record.modify, DEL: record.delete}}
"""
HEADER = "EVT_NO,TS,USER,ACT\n"


def declared(text: str) -> Any:
    return declaration_of(load_yaml(text.encode(), "policyengine.yaml"), "policyengine.yaml")  # type: ignore[arg-type]


def read(raw: str | bytes, entry: str, name: str = "rows.csv") -> Document:
    return read_mapped(raw.encode() if isinstance(raw, str) else raw, name, declared(entry), vocabulary())


def rows(document: Document, root: str = "audit_trail", member: str = "events") -> Collection:
    found = document.roots[root]
    found = found.fields[member] if isinstance(found, Record) else found  # type: ignore[assignment]
    assert isinstance(found, Collection)
    return found


def refused(raw: str | bytes, entry: str, name: str = "rows.csv") -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        read(raw, entry, name)
    first = caught.value.diagnostics[0]
    return first.code, first.render()


def test_a_mapped_csv_becomes_events() -> None:
    document = read(HEADER + "17,02.03.2026 08:00:00,ann,UPD\r\n18,02.07.2026 08:00:00,bob,DEL\r\n", MES)
    found = rows(document)
    first, second = (row.fields for row in found.items)  # type: ignore[attr-defined]
    assert first["id"] == "17"
    assert first["sequence"] == 17
    assert first["time"] == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert second["time"] == datetime(2026, 7, 2, 6, tzinfo=UTC)
    assert first["actor"].fields == {"user_id": "ann"}
    assert first["kind"] == "record.modify"
    assert found.state is Completeness.NOT_STATED
    assert found.covers_until == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert [row.origin.pointer for row in found.items] == ["line 2", "line 3"]  # type: ignore[attr-defined]
    assert document.item.counts == {"rows": 2, "not_read": 0}
    assert document.item.feeds == ("audit_trail",)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("17,29.03.2026 02:30:00,ann,UPD", "does not exist: the clocks were set forward"),
        ("17,25.10.2026 02:30:00,ann,UPD", "is there twice: the clocks were set back"),
        ("17,30.02.2026 08:00:00,ann,UPD", "does not exist"),
        ("17,02.03.2026 08:00:00,ann,MERGE", "`MERGE` is not in the table of values"),
        ("17.5,02.03.2026 08:00:00,ann,UPD", "a whole number expected"),
        (",02.03.2026 08:00:00,ann,UPD", "every audit_event must have it"),
        ("17,02.03.2026 08:00:00", "2 cells found, 4 expected"),
        ('17,02.03.2026 08:00:00,"ann"x,UPD', "not CSV"),
        ("17,31.12.9999 23:59:59 ,ann,UPD,", "5 cells found, 4 expected"),
    ],
)
def test_a_bad_row_costs_itself_and_the_completeness(row: str, why: str) -> None:
    document = read(
        HEADER + f"16,02.03.2026 07:00:00,ann,INS\n{row}\n18,02.03.2026 09:00:00,bob,DEL\n", MES + "complete: true\n"
    )
    found = rows(document)
    assert [r.fields["id"] for r in found.items] == ["16", "18"]  # type: ignore[attr-defined]
    assert found.state is Completeness.INCOMPLETE
    assert found.reason.startswith("1 of 3 rows could not be read (line 3: ")
    assert why in found.reason
    assert any(why in warning and warning.startswith("line 3") for warning in document.item.warnings)
    assert document.item.completeness is Completeness.INCOMPLETE
    assert document.item.counts == {"rows": 3, "not_read": 1}


def test_many_bad_rows_are_counted() -> None:
    document = read(HEADER + "".join(f"{i},never,ann,UPD\n" for i in range(50)), MES)
    assert len(document.item.warnings) == 21
    assert document.item.warnings[-1] == "and 30 more rows"
    assert rows(document).reason.startswith("50 of 50 rows")


def test_a_forged_line_inside_a_reason_stays_in_its_cell() -> None:
    entry = "{as: audit_trail.events, map: {id: ID, reason: WHY}}"
    found = rows(read('ID,WHY\n1,"fine\n2,forged"\n3,ok\n', entry))
    assert [(r.fields["id"], r.origin.pointer) for r in found.items] == [("1", "line 2"), ("3", "line 4")]  # type: ignore[attr-defined]
    assert found.items[0].fields["reason"] == "fine\n2,forged"  # type: ignore[attr-defined]


def test_an_unclosed_quote_says_how_far_it_runs() -> None:
    found = rows(read('id\n1\n"2\n3\n', "{as: audit_trail.events}"))
    assert len(found.items) == 1
    assert found.state is Completeness.INCOMPLETE
    assert "it runs to line 4" in found.reason


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        ("", "PE420", "no header"),
        ("\n\n", "PE420", "no header"),
        ("EVT_NO,TS,USER\n", "PE425", "there is no column `ACT`"),
        ("EVT_NO,TS,USR,ACT\n", "PE425", "did you mean `USR`?"),
        ("EVT_NO,TS,USER,ACT,ACT\n", "PE420", "there twice"),
        (HEADER.encode("utf-16"), "PE420", "UTF-16 found"),
        (HEADER.encode() + b"1,\xff\n", "PE420", "not UTF-8"),
    ],
)
def test_a_file_that_is_not_what_was_declared_is_refused(raw: str | bytes, code: str, words: str) -> None:
    found, text = refused(raw, MES)
    assert found == code
    assert words in text


def test_a_byte_order_mark_is_skipped_and_unmapped_columns_are_told() -> None:
    document = read("\ufeffEVT_NO,TS,USER,ACT,EXTRA\n17,02.03.2026 08:00:00,ann,UPD,x\n", MES)
    assert len(rows(document).items) == 1
    assert "columns that are not mapped: EXTRA" in document.item.warnings


def test_the_last_line_without_an_end_may_be_cut() -> None:
    assert "the last line has no line end: it may be cut" in read(HEADER + "17,02.03.2026 08:00:00,ann,UPD", MES).item.warnings


def test_without_a_map_columns_are_names_of_the_vocabulary() -> None:
    text = "user_id,roles,active,created_at\nann,qa;author,true,2026-01-01T00:00:00Z\nbob,,,\n"
    found = rows(read(text, "{as: accounts, complete: true}"), "accounts")
    assert found.items[0].fields == {"user_id": "ann", "roles": ("qa", "author"), "active": True,
                                     "created_at": datetime(2026, 1, 1, tzinfo=UTC)}  # type: ignore[attr-defined] # fmt: skip
    assert found.items[1].fields == {"user_id": "bob"}  # type: ignore[attr-defined]
    assert found.state is Completeness.COMPLETE
    code, words = refused("user_id,rolls\n", "{as: accounts}")
    assert code == "PE425"
    assert "did you mean `roles`?" in words
    assert "computed by the engine" in refused("id,hash_valid\n", "{as: audit_trail.events}")[1]


def test_an_empty_list_proves_emptiness_only_where_it_says_so() -> None:
    assert rows(read(HEADER, MES)).state is Completeness.NOT_STATED
    assert rows(read(HEADER, MES + "complete: true\n")).state is Completeness.NOT_STATED
    assert rows(read(HEADER, MES + "complete: true\nmay_be_empty: true\n")).state is Completeness.COMPLETE
    assert rows(read(HEADER, MES + "complete: false\n")).state is Completeness.INCOMPLETE


def test_a_cut_last_line_of_jsonl_is_a_bad_row() -> None:
    lines = '{"id": "1", "actor": {"user_id": "ann"}}\n\n{"id": "2"}\n{"id": "3", "act'
    document = read(lines, "{as: audit_trail.events}", "t.jsonl")
    found = rows(document)
    assert [r.fields["id"] for r in found.items] == ["1", "2"]  # type: ignore[attr-defined]
    assert found.reason.startswith("1 of 3 rows could not be read (line 4: ")


@pytest.mark.parametrize(
    "line", ['{"id": "2", "id": "9"}', "[1]", "null", "garbage", '{"id": 2}', '{"id": "2", "sequence": NaN}']
)
def test_garbage_in_the_middle_of_jsonl_keeps_its_neighbours(line: str) -> None:
    found = rows(read('{"id": "1"}\n' + line + '\n{"id": "3"}\n', "{as: audit_trail.events}", "t.jsonl"))
    assert [r.fields["id"] for r in found.items] == ["1", "3"]  # type: ignore[attr-defined]
    assert found.state is Completeness.INCOMPLETE


def test_unknown_names_in_rows_are_refused_with_place_and_nearest() -> None:
    code, words = refused('{"id": "1"}\n{"id": "2", "actor": {"usr_id": "x"}}\n', "{as: audit_trail.events}", "t.jsonl")
    assert code == "PE425"
    assert words.startswith("t.jsonl:2:1: error[PE425] at /actor/usr_id")
    assert "did you mean `user_id`?" in words
    assert refused("this is no json\nat all\n", "{as: audit_trail.events}", "t.jsonl")[0] == "PE421"
    assert refused('{"id": "1"}', "{as: audit_trail.events}", "t.json")[0] == "PE422"


def test_json_and_yaml_lists_point_at_their_rows() -> None:
    json_rows = rows(read('[{"id": "a"}, null, {"id": "b"}]', "{as: changes}", "c.json"), "changes")
    assert [r.origin.pointer for r in json_rows.items] == ["/0", "/2"]  # type: ignore[attr-defined]
    assert json_rows.reason == "1 of 3 rows could not be read (/1: not an object)"
    yaml_rows = rows(read("rows:\n- {id: a}\n", "{as: changes, rows: rows}", "c.yaml"), "changes")
    assert yaml_rows.items[0].origin.pointer == "/rows/0"  # type: ignore[attr-defined]


def test_mapping_of_nested_json_with_epochs_and_constants() -> None:
    entry = """
as: audit_trail.events
map:
  id: metadata.uid
  time: {column: time, format: epoch_milliseconds}
  actor.user_id: actor.user.name
  record.id: record
  record.type: {const: batch}
  status: {const: success}
"""
    lines = [{"metadata": {"uid": "1"}, "time": 1772438400123, "actor": {"user": {"name": "ann"}}, "record": "B-1", "x": 1},
             {"metadata": {"uid": "2"}, "time": 1772438400123}]  # fmt: skip
    document = read("\n".join(map(json.dumps, lines)) + "\n", entry, "o.jsonl")
    first, second = (r.fields for r in rows(document).items)  # type: ignore[attr-defined]
    assert first["time"] == datetime(2026, 3, 2, 8, 0, 0, 123000, tzinfo=UTC)
    assert first["record"].fields == {"id": "B-1", "type": "batch"}
    assert "record" not in second
    assert second["status"] == "success"
    assert "columns that are not mapped: x" in document.item.warnings


def test_lists_and_dates() -> None:
    entry = """
as: accounts
delimiter: ";"
map:
  user_id: U
  roles: {column: R, split: "|", values: {Q: qa, A: author}}
  left_on: {column: L, format: "%d.%m.%Y"}
  shared: {column: S, values: {J: true, N: false}}
"""
    first = rows(read("U;R;L;S\nann;Q|A;31.01.2026;N\n", entry), "accounts").items[0].fields  # type: ignore[attr-defined]
    assert first == {"user_id": "ann", "roles": ("qa", "author"), "left_on": date(2026, 1, 31), "shared": False}
    bad = rows(read("U;R;L;S\nann;Q|Q;;\n", entry), "accounts")
    assert "there twice" in bad.reason


def test_doubled_ids_are_kept_named_and_not_whole() -> None:
    document = read("id\n1\n2\n1\n", "{as: audit_trail.events, complete: true}")
    found = rows(document)
    assert len(found.items) == 3
    assert found.state is Completeness.INCOMPLETE
    assert "`1`: line 2 and line 4" in found.reason
    versions = rows(read("id,version\nSOP-1,1\nSOP-1,2\n", "{as: documents}"), "documents")
    assert versions.state is Completeness.NOT_STATED


@pytest.mark.parametrize(
    ("text", "root", "place"),
    [("user_id,person_id\nann,P1\nann,P2\n", "accounts", "`ann`: line 2 and line 3"),
     ("name\nS\nS\n", "suppliers", "`S`: line 2 and line 3"), ("gln\n1\n1\n", "trading_partners", "`1`: line 2 and line 3")],
)  # fmt: skip
def test_doubled_names_of_what_has_no_id_are_not_whole_either(text: str, root: str, place: str) -> None:
    found = rows(read(text, f"{{as: {root}, complete: true}}"), root)
    assert len(found.items) == 2
    assert found.state is Completeness.INCOMPLETE
    assert place in found.reason


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u202e", "\u2060", "\x07", "\ufe0f", "\u3164", "\x7f"])
def test_a_name_with_an_invisible_character_makes_its_row_bad(hidden: str) -> None:
    found = rows(read(f"id,author,reviewed_by\n1,ann,an{hidden}n\n2,ann,bob\n", "{as: commits, complete: true}"), "commits")
    assert [row.fields["id"] for row in found.items] == ["2"]  # type: ignore[attr-defined]
    assert found.state is Completeness.INCOMPLETE
    assert f"`reviewed_by`: the invisible character U+{ord(hidden):04X} in it" in found.reason
    nested = json.dumps({"id": "1", "actor": {"user_id": f"ann{hidden}x"}}) + "\n"
    assert "`actor.user_id`" in rows(read(nested, "{as: audit_trail.events}", "t.jsonl")).reason


def test_prose_may_hold_what_is_not_seen_and_names_may_hold_any_letter() -> None:
    events = [{"id": "1", "reason": "a\u00adb\u200b", "new_value": "x\u200d"}, {"id": "2", "actor": {"name": "Zoë Łęcka 王"}}]
    found = rows(read("".join(json.dumps(each) + "\n" for each in events), "{as: audit_trail.events}", "t.jsonl"))
    assert len(found.items) == 2
    assert found.state is Completeness.NOT_STATED


def test_single_records() -> None:
    system = read("id: mes\ngmp_critical: true\n", "{as: system}", "s.yaml").roots["system"]
    assert isinstance(system, Record)
    assert system.fields == {"id": "mes", "gmp_critical": True}
    trail = read('{"enabled": true}', "{as: audit_trail}", "s.json").roots["audit_trail"]
    assert trail.fields == {"enabled": True}  # type: ignore[union-attr]
    assert refused('{"enabled": "on"}', "{as: audit_trail}", "s.json")[0] == "PE424"
    assert refused('{"enabled": true, "events": []}', "{as: audit_trail}", "s.json")[0] == "PE424"
    assert refused('{"gmp_critcal": true}', "{as: system}", "s.json")[0] == "PE424"
    assert refused("[]", "{as: system}", "s.json")[0] == "PE422"
    assert refused("id\nmes\n", "{as: system}")[0] == "PE423"
    assert refused("x", "{as: accounts}", "accounts.xlsx")[0] == "PE423"


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        ("{path: a.csv}", "PE841", "`as` is missing"),
        ("{as: acounts}", "PE841", "did you mean `accounts`?"),
        ("{as: audit_trail.event}", "PE841", "did you mean `audit_trail.events`?"),
        ("{as: attestations}", "PE841", "only signed statements feed it"),
        ("{as: sbom.components}", "PE841", "only CycloneDX and SPDX"),
        ("{as: accounts, complet: true}", "PE840", "did you mean `complete`?"),
        ("{as: accounts, complete: maybe}", "PE842", "true or false"),
        ("{as: accounts, format: xml}", "PE842", "not one of"),
        ("{as: accounts, covers: {from: 2026-03-01}}", "PE842", "offset"),
        ("{as: accounts, covers: {form: 2026-03-01T00:00:00Z}}", "PE840", "did you mean `from`?"),
        ("{as: accounts, covers: {from: 2026-03-01T00:00:00Z, until: 2026-02-01T00:00:00Z}}", "PE842", "not before"),
        ("{as: system, complete: true}", "PE842", "single record"),
        ("{as: accounts, may_be_empty: true}", "PE842", "only a list that is declared `complete: true` may be empty"),
        ("{as: accounts, complete: true, may_be_empty: 1}", "PE842", "true or false expected"),
        ("{as: accounts, stream: a}", "PE842", "has no stream"),
        ("{as: accounts, delimiter: ab}", "PE842", "one character"),
        ("{as: accounts, map: {}}", "PE843", "expected"),
        ("{as: accounts, map: {active: A}}", "PE843", "nothing gives `user_id`"),
        ("{as: accounts, map: {usr_id: A}}", "PE843", "did you mean `user_id`?"),
        ("{as: audit_trail.events, map: {id: A, actor.userid: U}}", "PE843", "did you mean `user_id`?"),
        ("{as: audit_trail.events, map: {id: A, record.type: T}}", "PE843", "nothing gives `record.id`"),
        ("{as: audit_trail.events, map: {id: A, actor: B, actor.user_id: C}}", "PE843", "both mapped"),
        ("{as: audit_trail.events, map: {id: A, hash_valid: B}}", "PE843", "computed by the engine"),
        ("{as: audit_trail.events, map: {id: A, status: {const: succes}}}", "PE843", "did you mean `success`?"),
        ("{as: audit_trail.events, map: {id: A, status: {column: B, values: {1: good}}}}", "PE843", "is not one of"),
        ("{as: audit_trail.events, map: {id: A, time: {column: B, format: '%Y-%m-%d %H:%M'}}}", "PE843", "no offset"),
        (
            "{as: audit_trail.events, map: {id: A, time: {column: B, format: '%Y-%m-%d %H:%M', zone: Mars/X}}}",
            "PE843",
            "no time zone",
        ),
        ("{as: audit_trail.events, map: {id: A, time: {column: B, format: '%Y-%m-%d %H:%M %Z'}}}", "PE843", "machine"),
        ("{as: audit_trail.events, map: {id: A, time: {column: B, format: '%H:%M', zone: UTC}}}", "PE843", "a year"),
        ("{as: audit_trail.events, map: {id: A, time: {column: B, zone: UTC}}}", "PE843", "needs `format`"),
        ("{as: audit_trail.events, map: {id: A, reason: {column: B, split: ','}}}", "PE843", "not a list"),
        ("{as: audit_trail.events, map: {id: A, reason: {colum: B}}}", "PE840", "did you mean `column`?"),
        ("{as: audit_trail.events, map: {id: A, reason: 5}}", "PE843", "a column name"),
        ("{as: evaluation, map: {time: T}}", "PE843", "computed by the engine"),
    ],
)
def test_a_wrong_declaration_is_refused_at_once(entry: str, code: str, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        declared(entry)
    assert code in [d.code for d in caught.value.diagnostics]
    assert any(words in d.render() for d in caught.value.diagnostics), [d.render() for d in caught.value.diagnostics]
