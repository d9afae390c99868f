"""The rules of ``w1.policy`` in Cedar: one request for each component and finding; the deny reasons are the violations."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import cedarpy

POLICIES = """permit(principal, action, resource);
@id("r01") forbid(principal, action == Action::"component", resource) when { !(context has supplier) && !(context has author) };
@id("r02") forbid(principal, action == Action::"component", resource) when { !(context has purl) || !(context has version) };
@id("r03") forbid(principal, action == Action::"component", resource) when { !context.algorithms.containsAny(["SHA-256", "SHA-384", "SHA-512"]) };
@id("r04") forbid(principal, action == Action::"component", resource) when { context.licences.isEmpty() || context.licences.containsAny(["AGPL-3.0-only", "SSPL-1.0", "BUSL-1.1"]) };
@id("r07") forbid(principal, action == Action::"component", resource) when { context has supplier && ["Shady Software Ltd", "Unvetted Forks Inc"].contains(context.supplier) };
@id("r08") forbid(principal, action == Action::"component", resource) when { context.type == "firmware" && !context.pedigree };
@id("r05") forbid(principal, action == Action::"finding", resource) when { context.tenths >= 70 && !(context.state == "not_affected" && context.justified) && !(["resolved", "resolved_with_pedigree", "false_positive"].contains(context.state)) };
"""
RULES = ("permit", "r01", "r02", "r03", "r04", "r07", "r08", "r05")


def request(action: str, context: dict) -> dict:
    return {"principal": 'U::"ci"', "action": f'Action::"{action}"', "resource": 'C::"x"', "context": context}


def requests(document: dict) -> list[dict]:
    made = []
    for each in document["components"]:
        licences = [entry.get("license", {}).get("id") or entry.get("expression") for entry in each.get("licenses") or ()]
        context = {"type": each["type"], "algorithms": [h["alg"] for h in each.get("hashes") or ()], "licences": [x for x in licences if x],
                   "pedigree": bool(each.get("pedigree"))}  # fmt: skip
        if (each.get("supplier") or {}).get("name"):
            context["supplier"] = each["supplier"]["name"]
        context.update({key: each[key] for key in ("author", "purl", "version") if each.get(key)})
        made.append(request("component", context))
    for each in document.get("vulnerabilities") or ():
        analysis = each.get("analysis") or {}
        tenths = round(10 * max(rating.get("score") or 0 for rating in each["ratings"]))
        made.append(
            request(
                "finding",
                {"tenths": tenths, "state": analysis.get("state") or "", "justified": bool(analysis.get("justification"))},
            )
        )
    return made


def main() -> None:
    policies, entities = cedarpy.PolicySet.from_str(POLICIES), cedarpy.Entities.from_json_str("[]")
    found: Counter[str] = Counter()
    document = json.loads(Path(sys.argv[1]).read_bytes())
    for answer in cedarpy.is_authorized_batch(requests(document), policies, entities):
        if not answer.allowed:
            found.update(reason if reason in RULES else RULES[int(reason[6:])] for reason in answer.diagnostics.reasons)
    print(json.dumps({rule: found[rule] for rule in sorted(RULES[1:])}))


main()
