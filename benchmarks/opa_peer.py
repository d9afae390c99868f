"""The rules of ``w1.policy`` in Rego, by OPA embedded in Python (package ``opa-golib-python-bindings``); OPA parses the document itself."""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

from opa_bindings import OpaEngine

REGO = """package w1
import rego.v1

strong := {"SHA-256", "SHA-384", "SHA-512"}
denied := {"AGPL-3.0-only", "SSPL-1.0", "BUSL-1.1"}
banned := {"Shady Software Ltd", "Unvetted Forks Inc"}
settled := {"resolved", "resolved_with_pedigree", "false_positive"}

recorded(thing, key) if object.get(thing, key, "") != ""
licences(c) := {id | id := c.licenses[_].license.id}

r01 contains i if { some i, c in input.components; not c.supplier.name; not recorded(c, "author") }
r02 contains i if { some i, c in input.components; not recorded(c, "purl") }
r02 contains i if { some i, c in input.components; not recorded(c, "version") }
r03 contains i if { some i, c in input.components; count({h | h := c.hashes[_].alg} & strong) == 0 }
r04 contains i if { some i, c in input.components; count(licences(c)) == 0 }
r04 contains i if { some i, c in input.components; count(licences(c) & denied) > 0 }
r07 contains i if { some i, c in input.components; c.supplier.name in banned }
r08 contains i if { some i, c in input.components; c.type == "firmware"; not c.pedigree }
serious contains i if { some i, v in input.vulnerabilities; v.ratings[_].score >= 7 }
accepted(v) if v.analysis.state in settled
accepted(v) if { v.analysis.state == "not_affected"; v.analysis.justification }
r05 contains i if { some i in serious; not accepted(input.vulnerabilities[i]) }

result := {"r01": count(r01), "r02": count(r02), "r03": count(r03), "r04": count(r04), "r05": count(r05), "r07": count(r07), "r08": count(r08)}
"""


def main() -> None:
    engine = OpaEngine()
    engine.add_policy("w1.rego", REGO)
    answer = engine._lib.OpaEvalDocument(engine._handle, b"w1.result", Path(sys.argv[1]).read_bytes(), 0, 0)
    found = json.loads(ctypes.string_at(answer))
    engine._lib.OpaFreeString(answer)
    print(json.dumps(found["result"][0]["expressions"][0]["value"]))


main()
