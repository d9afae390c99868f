"""The gate: judge, write what was decided, say it, and leave with the exit code that CI acts on."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from policyengine.cli.options import usage
from policyengine.cli.pipeline import Judged, judge
from policyengine.cli.request import Request
from policyengine.cli.terminal import Progress, memory, wants_colour
from policyengine.cli.writing import remove_stale, write_all
from policyengine.core.canonical import canonical_json
from policyengine.decision.judgement import exit_code


def run_gate(request: Request, now: datetime) -> int:
    """Run, write into the output folder, print. Gives the exit code of ``cli.md``: 0, 1 or 3; a refusal is 2."""
    if not request.evidence and not request.declared:
        raise usage("no evidence is named", "give it with `-e PATH`, or in a policyengine.yaml")
    key = _key(request)
    progress = Progress()
    judged = judge(request, now, memory(), progress.show)
    progress.done()
    written = write_results(request, judged, key)
    show(request, judged.decision, written)
    return 0 if request.lenient else exit_code(judged.decision)


def _key(request: Request) -> bytes | None:
    if not request.sign:
        return None
    if request.key is None:
        raise usage(
            "nothing says how to sign the decision", "give `--key FILE` (make one with `policyengine keys new`), or `--no-sign`"
        )
    from policyengine.evidence.files import read_file

    return read_file(request.key).raw


def write_results(request: Request, judged: Judged, key: bytes | None) -> list[Path]:
    """Decision, envelope, drafts and reports; the files to show to the user."""
    decision, out = judged.decision, request.out
    contents: list[tuple[Path, bytes]] = [(out / "decision.json", pretty(decision))]
    if key is not None:
        from policyengine.decision.statement import statement
        from policyengine.signing.envelope import IN_TOTO, sign

        password = os.environ.get("POLICYENGINE_KEY_PASSWORD")
        payload = statement(decision)
        envelope = sign(payload, IN_TOTO, key, str(request.key), password.encode() if password else None)
        contents.insert(0, (out / "decision.intoto.json", envelope))
    drafts = _draft_files(judged)
    contents += [(out / "capa" / name, content) for name, content in drafts]
    contents += [(path, _report(name, judged)) for name, path in request.reports]
    write_all(contents)
    if key is None:
        (out / "decision.intoto.json").unlink(missing_ok=True)
    remove_stale(out / "capa", "qd-*", {name for name, _ in drafts})
    shown = [path for path, _ in contents if path.parent.name != "capa"]
    return [*shown, out / "capa"] if drafts else shown


def _draft_files(judged: Judged) -> list[tuple[str, bytes]]:
    if not judged.drafts:
        return []
    from policyengine.outputs.capa_markdown import draft_markdown

    files = []
    for draft in judged.drafts:
        files.append((f"{draft['external_id']}.json", canonical_json(draft) + b"\n"))
        files.append((f"{draft['external_id']}.md", draft_markdown(draft).encode()))
    return files


def _report(name: str, judged: Judged) -> bytes:
    if name == "json":
        return pretty(judged.decision)
    if name == "md":
        from policyengine.outputs.markdown import decision_markdown

        return decision_markdown(judged.decision, judged.drafts).encode()
    from policyengine.outputs.html import render_html

    return render_html(judged.decision, judged.drafts, judged.frameworks)


def pretty(data: Any) -> bytes:
    """Indented JSON with sorted keys, the same bytes for the same data."""
    return (json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def show(request: Request, decision: dict[str, Any], written: list[Path]) -> None:
    from policyengine.outputs.summary import one_line, summary_text

    if request.json:
        sys.stdout.write(pretty(decision).decode())
        sys.stderr.write(one_line(decision) + "\n")
        return
    width = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else None
    sys.stdout.write(summary_text(decision, width, wants_colour(request.color), [str(path) for path in written]) + "\n")
