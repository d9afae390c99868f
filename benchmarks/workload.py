"""A synthetic CycloneDX document for timing: N components, N/10 vulnerabilities, a dependency graph, few violations of each rule."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

BANNED = ("Shady Software Ltd", "Unvetted Forks Inc")
DENIED = ("AGPL-3.0-only", "SSPL-1.0", "BUSL-1.1")
LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "EPL-2.0")


def document(number: int, seed: int = 1) -> dict:
    pick = random.Random(seed)

    def digest(size: int) -> str:
        return f"{pick.getrandbits(4 * size):0{size}x}"

    components, rows, refs = [], [], []
    for i in range(number):
        ref = f"pkg:maven/com.example.g{i % 97}/lib-{i:06d}@{i % 9}.{i % 23}.{i % 7}"
        component = {
            "type": "firmware" if pick.random() < 0.01 else "library", "bom-ref": ref, "supplier": {"name": f"Supplier {i % 200:03d}"},
            "name": f"lib-{i:06d}", "version": f"{i % 9}.{i % 23}.{i % 7}", "scope": "required", "purl": ref,
            "hashes": [{"alg": "SHA-1", "content": digest(40)}, {"alg": "SHA-256", "content": digest(64)}],
            "licenses": [{"license": {"id": pick.choice(LICENCES)}}], "properties": [{"name": "gxp:impact", "value": "direct"}],
        }  # fmt: skip
        if component["type"] == "firmware" and pick.random() < 0.8:
            component["pedigree"] = {"notes": "built from qualified sources"}
        spoil = pick.random()
        if spoil < 0.01:
            del component["supplier"]
        elif spoil < 0.02:
            del component["purl"]
        elif spoil < 0.03:
            component["hashes"] = component["hashes"][:1]
        elif spoil < 0.04:
            del component["licenses"]
        elif spoil < 0.045:
            component["licenses"] = [{"license": {"id": pick.choice(DENIED)}}]
        elif spoil < 0.05:
            component["supplier"]["name"] = pick.choice(BANNED)
        components.append(component)
        rows.append({"ref": ref, "dependsOn": [pick.choice(refs)] if refs and pick.random() < 0.6 else []})
        refs.append(ref)
    findings = []
    for i in range(number // 10):
        score = round(pick.uniform(1, 10), 1)
        finding = {"id": f"CVE-2026-{10000 + i}", "ratings": [{"score": score, "severity": "high" if score >= 7 else "medium", "method": "CVSSv31"}],
                   "affects": [{"ref": pick.choice(refs)}]}  # fmt: skip
        fate = pick.random()
        if fate < 0.45:
            finding["analysis"] = {"state": "not_affected", "justification": "code_not_reachable"}
        elif fate < 0.85:
            finding["analysis"] = {"state": "resolved"}
        elif fate < 0.9:
            finding["analysis"] = {"state": "not_affected"}
        elif fate < 0.95:
            finding["analysis"] = {"state": "in_triage"}
        findings.append(finding)
    product = {"type": "application", "bom-ref": "product", "name": "batch-record-service", "version": "4.2.0"}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
            "metadata": {"timestamp": "2026-10-01T08:00:00Z", "component": product}, "components": components,
            "dependencies": [{"ref": "product", "dependsOn": refs[:1]}, *rows], "vulnerabilities": findings}  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(document(int(sys.argv[1]))), encoding="utf-8")
