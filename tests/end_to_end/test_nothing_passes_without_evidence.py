"""Evidence that is taken away takes the verdict with it: for every shipped rule, and for every file of a passing gate."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from evidence_removals import nodes, removals
from gate_runs import AT_TEXT, Run, here, told_without_traceback, write_demo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reviewed_removals import REVIEWED, TURNS_INTO_A_PASS, Line, lines

from policyengine.cli.pipeline import _evidence, _trust
from policyengine.cli.request import request_of
from policyengine.core.canonical import canonical_json
from policyengine.core.model import EvidenceSet
from policyengine.core.outcome import Outcome
from policyengine.core.strict_json import load_json
from policyengine.core.vocabulary import vocabulary
from policyengine.demo.story import AT
from policyengine.engine.findings import RuleResult
from policyengine.engine.reference import evaluate
from policyengine.engine.settings import Settings
from policyengine.packs.cases import case_evidence
from policyengine.packs.library import compile_all, find_policies, shipped
from policyengine.signing.envelope import IN_TOTO, sign
from policyengine.signing.keys import new_key

NOT_BLOCKING = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_YET_DUE)


@cache
def compiled() -> tuple[Any, ...]:
    return compile_all(find_policies([shipped("policies")]))


def _rule(plan: Any, rule: str, evidence: EvidenceSet) -> RuleResult:
    (result,) = evaluate(plan, evidence, Settings(rules=frozenset([rule])))
    return result


def _outcome(result: RuleResult, subject: str | None) -> Outcome | None:
    return result.outcome if subject is None else dict(result.subjects).get(subject)


@cache
def in_tests() -> tuple[frozenset[Line], frozenset[Line], int]:
    """Over every expectation of every in-file test: removals that keep a pass, removals that make one, and how many were tried."""
    keep, make, tried = set(), set(), 0
    for policy in compiled():
        rules = {rule["id"]: removals(rule) for rule in policy.plan["rules"]}
        for case in policy.tests:
            evidence = case_evidence(case, vocabulary())
            for rule, expected, subject in case.expects:
                for removal in rules[rule]:
                    if subject is not None and (removal.is_root or removal.what in _LOOPED_OVER):
                        continue  # what is missing from a whole list is a subject of its own
                    left = removal.apply(evidence)
                    if left is None:
                        continue
                    tried += 1
                    got = _outcome(_rule(policy.plan, rule, left), subject)
                    line = (rule, removal.what, removal.how)
                    if Outcome(expected) is Outcome.PASS and got in NOT_BLOCKING:
                        keep.add(line)
                    if Outcome(expected) not in NOT_BLOCKING and got in NOT_BLOCKING:
                        make.add(line)
    return frozenset(keep), frozenset(make), tried


_LOOPED_OVER = ("audit_trail.events", "sbom.vulnerabilities", "epcis.shipped_items", "software_release.artifacts")


@pytest.fixture(scope="module")
def clean_evidence(clean: tuple[Path, Run]) -> EvidenceSet:
    request = request_of([str(clean[0] / "policyengine.yaml")], {})
    return _evidence(request, AT, _trust(request), lambda _: None)


def _read_by(rule: Any, evidence: EvidenceSet) -> EvidenceSet:
    """Only the roots that a rule names, so that a change is quick."""
    named = {node["name"] for node in nodes(rule) if node["op"] == "root"}
    if any(node["op"] == "reachable" for node in nodes(rule)):
        named.add("sbom")
    return EvidenceSet({name: root for name, root in evidence.roots.items() if name in named or name == "evaluation"})


def _rules() -> Iterator[tuple[Any, Any]]:
    return ((policy.plan, rule) for policy in compiled() for rule in policy.plan["rules"])


@pytest.fixture(scope="module")
def in_a_passing_release(clean_evidence: EvidenceSet) -> tuple[frozenset[Line], int]:
    """The same over the release without defects, for every rule that passes on it."""
    keep, tried = set(), 0
    for plan, rule in _rules():
        evidence = _read_by(rule, clean_evidence)
        if _rule(plan, rule["id"], evidence).outcome is not Outcome.PASS:
            continue
        for removal in removals(rule):
            left = removal.apply(evidence)
            if left is None:
                continue
            tried += 1
            if _rule(plan, rule["id"], left).outcome in NOT_BLOCKING:
                keep.add((rule["id"], removal.what, removal.how))
    return frozenset(keep), tried


def test_what_stays_a_pass_without_a_piece_of_evidence_was_reviewed(in_a_passing_release: tuple[frozenset[Line], int]) -> None:
    kept, _, tried = in_tests()
    kept_in_release, tried_in_release = in_a_passing_release
    assert tried > 1000
    assert tried_in_release > 300
    found, reviewed = kept | kept_in_release, lines(REVIEWED)
    assert sorted(found - reviewed) == [], "passes although evidence was taken away: mend the rule, or review it"
    assert sorted(reviewed - found) == [], "reviewed, but no longer so: take the line out"


def test_nothing_becomes_a_pass_by_taking_evidence_away() -> None:
    _, made, _ = in_tests()
    assert sorted(made - lines(TURNS_INTO_A_PASS)) == []
    assert made, "the exceptions are still there to be seen"


def test_without_any_evidence_no_rule_is_decided() -> None:
    for plan, rule in _rules():
        bare = case_evidence(compiled()[0].tests[0], vocabulary())
        nothing = EvidenceSet({"evaluation": bare.roots["evaluation"]})
        assert _rule(plan, rule["id"], nothing).outcome is Outcome.UNKNOWN, rule["id"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_several_removals_at_once_decide_nothing_better(data: st.DataObject, clean_evidence: EvidenceSet) -> None:
    """A removal that takes the pass away does so also together with others that are not among the reviewed."""
    plan, rule = data.draw(st.sampled_from(list(_rules())))
    reviewed = lines(REVIEWED)
    telling = [r for r in removals(rule) if (rule["id"], r.what, r.how) not in reviewed]
    chosen = (
        data.draw(st.lists(st.sampled_from(telling), min_size=2, max_size=4, unique_by=lambda r: r.what))
        if len(telling) > 1
        else telling
    )
    evidence, touched = _read_by(rule, clean_evidence), False
    if _rule(plan, rule["id"], evidence).outcome is not Outcome.PASS:
        return
    for removal in chosen:
        left = removal.apply(evidence)
        evidence, touched = left or evidence, touched or left is not None
    if touched:
        assert _rule(plan, rule["id"], evidence).outcome not in NOT_BLOCKING, [(r.what, r.how) for r in chosen]


class _PassingGate:
    """A folder whose gate passes; each change is tried and taken back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, write_demo(folder, defects=False)
        kept = [line for line in self.config.read_text().splitlines() if not line.startswith(("reports:", "key:"))]
        self.text = "\n".join(kept) + "\n"
        self.config.write_text(self.text)
        self.named = [line.split("path: ")[1].split(",")[0].strip(" }") for line in kept if "path: " in line]

    def run(self) -> Run:
        run = here("gate", self.config, "--at", AT_TEXT, "--no-sign")
        assert told_without_traceback(run)
        return run

    def with_content(self, name: str, content: bytes) -> Run:
        path = self.folder / name
        before = path.read_bytes()
        path.write_bytes(content)
        try:
            return self.run()
        finally:
            path.write_bytes(before)

    def without(self, name: str, text: str) -> Run:
        path = self.folder / name
        before = path.read_bytes()
        path.unlink()
        self.config.write_text(text)
        try:
            return self.run()
        finally:
            path.write_bytes(before)
            self.config.write_text(self.text)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> _PassingGate:
    made = _PassingGate(tmp_path_factory.mktemp("passing"))
    assert made.run().code == 0
    return made


