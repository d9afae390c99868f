"""The release itself: artifacts, the bill of materials, and what development left behind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from policyengine.demo.people import ADMINISTRATORS, ENGINEERS, QUALITY
from policyengine.demo.story import AT, NOTICE, PREVIOUS_RELEASE, PRODUCT, RELEASE, SYSTEM, day, z

BUILDER = "https://builder.aurora.example/mes/v3"
REPOSITORY = "git+https://git.aurora.example/mes"
MODULES = ("batch-record", "recipe", "weighing", "equipment", "genealogy", "signature", "audit", "reporting", "interface-erp",
           "interface-lims", "serialisation", "identity")  # fmt: skip
ECOSYSTEMS = (("maven", "org.aurora.third"), ("npm", ""), ("pypi", ""), ("generic", ""))
WORDS = ("json", "xml", "http", "crypto", "log", "cache", "queue", "parser", "codec", "pool", "schema", "render", "auth", "zip",
         "text", "date", "math", "net", "stream", "file", "print", "barcode", "grid", "chart", "mail")  # fmt: skip
LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "EPL-2.0")
TESTS = 64
VULNERABILITIES = tuple(f"CVE-2026-{10400 + number}" for number in range(1, 14))


@dataclass(frozen=True, slots=True)
class Artifact:
    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def artifacts() -> tuple[Artifact, ...]:
    def body(name: str) -> bytes:
        seed = hashlib.sha256(name.encode()).digest()
        return NOTICE.encode() + b"\n" + b"".join(hashlib.sha256(seed + bytes([i])).digest() for i in range(128))

    return tuple(Artifact(name, body(name)) for name in (f"{PRODUCT}-{RELEASE}.tar", f"{PRODUCT}-edge-{RELEASE}.tar"))


def revision() -> str:
    return "sha256:" + hashlib.sha256(f"{PRODUCT} {RELEASE} revision".encode()).hexdigest()


def bill_of_materials(random: Random, defects: bool = True) -> bytes:
    """CycloneDX 1.6 JSON of the whole release: twelve modules with their parts, third-party components below them."""
    import json
    from datetime import datetime

    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity
    from cyclonedx.model.license import DisjunctiveLicense
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    def component(kind: str, group: str, name: str, version: str, supplier: str, licence: str, **more: Any) -> Component:
        purl = PackageURL(kind, group or None, name, version)
        digest = hashlib.sha256(str(purl).encode()).hexdigest()
        return Component(
            name=name, version=version, group=group or None, purl=purl, bom_ref=str(purl), type=more.pop("type", ComponentType.LIBRARY),
            supplier=OrganizationalEntity(name=supplier), licenses=[DisjunctiveLicense(id=licence)],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)], **more,
        )  # fmt: skip

    main = artifacts()[0]
    product = Component(
        name=PRODUCT, version=RELEASE, type=ComponentType.APPLICATION, purl=PackageURL("generic", "aurora", PRODUCT, RELEASE),
        bom_ref=PRODUCT, supplier=OrganizationalEntity(name="Aurora Manufacturing Software (fictional)"),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=main.sha256)],
    )  # fmt: skip
    bom = Bom(serial_number=None, version=1)
    bom.metadata.component = product
    bom.metadata.timestamp = datetime.fromisoformat(z(AT - timedelta(days=3)))
    modules, third_party = [], []
    for module in MODULES:
        parts = [component("generic", f"aurora/{module}", f"{module}-{part}", RELEASE, "Aurora Manufacturing Software (fictional)",
                           "Apache-2.0") for part in ("api", "core", "store", "ui")]  # fmt: skip
        modules.append(component("generic", "aurora", module, RELEASE, "Aurora Manufacturing Software (fictional)", "Apache-2.0",
                                 type=ComponentType.APPLICATION, components=parts))  # fmt: skip
    for number in range(360):
        kind, group = ECOSYSTEMS[number % 4]
        name = f"{WORDS[number % len(WORDS)]}-{WORDS[(number * 7 + number // 25) % len(WORDS)]}{number // 25 or ''}"
        version = f"{random.randrange(1, 9)}.{random.randrange(20)}.{random.randrange(9)}"
        third_party.append(component(kind, group, name, version, f"Open project {number % 41:02d}", LICENCES[number % 5]))
    bom.components.update(modules)
    bom.components.update(third_party)
    bom.register_dependency(product, modules)
    for position, built in enumerate(modules):
        bom.register_dependency(built, [*built.components, *third_party[position * 30 : position * 30 + 6]])
    for position, each in enumerate(third_party):
        inside = position % 30
        bom.register_dependency(each, third_party[position + 6 : position + 7] if inside < 24 else [])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    document["serialNumber"] = "urn:uuid:5e3f1c1e-6c0e-4d55-9b1a-0a4f42aa4200"
    document["compositions"] = [{"aggregate": "complete", "assemblies": [PRODUCT], "dependencies": [PRODUCT]}]
    document["vulnerabilities"] = _vulnerabilities(third_party, defects)
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _vulnerabilities(third_party: list[Any], defects: bool) -> list[dict[str, Any]]:
    def row(number: int, component: Any, severity: str, score: float, published: str, **analysis: Any) -> dict[str, Any]:
        return {
            "bom-ref": f"vulnerability-{number}", "id": VULNERABILITIES[number - 1], "source": {"name": "Synthetic"},
            "ratings": [{"score": score, "severity": severity, "method": "CVSSv31"}], "published": published,
            "description": "Synthetic finding of the demo.", "affects": [{"ref": component.bom_ref.value}],
            **({"analysis": analysis} if analysis else {}),
        }  # fmt: skip

    settled = {
        "state": "not_affected",
        "justification": "code_not_reachable",
        "firstIssued": z(day(3)),
        "lastUpdated": z(day(20)),
    }
    fixed = {"state": "resolved", "firstIssued": z(day(2)), "lastUpdated": z(day(12))}
    rows = [
        row(n, third_party[n * 13], "medium", 5.3, z(day(2)), state="in_triage", lastUpdated=z(day(5))) for n in range(1, 6)
    ]
    rows += [row(n, third_party[n * 13], "high", 7.8, z(day(4)), **(settled if n % 2 else fixed)) for n in range(6, 13)]
    # Defect: a critical finding in a component that the product reaches, set to not affected without a reason.
    reason = {} if defects else {"justification": "code_not_reachable"}
    rows.append(row(13, third_party[33], "critical", 9.8, z(day(25)), state="not_affected", lastUpdated=z(day(26)), **reason))
    return rows


def release() -> dict[str, Any]:
    return {
        "id": RELEASE, "artifacts": released_artifacts(), "previous_released_at": z(PREVIOUS_RELEASE), "source_digest": revision(), "approved_at": z(day(30)),
    }  # fmt: skip


def released_artifacts() -> list[dict[str, Any]]:
    return [{"name": a.name, "digests": [f"sha256:{a.sha256}"]} for a in artifacts()]


def requirements(defects: bool = True) -> list[dict[str, Any]]:
    rows = []
    for number in range(1, 49):
        risk = ("high", "medium", "low")[number % 3]
        rows.append({
            "id": f"URS-{number:03d}", "text": f"Requirement {number} of the batch record, in words of the plant", "risk": risk,
            "status": "approved", "gxp": True, "gxp_relevant": True, "version": "3", "approver": QUALITY[0].actor,
            "verified_by": [f"OQ-{number:03d}"], "supplier_covered": False, "approved_at": "2026-01-20T10:00:00Z", "source": "URS-MES",
            "text_digest": "sha256:" + hashlib.sha256(f"URS-{number}".encode()).hexdigest(),
        })  # fmt: skip
    if defects:
        rows[11]["verified_by"] = ["OQ-099"]  # Defect: this test was never run on the release.
    rows[11]["risk"] = "high"
    return rows


def passed_tests() -> list[str]:
    return [f"OQ-{number:03d}" for number in range(1, TESTS + 1)]


def commits() -> list[dict[str, Any]]:
    rows = []
    for number in range(1, 61):
        author, reviewer = ENGINEERS[number % 2], ENGINEERS[(number + 1) % 2]
        merged = PREVIOUS_RELEASE + timedelta(days=number, hours=number % 7)
        rows.append({"id": hashlib.sha256(f"commit {number}".encode()).hexdigest()[:40], "author": author.user_id,
                     "reviewed_by": reviewer.user_id, "analysis_passed": True, "merged_at": z(merged)})  # fmt: skip
    return rows


def changes(defects: bool = True) -> list[dict[str, Any]]:
    """Change control of the month, and the change under which the running version was installed."""
    assessed = {"regulatory_impact": False, "regulatory_assessor": QUALITY[1].user_id, "security_assessed": True,
                "impacts_assessed": ["product", "patient", "data"], "system_id": SYSTEM, "risk": "medium", "emergency": False}  # fmt: skip
    running = hashlib.sha256(b"aurora-mes 4.1.3").hexdigest()
    rows = [{
        "id": "CHG-2025-118", "status": "closed", "kind": "deploy", "approved_at": "2026-01-09T10:00:00Z", "approver": QUALITY[0].actor,
        "approved_by": QUALITY[0].user_id, "implementer": ADMINISTRATORS[0].actor, "implemented_by": ADMINISTRATORS[0].user_id,
        "implemented_at": "2026-01-12T09:00:00Z", "verified_at": "2026-01-13T09:00:00Z", "verification": "passed", "closed_at": "2026-02-02T09:00:00Z",
        "evaluated_at": "2026-02-01T09:00:00Z", "objective_met": True, "digests": [f"sha256:{running}"], "time": "2026-01-05T09:00:00Z",
        "major": True, **assessed,
    }]  # fmt: skip
    for number, start in enumerate((3, 9, 16, 23), 1):
        rows.append({
            "id": f"CHG-2026-{20 + number:03d}", "status": "closed", "kind": "config", "approved_at": z(day(start, 10)), "approver": QUALITY[number % 2].actor,
            "approved_by": QUALITY[number % 2].user_id, "implementer": ENGINEERS[number % 2].actor, "implemented_by": ENGINEERS[number % 2].user_id,
            "implemented_at": z(day(start + 1, 10)), "verified_at": z(day(start + 2, 10)), "verification": "passed", "closed_at": z(day(start + 4, 10)),
            "evaluated_at": z(day(start + 3, 10)), "objective_met": True, "time": z(day(start, 8)), "major": False, **assessed,
        })  # fmt: skip
    if defects:
        rows[3].update(approved_at=z(day(18, 16)))  # Defect: approved a day and more after it was implemented.
    return rows


def deployments() -> list[dict[str, Any]]:
    running = hashlib.sha256(b"aurora-mes 4.1.3").hexdigest()
    return [{"id": "DEP-MES-01-PROD", "system_id": SYSTEM, "environment": "production", "name": PRODUCT, "digests": [f"sha256:{running}"],
             "installed_at": "2026-01-12T09:00:00Z", "running": True, "change_id": "CHG-2025-118", "builder_id": BUILDER}]  # fmt: skip


def patches() -> list[dict[str, Any]]:
    return [
        {"id": "KB-OS-2026-02", "severity": "critical", "released_on": "2026-02-10", "applied_on": "2026-02-17"},
        {"id": "KB-DB-2026-01", "severity": "high", "released_on": "2026-02-12", "applied_on": "2026-03-03"},
        {"id": "KB-OS-2026-03", "severity": "medium", "released_on": "2026-02-20", "applied_on": "2026-03-20"},
    ]


def risks() -> list[dict[str, Any]]:
    rows = []
    for number in range(1, 13):
        severity = ("high", "medium", "low")[number % 3]
        rows.append({"id": f"FMEA-{number:02d}", "requirement_ids": [f"URS-{number:03d}"], "severity_score": 3, "probability_score": 2,
                     "detectability_score": 2, "risk_class": severity, "computed_class": severity, "control_ids": [f"URS-{number:03d}"],
                     "review_due_on": "2026-12-31", "last_review_at": "2026-01-15T10:00:00Z"})  # fmt: skip
    return rows
