"""The demo's files: evidence in the forms that a plant has, keys made on the spot, trust, profile and configuration."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from policyengine.core.canonical import canonical_json
from policyengine.core.vocabulary import vocabulary
from policyengine.demo import people, production, quality, serialisation, software
from policyengine.demo.story import AT, NOTICE, PERIOD_FROM, PLANT, RELEASE, SEED, SYSTEM, day, z
from policyengine.evidence.hash_chain import seal
from policyengine.signing.envelope import IN_TOTO, sign
from policyengine.signing.keys import new_key

STATEMENT = "https://in-toto.io/Statement/v1"


def demo_files(seed: int = SEED, defects: bool = True) -> dict[str, bytes]:
    """Path to content, for every file of the demo; the same bytes for the same seed but for keys and signatures.

    Without ``defects`` nothing is wrong with the release: what it takes to be allowed, and what must take that away.
    """
    random = Random(seed)  # noqa: S311 - a story, not a secret
    month = production.month(random, defects)
    keys = {name: new_key() for name in ("builder", "tester", "scanner", "decision")}
    files: dict[str, bytes] = {
        "README.md": _readme(),
        "policyengine.yaml": _config(),
        "profile.yaml": PROFILE.encode(),
        "trust.yaml": TRUST.encode(),
        **{f"keys/{name}.pub.pem": pair.public_pem for name, pair in keys.items()},
        "keys/decision.pem": keys["decision"].private_pem,
        **{f"release/{artifact.name}": artifact.content for artifact in software.artifacts()},
        "evidence/aurora-mes-4.2.0.cdx.json": software.bill_of_materials(Random(seed), defects),  # noqa: S311
        "evidence/provenance.intoto.json": _signed(_provenance(), keys["builder"].private_pem),
        "evidence/oq-results.intoto.json": _signed(_test_results(), keys["tester"].private_pem),
        "evidence/vulnerability-scan.intoto.json": _signed(_scan(), keys["scanner"].private_pem),
        "evidence/epcis.json": _json(serialisation.epcis(defects)),
        "exports/system.yaml": _yaml_object(quality.system()),
        "exports/release.yaml": _yaml_object(software.release()),
        "exports/audit-trail.jsonl": _lines(seal(month.events, vocabulary())),
        "exports/audit-trail-state.yaml": b"enabled: true\n",
    }
    for name, rows in _registers(month, defects).items():
        files[f"exports/{name}"] = (
            _table(rows) if name.endswith(".csv") else _lines(rows) if name.endswith(".jsonl") else _json(rows)
        )
    return files


def _registers(month: production.Month, defects: bool) -> dict[str, Sequence[Mapping[str, Any]]]:
    return {
        "signatures.jsonl": month.signatures, "records.csv": month.records, "record-versions.jsonl": month.versions,
        "batches.jsonl": month.batches, "reviews.jsonl": [*month.reviews, *quality.reviews()], "accounts.jsonl": people.accounts(defects),
        "grants.jsonl": people.grants(), "staff-changes.csv": people.staff_changes(), "requirements.jsonl": software.requirements(defects),
        "commits.csv": software.commits(), "changes.jsonl": software.changes(defects), "deployments.jsonl": software.deployments(),
        "patches.csv": software.patches(), "risks.jsonl": software.risks(), "quality-events.jsonl": quality.quality_events(),
        "investigations.csv": quality.investigations(), "suppliers.csv": quality.suppliers(), "backups.jsonl": quality.backups(),
        "storage-tests.csv": quality.storage_tests(), "trainings.csv": quality.trainings(),
        "trading-partners.jsonl": serialisation.trading_partners(defects), "product-identifiers.csv": serialisation.product_identifiers(defects),
        "serial-batches.csv": serialisation.serial_batches(), "transactions.jsonl": serialisation.transactions(defects),
        "verification-requests.jsonl": serialisation.verification_requests(), "verification-replies.csv": serialisation.verification_replies(defects),
        "cases.json": [],
    }  # fmt: skip


ROOT_OF = {
    "signatures.jsonl": "signatures", "records.csv": "records", "record-versions.jsonl": "record_versions", "batches.jsonl": "batches",
    "reviews.jsonl": "reviews", "accounts.jsonl": "accounts", "grants.jsonl": "grants", "staff-changes.csv": "staff_changes",
    "requirements.jsonl": "requirements", "commits.csv": "commits", "changes.jsonl": "changes", "deployments.jsonl": "deployments",
    "patches.csv": "patches", "risks.jsonl": "risks", "quality-events.jsonl": "quality_events", "investigations.csv": "investigations",
    "suppliers.csv": "suppliers", "backups.jsonl": "backups", "storage-tests.csv": "storage_tests", "trainings.csv": "trainings",
    "trading-partners.jsonl": "trading_partners", "product-identifiers.csv": "product_identifiers", "serial-batches.csv": "serial_batches",
    "transactions.jsonl": "transactions", "verification-requests.jsonl": "verification_requests", "verification-replies.csv": "verification_replies",
    "cases.json": "cases",
}  # fmt: skip


def _statement(predicate_type: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    subjects = [{"name": a.name, "digest": {"sha256": a.sha256}} for a in software.artifacts()]
    return {"_type": STATEMENT, "subject": subjects, "predicateType": predicate_type, "predicate": predicate}


def _provenance() -> dict[str, Any]:
    algorithm, content = software.revision().split(":")
    return _statement("https://slsa.dev/provenance/v1", {
        "buildDefinition": {"buildType": "https://builder.aurora.example/types/release/v1", "externalParameters": {"ref": f"refs/tags/{RELEASE}"},
                            "resolvedDependencies": [{"uri": software.REPOSITORY, "digest": {algorithm: content}}]},
        "runDetails": {"builder": {"id": software.BUILDER}, "metadata": {"invocationId": "run-8812", "startedOn": z(day(28, 9)), "finishedOn": z(day(28, 9, 40))}},
    })  # fmt: skip


def _test_results() -> dict[str, Any]:
    configuration = [{"name": "oq-protocol", "digest": {"sha256": "5c" * 32}}]
    return _statement("https://in-toto.io/attestation/test-result/v0.1",
                      {"result": "PASSED", "configuration": configuration, "passedTests": software.passed_tests(), "failedTests": []})  # fmt: skip


def _scan() -> dict[str, Any]:
    scanner = {
        "uri": "https://scanner.aurora.example/5.1",
        "version": "5.1",
        "db": {"uri": "https://scanner.aurora.example/db", "version": "20260330", "lastUpdate": z(day(30, 4))},
    }
    return _statement("https://in-toto.io/attestation/vulns/v0.2",
                      {"scanner": {**scanner, "result": [{"id": each, "severity": []} for each in software.VULNERABILITIES]}, "metadata": {"scanStartedOn": z(day(30, 10)), "scanFinishedOn": z(day(30, 10, 20))}})  # fmt: skip


def _signed(statement: Mapping[str, Any], private_pem: bytes) -> bytes:
    return sign(canonical_json(statement), IN_TOTO, private_pem, "demo key")


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """CSV with the vocabulary's names; lists joined with semicolons are not used here."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()})
    return out.getvalue().encode()