FILES = [
    "evidence/aurora-mes-4.2.0.cdx.json", "evidence/provenance.intoto.json", "evidence/oq-results.intoto.json",
    "evidence/vulnerability-scan.intoto.json", "evidence/epcis.json", "exports/system.yaml", "exports/release.yaml",
    "exports/audit-trail-state.yaml", "exports/audit-trail.jsonl", "exports/signatures.jsonl", "exports/records.csv",
    "exports/record-versions.jsonl", "exports/batches.jsonl", "exports/reviews.jsonl", "exports/accounts.jsonl", "exports/grants.jsonl",
    "exports/staff-changes.csv", "exports/requirements.jsonl", "exports/commits.csv", "exports/changes.jsonl", "exports/deployments.jsonl",
    "exports/patches.csv", "exports/risks.jsonl", "exports/quality-events.jsonl", "exports/investigations.csv", "exports/suppliers.csv",
    "exports/backups.jsonl", "exports/storage-tests.csv", "exports/trainings.csv", "exports/trading-partners.jsonl",
    "exports/product-identifiers.csv", "exports/serial-batches.csv", "exports/transactions.jsonl", "exports/verification-requests.jsonl",
    "exports/verification-replies.csv", "exports/cases.json",
]  # fmt: skip


def test_every_evidence_file_of_the_gate_is_in_the_list(gate: _PassingGate) -> None:
    assert gate.named == FILES


