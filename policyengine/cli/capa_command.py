"""``capa list`` and ``capa show``: the quality drafts of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal, shown
from policyengine.core.strict_json import load_json
from policyengine.evidence.files import read_file


def _draft(path: Path) -> dict[str, Any]:
    draft = load_json(read_file(path).raw, str(path))
    if not isinstance(draft, dict) or not str(draft.get("external_id", "")).startswith("qd-"):
        raise Refusal(Diagnostic("PE883", "not a quality draft", file=str(path), hint="name a qd-*.json of a run"))
    return draft


def listed(folder: Path) -> int:
    """One line for each draft. A folder without drafts is said so, exit 0."""
    if not folder.is_dir():
        raise Refusal(Diagnostic("PE404", "there is no such folder", file=str(folder), hint="name the capa folder of a run"))
    drafts = [_draft(path) for path in sorted(folder.glob("qd-*.json"))]
    for draft in drafts:
        sys.stdout.write(
            shown(f"{draft['external_id']}  {draft['record_type']:16} {draft['severity']:8} {draft['title']}") + "\n"
        )
    sys.stdout.write(f"{len(drafts)} drafts\n")
    return 0


def show(path: Path) -> int:
    from policyengine.outputs.capa_markdown import draft_markdown

    sys.stdout.write(draft_markdown(_draft(path)) + "\n")
    return 0
