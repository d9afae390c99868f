"""Documents become one set: the same for any order, no surer than its parts, never the SBOM of another release."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.core.coerce import Reader
from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Collection, Completeness, EvidenceItem, EvidenceSet, Origin, Record
from policyengine.core.strict_yaml import load_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.assemble import Context, Subject, assemble
from policyengine.evidence.declaration import declaration_of
from policyengine.evidence.document import Document
from policyengine.evidence.mapping import read_mapped

AT = datetime(2026, 4, 1, tzinfo=UTC)
NOW = Context(AT)
READER = Reader(vocabulary())


def sha(letter: str) -> str:
    return "sha256:" + letter * 64


def given(raw: str, entry: str, name: str = "a.jsonl") -> Document:
    place: Any = load_yaml(entry.encode(), "c.yaml")
    return read_mapped(raw.encode(), name, declaration_of(place, "c.yaml"), vocabulary())


def sbom(name: str, **product: Any) -> Document:
    fields: dict[str, object] = {"components": Collection((), Completeness.NOT_STATED)}
    if product:
        fields["product"] = READER.record("component", {"bom_ref": "p", "name": "mes", **product})
    digest = "sha256:" + name.encode().hex().ljust(64, "0")[:64]
    item = EvidenceItem(name, "sbom", "cyclonedx 1.6", digest, 1, feeds=("sbom",))
    return Document(item, {"sbom": Record("sbom", fields, Origin(name))})


def release(identity: str = "mes-4.2.0", digest: str | None = None) -> Document:
    artifacts = f', "artifacts": [{{"name": "mes.tgz", "digests": "{digest}"}}]' if digest else ""
    return given(f'{{"id": "{identity}"{artifacts}}}', "{as: software_release}", "release.json")


def items_of(evidence: EvidenceSet, path: str) -> Collection:
    root, _, member = path.partition(".")
    found = evidence.roots[root]
    found = found.fields[member] if isinstance(found, Record) else found  # type: ignore[assignment]
    assert isinstance(found, Collection)
    return found


def shown(value: object) -> object:
    if isinstance(value, Record):
        return value.type, str(value.origin), {name: shown(each) for name, each in value.fields.items()}
    if isinstance(value, Collection):
        return [shown(each) for each in value.items], value.state, value.reason, value.covers_from, value.covers_until
    return [shown(each) for each in value] if isinstance(value, tuple) else value


def reason_of(evidence: EvidenceSet, name: str) -> str:
    return next(item.reason or "" for item in evidence.items if item.name == name)


def test_any_order_of_documents_gives_the_same_set() -> None:
    documents = [
        given('{"id": "1", "change_id": "C", "actor": {"user_id": "ann"}}\n', "{as: audit_trail.events}", "march.jsonl"),
        given('{"id": "2"}\nbroken\n', "{as: audit_trail.events}", "april.jsonl"),
        given('{"enabled": true}', "{as: audit_trail}", "on.json"),
        given('{"id": "C"}\n', "{as: changes, complete: true}", "changes.jsonl"),
        given('{"user_id": "ann", "kind": "person"}\n', "{as: accounts}", "accounts.jsonl"),
        sbom("b.cdx.json", version="4.2.0"),
        sbom("a.cdx.json", version="4.1.9"),
        release(),
    ]
    sets = []
    for order in itertools.islice(itertools.permutations(documents), 0, None, 997):
        evidence = assemble(order, NOW)
        roots = {name: shown(root) for name, root in evidence.roots.items()}
        sets.append((roots, evidence.items, evidence.assumptions, list(evidence.roots)))
    assert len(sets) > 10
    assert all(each == sets[0] for each in sets)
    assert [r.fields["id"] for r in items_of(assemble(documents, NOW), "audit_trail.events").items] == ["2", "1"]  # type: ignore[attr-defined]


def test_the_audit_trail_is_put_together_from_its_files() -> None:
    evidence = assemble([
        given('{"id": "1"}\n', "{as: audit_trail.events}", "e.jsonl"),
        given(f'{{"stream_id": "s", "sequence": 1, "hash": "{sha("a")}", "valid": true}}\n', "{as: audit_trail.anchors}", "h.jsonl"),
        given('{"enabled": true}', "{as: audit_trail}", "on.json"),
    ], NOW)  # fmt: skip
    trail: Any = evidence.roots["audit_trail"]
    assert trail.fields.keys() == {"enabled", "events", "anchors"}
    assert "audit_trail.events: completeness is not stated, taken as complete" in evidence.assumptions


def test_a_contradiction_is_not_recorded_and_told() -> None:
    evidence = assemble([given('{"enabled": true}', "{as: audit_trail}", "a.json"),
                         given('{"enabled": false}', "{as: audit_trail}", "b.json")], NOW)  # fmt: skip
    assert "enabled" not in evidence.roots["audit_trail"].fields  # type: ignore[union-attr]
    assert all("taken as not recorded" in item.warnings[0] for item in evidence.items)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("complete: true", "complete: true", Completeness.COMPLETE),
        ("complete: true", "", Completeness.NOT_STATED),
        ("complete: true", "complete: false", Completeness.INCOMPLETE),
        ("", "", Completeness.NOT_STATED),
    ],
)
def test_a_merged_list_is_no_surer_than_its_parts(first: str, second: str, state: Completeness) -> None:
    parts = [given('{"user_id": "a"}\n', f"as: accounts\n{first}", "a.jsonl"),
             given('{"user_id": "b"}\n', f"as: accounts\n{second}", "b.jsonl")]  # fmt: skip
    assert items_of(assemble(parts, NOW), "accounts").state is state


def test_an_empty_part_that_states_nothing_and_an_id_in_two_parts_are_holes() -> None:
    empty = [given("[]", "{as: changes, format: json}", "a"), given('{"id": "1"}\n', "{as: changes}", "b.jsonl")]
    found = items_of(assemble(empty, NOW), "changes")
    assert found.state is Completeness.INCOMPLETE
    assert "`a` is empty" in found.reason
    twice = [
        given('{"id": "1"}\n', "{as: changes}", "a.jsonl"),
        given('{"id": "1", "major": true}\n', "{as: changes}", "b.jsonl"),
    ]
    found = items_of(assemble(twice, NOW), "changes")
    assert found.reason == "`1` is there twice (a.jsonl line 1 and b.jsonl line 1)"
    assert len(found.items) == 2


def events(name: str, begin: str, until: str, stream: str = "s", number: str = "1") -> Document:
    entry = (
        f"{{as: audit_trail.events, stream: {stream}, covers: {{from: 2026-{begin}T00:00:00Z, until: 2026-{until}T00:00:00Z}}}}"
    )
    return given(f'{{"id": "{name}{number}"}}\n', entry, f"{name}.jsonl")


def test_coverage_joins_spans_that_meet_and_narrows_where_they_do_not() -> None:
    def span(*documents: Document) -> tuple[Any, Any, EvidenceSet]:
        evidence = assemble(documents, NOW)
        found = items_of(evidence, "audit_trail.events")
        return found.covers_from, found.covers_until, evidence

    day = {
        name: datetime(2026, int(name[:2]), int(name[3:]), tzinfo=UTC) for name in ("01-01", "02-01", "02-15", "03-01", "04-01")
    }
    begin, until, _ = span(events("a", "01-01", "02-01"), events("b", "02-01", "03-01"))
    assert (begin, until) == (day["01-01"], day["03-01"])
    begin, until, evidence = span(events("a", "01-01", "02-01"), events("b", "02-15", "03-01"))
    assert (begin, until) == (day["02-15"], day["03-01"])
    assert any("nothing covers 2026-02-01T00:00:00Z to 2026-02-15T00:00:00Z" in note for note in evidence.assumptions)
    begin, until, _ = span(events("a", "01-01", "03-01", "s"), events("b", "02-01", "04-01", "t"))
    assert (begin, until) == (day["02-01"], day["03-01"])
    _, _, evidence = span(events("a", "01-01", "02-01", "s"), events("b", "03-01", "04-01", "t"))
    assert items_of(evidence, "audit_trail.events").reason == "its sources cover no common time"


def test_the_same_file_counts_once() -> None:
    one = given('{"user_id": "ann"}\n', "{as: accounts}", "x/accounts.jsonl")
    again = given('{"user_id": "ann"}\n', "{as: accounts}", "y/accounts.jsonl")
    evidence = assemble([again, one], NOW)
    assert len(items_of(evidence, "accounts").items) == 1
    assert [item.name for item in evidence.items] == ["x/accounts.jsonl"]
    assert "given twice, also as `y/accounts.jsonl`" in evidence.items[0].warnings[0]
    other = given('{"user_id": "ann"}\n', "{as: trainings}", "x/accounts.jsonl")
    assert {"accounts", "trainings"} <= assemble([one, other], NOW).roots.keys()


def test_evaluation_takes_its_time_from_the_run() -> None:
    context = Context(AT, environment="prod", period_from=datetime(2026, 3, 1, tzinfo=UTC))
    stated = given('{"environment": "test", "period_until": "2026-04-01T00:00:00Z"}', "{as: evaluation}", "e.json")
    fields = assemble([stated], context).roots["evaluation"].fields  # type: ignore[union-attr]
    assert fields == {"time": AT, "environment": "prod", "period_from": datetime(2026, 3, 1, tzinfo=UTC), "period_until": AT}
    with pytest.raises(Refusal, match="computed by the engine"):
        given('{"time": "2020-01-01T00:00:00Z"}', "{as: evaluation}", "e.json")
    with pytest.raises(Refusal, match="PE433"):
        assemble([], replace(context, period_until=datetime(2026, 2, 1, tzinfo=UTC)))


def test_two_different_releases_or_systems_are_refused() -> None:
    for root in ("software_release", "system"):
        with pytest.raises(Refusal, match="PE432"):
            assemble(
                [given('{"id": "a"}', f"{{as: {root}}}", "a.json"), given('{"id": "b"}', f"{{as: {root}}}", "b.json")], NOW
            )
    same = [given('{"id": "a"}', "{as: system}", "a.json"), given('{ "id": "a"}', "{as: system}", "b.json")]
    assert assemble(same, NOW).roots["system"].fields["id"] == "a"  # type: ignore[union-attr]


def test_the_only_row_of_systems_is_the_system() -> None:
    evidence = assemble([given('{"id": "mes"}\n', "{as: systems}")], NOW)
    assert evidence.roots["system"].fields["id"] == "mes"  # type: ignore[union-attr]
    assert any(note.startswith("system: the only row") for note in evidence.assumptions)
    assert "system" not in assemble([given('{"id": "a"}\n{"id": "b"}\n', "{as: systems}")], NOW).roots


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Subject("mes.tgz", ()), "has no digest"),
        (Subject(" ", (sha("a"),)), "has no name"),
        (Subject("mes.tgz", ("sha1:" + "a" * 40,)), "only weak digests"),
        (Subject("mes.tgz", ("sha256:abc",)), "is not a sha256 digest"),
        (Subject("mes.tgz", (sha("a"), sha("b"))), "two digests of one algorithm"),
    ],
)
def test_empty_and_ambiguous_subjects_are_refused(subject: Subject, words: str) -> None:
    with pytest.raises(Refusal, match="PE430") as caught:
        assemble([], Context(AT, subjects=(subject,)))
    assert words in str(caught.value)


def test_subjects_must_be_artifacts_of_the_stated_release() -> None:
    with pytest.raises(Refusal, match="PE430"):
        assemble([], Context(AT, subjects=(Subject("m", (sha("a"),)), Subject("m", (sha("b"),)))))
    evidence = assemble([release(digest=sha("a"))], Context(AT, subjects=(Subject("other name", (sha("a"),)),)))
    assert evidence.roots["software_release"].fields["id"] == "mes-4.2.0"  # type: ignore[union-attr]
    with pytest.raises(Refusal, match="PE431") as caught:
        assemble([release(digest=sha("a"))], Context(AT, subjects=(Subject("mes.tgz", (sha("b"),)),)))
    assert sha("a") in str(caught.value)
    assert sha("b") in str(caught.value)
    alone = assemble([], Context(AT, subjects=(Subject("mes.tgz", (sha("b"),)),))).roots["software_release"]
    assert alone.fields["id"] == "mes.tgz"  # type: ignore[union-attr]


def test_the_sbom_of_another_version_is_not_used() -> None:
    evidence = assemble([sbom("old.cdx.json", version="4.1.9"), release("mes 4.2.0")], NOW)
    assert "sbom" not in evidence.roots
    assert reason_of(evidence, "old.cdx.json") == "describes 4.1.9, the release is 4.2.0"
    assert len(items_of(evidence, "sboms").items) == 1


@pytest.mark.parametrize(
    ("product", "identity", "why"),
    [
        ({"version": "4.2.0"}, "mes-4.2.0.tar.gz", ""),
        ({"version": "4.2.0"}, "v4.2.0", ""),
        ({"version": "v4.2.0"}, "MES@4.2.0", ""),
        ({"version": "4.2.0"}, "mes-4.2.0-rc1", "describes 4.2.0, the release is 4.2.0-rc1"),
        ({"version": "4.2.0"}, "mes-4.2.0.1", "describes 4.2.0, the release is 4.2.0.1"),
        ({"version": "4.2.0"}, "lims-4.2.0", "describes `mes`, the release is `lims`"),
        ({"version": "4.2.0", "purl": "pkg:generic/lims@4.2.0"}, "lims-4.2.0", ""),
        ({"purl": "pkg:generic/mes"}, "mes-4.2.0", "does not state a version, the release is 4.2.0"),
        ({}, "mes-4.2.0", "does not say what it describes"),
    ],
)
def test_an_sbom_without_digest_is_matched_by_version_and_name(product: dict[str, str], identity: str, why: str) -> None:
    evidence = assemble([sbom("s.cdx.json", **product), release(identity)], NOW)
    assert reason_of(evidence, "s.cdx.json") == why
    assert ("sbom" in evidence.roots) is (why == "")


def test_digests_decide_over_names() -> None:
    right, wrong = (
        sbom("right.cdx.json", version="1", digests=sha("a")),
        sbom("wrong.cdx.json", version="4.2.0", digests=sha("b")),
    )
    evidence = assemble([wrong, right, release(digest=sha("a"))], NOW)
    assert evidence.roots["sbom"].origin == Origin("right.cdx.json")  # type: ignore[union-attr]
    assert reason_of(evidence, "wrong.cdx.json") == f"describes {sha('b')}, the release is {sha('a')}"
    assert not any(note.startswith("sbom:") and "digest" in note for note in evidence.assumptions)


def test_several_fitting_sboms_are_none() -> None:
    evidence = assemble([sbom("a.cdx.json", version="4.2.0"), sbom("b.cdx.json", version="4.2.0"), release()], NOW)
    assert "sbom" not in evidence.roots
    assert "`b.cdx.json` describes the same" in reason_of(evidence, "a.cdx.json")


def test_without_a_release_the_only_sbom_is_an_assumption() -> None:
    evidence = assemble([sbom("a.cdx.json", version="4.2.0")], NOW)
    assert "sbom" in evidence.roots
    assert any(note.startswith("sbom: no release is stated") for note in evidence.assumptions)


def scan(digest: str, found: list[str] | None, verified: bool = True) -> Document:
    row = {"predicate_type": "https://in-toto.io/attestation/vulns/v0.1", "subject_digests": digest, "listed_ids": found}
    record = READER.record("scan", row, Origin("scan.json"))
    item = EvidenceItem("scan.json", "attestation", "dsse", sha("c"), 1, verified=verified)
    return Document(item, {"scans": Collection((record,))})


@pytest.mark.parametrize(
    ("scanned", "purl", "reason"),
    [
        (scan(sha("a"), []), "pkg:npm/x@1", ""),
        (scan(sha("a"), ["CVE-1"]), "pkg:npm/x@1", ""),
        (scan(sha("a"), ["CVE-1", "CVE-2"]), "pkg:npm/x@1", "the scan `scan.json` found `CVE-2`, which the SBOM does not list"),
        (scan(sha("a"), None), "pkg:npm/x@1", "the scan `scan.json` does not say what it found"),
        (scan(sha("a"), []), None, "`x` has neither purl nor cpe, so no scan can look it up"),
        (scan(sha("b"), []), "pkg:npm/x@1", "as read"),
        (scan(sha("a"), [], verified=False), "pkg:npm/x@1", "as read"),
    ],
)
def test_vulnerabilities_are_whole_only_after_a_verified_scan(scanned: Document, purl: str | None, reason: str) -> None:
    document = sbom("a.cdx.json", version="4.2.0", digests=sha("a"))
    record: Any = document.roots["sbom"]
    part = READER.record("component", {"bom_ref": "x", "name": "x", "purl": purl})
    found = Record("vulnerability", {"id": "CVE-1", "component": part})
    fields = {**record.fields, "components": Collection((part,)),
              "vulnerabilities": Collection((found,), Completeness.INCOMPLETE, reason="as read")}  # fmt: skip
    evidence = assemble(
        [replace(document, roots={"sbom": replace(record, fields=fields)}), scanned, release(digest=sha("a"))], NOW
    )
    after = evidence.roots["sbom"].fields["vulnerabilities"]  # type: ignore[union-attr]
    assert after.reason == reason
    assert after.state is (Completeness.INCOMPLETE if reason else Completeness.COMPLETE)


@pytest.mark.parametrize("state", [Completeness.NOT_STATED, Completeness.COMPLETE])
def test_a_list_without_components_shows_nothing_unless_it_is_said_to_be_whole(state: Completeness) -> None:
    document = sbom("a.cdx.json", version="4.2.0", digests=sha("a"))
    record: Any = document.roots["sbom"]
    fields = {**record.fields, "components": Collection((), state), "vulnerabilities": Collection((), Completeness.INCOMPLETE)}
    evidence = assemble(
        [replace(document, roots={"sbom": replace(record, fields=fields)}), scan(sha("a"), []), release(digest=sha("a"))], NOW
    )
    after = evidence.roots["sbom"].fields["vulnerabilities"]  # type: ignore[union-attr]
    whole = state is Completeness.COMPLETE
    assert after.reason == ("" if whole else "its components are not listed")
    assert after.state is (Completeness.COMPLETE if whole else Completeness.INCOMPLETE)


def test_contradicting_actors_are_told_at_the_file_of_the_event() -> None:
    evidence = assemble([
        given('{"id": "1", "actor": {"user_id": "ann", "person_id": "P1"}}\n', "{as: audit_trail.events}", "e.jsonl"),
        given('{"user_id": "ann", "person_id": "P2"}\n', "{as: accounts}", "a.jsonl"),
    ], NOW)  # fmt: skip
    actor = items_of(evidence, "audit_trail.events").items[0].fields["actor"]  # type: ignore[attr-defined]
    assert actor.fields == {"user_id": "ann"}
    warned = next(item for item in evidence.items if item.name == "e.jsonl").warnings
    assert warned == ("line 1: `person_id` of `ann` is `P1` in the row, `P2` in accounts: taken as not recorded",)


def test_nothing_gives_a_time_and_no_more() -> None:
    evidence = assemble([], NOW)
    assert evidence.roots.keys() == {"evaluation"}
    assert evidence.items == evidence.assumptions == ()