READ_BY_NO_RULE = ("exports/records.csv", "exports/trainings.csv")
"""The demo shows these lists too; no rule of the default library asks for them, so no verdict hangs on them."""
ASKED_FOR = [name for name in FILES if name not in READ_BY_NO_RULE]


def test_what_no_rule_reads_is_known() -> None:
    read = {
        node["name"] for plan, rule in _rules() if "more/" not in _file_of(plan) for node in nodes(rule) if node["op"] == "root"
    }
    roots = {name: line for name in READ_BY_NO_RULE for line in [Path(name).stem]}
    assert not set(roots.values()) & read


def _file_of(plan: Any) -> str:
    files = find_policies([shipped("policies")])
    return next(file.name for file, policy in zip(files, compiled(), strict=True) if policy.plan is plan)


@pytest.mark.parametrize("name", FILES)
def test_a_named_file_that_is_gone_is_refused(gate: _PassingGate, name: str) -> None:
    gone = gate.without(name, gate.text)
    assert gone.code == 2
    assert Path(name).name in gone.err


@pytest.mark.parametrize("name", ASKED_FOR)
def test_without_a_file_the_gate_does_not_pass(gate: _PassingGate, name: str) -> None:
    unnamed = "".join(line for line in gate.text.splitlines(keepends=True) if name not in line)
    assert gate.without(name, unnamed).code in (2, 3)


def _emptied(name: str, content: bytes) -> bytes:
    """The form of the file kept, with nothing in it."""
    if name.endswith(".csv"):
        return content.splitlines(keepends=True)[0]
    return b"{}\n" if name.endswith((".yaml", "cdx.json", "epcis.json", ".intoto.json")) else b"[]\n"


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_no_bytes_or_blanks_is_refused(gate: _PassingGate, name: str) -> None:
    """An export that died leaves such a file, and the configuration still says `complete: true` of it."""
    assert gate.with_content(name, b"").code == 2
    assert gate.with_content(name, b"\n \n").code == 2