def _yaml_object(data: Mapping[str, Any]) -> bytes:
    """JSON flow style is YAML too: one key a line, values as JSON."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in data.items()).encode()


def _config() -> bytes:
    lines = [
        f"# {NOTICE}", "evidence:",
        *(f"  - path: evidence/{name}" for name in ("aurora-mes-4.2.0.cdx.json", "provenance.intoto.json", "oq-results.intoto.json",
                                                    "vulnerability-scan.intoto.json", "epcis.json")),
        "  - {path: exports/system.yaml, as: system}", "  - {path: exports/release.yaml, as: software_release}",
        "  - {path: exports/audit-trail-state.yaml, as: audit_trail}",
        f"  - {{path: exports/audit-trail.jsonl, as: audit_trail.events, covers: {{from: \"{z(PERIOD_FROM)}\", until: \"{z(AT)}\"}}, complete: true}}",
        *(f"  - {{path: exports/{name}, as: {root}, complete: true}}" for name, root in ROOT_OF.items() if root != "cases"),
        "  - {path: exports/cases.json, as: cases, complete: true, may_be_empty: true}",
        "subjects:", *(f"  - {a.name}@sha256:{a.sha256}" for a in software.artifacts()),
        "trust: trust.yaml", "profile: profile.yaml", "key: keys/decision.pem",
        f"period: {{from: \"{z(PERIOD_FROM)}\", until: \"{z(AT)}\"}}", "environment: production", "out: result", "reports: {html: result/report.html}",
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


TRUST = f"""# {NOTICE}
builders: {{"{software.BUILDER}": 3}}
signers:
  - name: release builder
    key: keys/builder.pub.pem
    predicate_types: ["https://slsa.dev/provenance/v1"]
  - name: qualification lab
    key: keys/tester.pub.pem
    predicate_types: ["https://in-toto.io/attestation/test-result/v0.1"]
  - name: scanner
    key: keys/scanner.pub.pem
    predicate_types: ["https://in-toto.io/attestation/vulns/v0.2"]
"""
PROFILE = f"""# {NOTICE}
id: seeburg-synthetic-data
version: "1"
organisation: "{PLANT}"
"""


def _readme() -> bytes:
    return f"""# The demo's files

{NOTICE}

`policyengine gate policyengine.yaml --at {z(AT)}` judges release {RELEASE} of {SYSTEM} at {PLANT} again.
`evidence/` is recognised by content; `exports/` are a site's own lists, named in `policyengine.yaml` with the root that each feeds.
`keys/` were made for this folder and protect nothing.
""".encode()
