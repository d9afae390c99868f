"""``evidence inspect``: what each file is, before anybody writes a rule about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policyengine.cli.options import usage
from policyengine.cli.terminal import Progress
from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import shown
from policyengine.core.model import EvidenceItem
from policyengine.evidence.files import read_file, read_files
from policyengine.evidence.load import Reading, load
from policyengine.signing.trust import load_trust


def inspect(paths: Sequence[Path], trust_file: Path | None, at: str | None, form: str) -> int:
    """Exit 0 where every file was read; a file that cannot be read as what it claims to be is refused (2)."""
    try:
        moment = timestamp(at) if at else datetime.now(UTC)
    except Mismatch as problem:
        raise usage(f"--at: {problem.message}", problem.hint) from None
    trust = None
    if trust_file is not None:
        folder = trust_file.parent
        trust = load_trust(read_file(trust_file).raw, str(trust_file), lambda name: (folder / name).read_bytes())
    progress = Progress()
    documents = load(read_files(paths), (), Reading(moment, trust), progress.show)
    progress.done()
    items = [document.item for document in documents]
    if form == "json":
        sys.stdout.write(json.dumps([_plain(item) for item in items], indent=1, ensure_ascii=False) + "\n")
        return 0
    for item in items:
        sys.stdout.write(_text(item))
    return 0


def _verified(item: EvidenceItem) -> str:
    return {True: "verified", False: "not verified", None: "carries no signature that is judged"}[item.verified]


def _text(item: EvidenceItem) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in item.counts.items())
    lines = [shown(item.name), f"  {item.kind}: {shown(item.format)}", f"  {item.digest}, {item.size} bytes",
             f"  {counts or 'nothing counted'}; completeness {item.completeness.value.replace('_', ' ')}", f"  {_verified(item)}"]  # fmt: skip
    if item.signer:
        lines.append(f"  signer: {shown(item.signer)}")
    if item.reason:
        lines.append(f"  reason: {shown(item.reason)}")
    lines += [f"  warning: {shown(warning)}" for warning in item.warnings[:5]]
    if len(item.warnings) > 5:
        lines.append(f"  and {len(item.warnings) - 5} more warnings")
    return "\n".join(lines) + "\n"


def _plain(item: EvidenceItem) -> dict[str, Any]:
    return {
        "name": item.name, "kind": item.kind, "format": item.format, "digest": item.digest, "size": item.size, "counts": dict(item.counts),
        "completeness": item.completeness.value, "verified": item.verified, "signer": item.signer, "reason": item.reason,
        "feeds": list(item.feeds), "warnings": list(item.warnings),
    }  # fmt: skip