SAYS_THERE_ARE_NONE = {
    "exports/cases.json": "no case of illegitimate product is what the passing release says already",
    "exports/batches.jsonl": "batch-trail: no batch was released in the period, so not applicable",
    "exports/staff-changes.csv": "acc-leavers: nobody left in the period, so not applicable",
    "exports/patches.csv": "patch-timely: no patch was published in the period, so not applicable",
    "exports/quality-events.jsonl": "dev-closed and others: no deviation, CAPA or incident in the period, as the rules declare",
    "exports/serial-batches.csv": "serials-reconciled: no serial numbers were issued, so not applicable",
    "exports/transactions.jsonl": "information-complete: nothing changed owner, so not applicable",
    "exports/verification-requests.jsonl": "verify-answered: nobody asked, so not applicable",
}
"""Lists that may truly have no entries. Empty, and declared `may_be_empty`, each turns its rules to what their text declares for
"if there are none"; the decision shows it as not applicable, never as a pass of something that was looked at."""
LISTS = [name for name in ASKED_FOR if name.startswith("exports/") and not name.endswith(".yaml")]


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_passes_only_where_somebody_said_that_it_may_be_empty(gate: _PassingGate, name: str) -> None:
    entry = next(line for line in gate.text.splitlines() if f"path: {name}," in line)
    form = entry if name.endswith((".csv", ".json")) else entry.replace(f"path: {name},", f"path: {name}, format: json,")
    whole = form.replace(", may_be_empty: true", "")
    unstated = whole.replace(", complete: true", "")
    none = whole.replace("complete: true", "complete: true, may_be_empty: true")
    empty = _emptied(name, (gate.folder / name).read_bytes())
    assert "complete: true" in entry
    codes = {}
    for said, line in (("none", none), ("complete", whole), ("not stated", unstated)):
        gate.config.write_text(gate.text.replace(entry, line))
        try:
            codes[said] = gate.with_content(name, empty).code
        finally:
            gate.config.write_text(gate.text)
    assert codes["not stated"] in (1, 3), codes
    assert codes["complete"] in (1, 3), codes
    assert (codes["none"] == 0) == (name in SAYS_THERE_ARE_NONE), codes


@pytest.mark.parametrize("name", [name for name in ASKED_FOR if name not in LISTS])
def test_a_document_with_nothing_in_it_does_not_pass(gate: _PassingGate, name: str) -> None:
    assert gate.with_content(name, _emptied(name, (gate.folder / name).read_bytes())).code in (2, 3)


SIGNED = [name for name in FILES if name.endswith(".intoto.json")]


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_file_without_its_signature_never_passes(gate: _PassingGate, name: str) -> None:
    envelope: Any = load_json((gate.folder / name).read_bytes(), name)
    (signature,) = envelope["signatures"]
    for signatures in ([], [{**signature, "sig": ""}], [{**signature, "sig": signature["sig"][:-8] + "AAAAAAA="}]):
        changed = canonical_json({**envelope, "signatures": signatures})
        assert gate.with_content(name, changed).code in (2, 3), signatures


@pytest.mark.parametrize("name", SIGNED)
def test_a_file_signed_by_a_stranger_or_by_another_signer_never_passes(gate: _PassingGate, name: str) -> None:
    envelope: Any = load_json((gate.folder / name).read_bytes(), name)
    payload = base64.b64decode(envelope["payload"])
    stranger = load_json(sign(payload, IN_TOTO, new_key().private_pem, "stranger"), name)
    borrowed = {**stranger, "signatures": [{**stranger["signatures"][0], "keyid": envelope["signatures"][0].get("keyid", "")}]}  # type: ignore[call-overload,dict-item,index]
    gate_key = sign(payload, IN_TOTO, (gate.folder / "keys/decision.pem").read_bytes(), "the gate")
    for content in (canonical_json(stranger), canonical_json(borrowed), gate_key):
        assert gate.with_content(name, content).code == 3


@pytest.mark.parametrize("name", SIGNED)
def test_the_bare_statement_is_no_evidence(gate: _PassingGate, name: str) -> None:
    envelope: Any = load_json((gate.folder / name).read_bytes(), name)
    assert gate.with_content(name, base64.b64decode(envelope["payload"])).code in (2, 3)


def test_without_trust_nothing_that_is_signed_counts(gate: _PassingGate) -> None:
    text = "".join(line for line in gate.text.splitlines(keepends=True) if not line.startswith("trust:"))
    assert gate.without("trust.yaml", text).code == 3
    assert gate.without("trust.yaml", gate.text).code == 2
