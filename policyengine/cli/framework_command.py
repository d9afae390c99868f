"""``framework list`` and ``framework show``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from policyengine.controls.catalogue import Catalogue, load_catalogue
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.packs.library import shipped


def _catalogues() -> dict[str, Catalogue]:
    paths = sorted(shipped("frameworks").glob("*/catalogue.yaml"))
    found = [load_catalogue(path.read_bytes(), f"frameworks/{path.parent.name}/catalogue.yaml") for path in paths]
    return {catalogue.id: catalogue for catalogue in found}


def listed(form: str) -> int:
    rows: list[dict[str, Any]] = []
    for catalogue in _catalogues().values():
        counts = Counter(control.automation.words for control in catalogue.controls.values())
        rows.append(
            {
                "id": catalogue.id,
                "title": catalogue.title,
                "status": catalogue.status.value,
                "clauses": len(catalogue.controls),
                "automation": dict(counts),
            }
        )
    if form == "json":
        sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return 0
    for row in rows:
        automation = ", ".join(f"{number} {word}" for word, number in row["automation"].items())
        sys.stdout.write(f"{row['id']:28} {row['status']:10} {row['clauses']} clauses: {automation}\n")
    return 0


def show(name: str, form: str) -> int:
    catalogues = _catalogues()
    if name not in catalogues:
        close = nearest(name, catalogues)
        hint = f"did you mean `{close}`?" if close else f"frameworks: {', '.join(catalogues)}"
        raise Refusal(Diagnostic("PE851", f"there is no framework `{name}`", hint=hint))
    catalogue = catalogues[name]
    if form == "json":
        rows = [
            {"id": c.id, "title": c.title, "automation": c.automation.value, "requirement": c.requirement}
            for c in catalogue.controls.values()
        ]
        sys.stdout.write(
            json.dumps(
                {"id": catalogue.id, "title": catalogue.title, "status": catalogue.status.value, "controls": rows},
                indent=1,
                ensure_ascii=False,
            )
            + "\n"
        )
        return 0
    sys.stdout.write(f"{catalogue.title} ({catalogue.status.value})\n\n")
    for control in catalogue.controls.values():
        sys.stdout.write(f"{control.id}  {control.title}  [{control.automation.words}]\n    {control.requirement}\n")
    return 0
