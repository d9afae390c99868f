"""``verify``: the numbered steps of a signed decision, offline."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from policyengine.cli.options import usage
from policyengine.cli.pipeline import given_subject
from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import shown
from policyengine.decision.inputs import Subject
from policyengine.decision.verify import Step, Verdict, verify_decision
from policyengine.evidence.files import read_file, read_files
from policyengine.packs.frameworks import control_ids, load_frameworks
from policyengine.packs.library import default_packs, find_policies, load_policies
from policyengine.signing.trust import Trust, key_trust, load_trust

SHIPPED = "shipped"


def verify(decision: Path, key: Path | None, trust_file: Path | None, evidence: Sequence[Path], policies: Sequence[Path],
           subjects: Sequence[str], form: str) -> int:  # fmt: skip
    """Exit 0 where every step that was asked for holds, 1 where one does not. Without a key or trust file nothing is verified."""
    if key is not None and trust_file is not None:
        raise usage("a key and a trust file are given", "keep one of them")
    verdict = verify_decision(
        read_file(decision).raw,
        trust=_trust(key, trust_file),
        at=datetime.now(UTC),
        subjects=[_subject(text) for text in subjects] or None,
        policies=_policies(policies) if policies else None,
        evidence={file.name: sha256_of(file.raw) for file in read_files(evidence)} if evidence else None,
        name=str(decision),
    )
    if form == "json":
        steps = [{"number": s.number, "title": s.title, "ok": s.ok, "detail": s.detail} for s in verdict.steps]
        sys.stdout.write(json.dumps({"ok": verdict.ok, "signers": list(verdict.signers), "steps": steps}, indent=1) + "\n")
    else:
        sys.stdout.write("".join(_line(step) for step in verdict.steps) + _last(verdict))
    return 0 if verdict.ok else 1


def _trust(key: Path | None, trust_file: Path | None) -> Trust | None:
    if key is not None:
        return key_trust(read_file(key).raw, str(key))
    if trust_file is None:
        return None
    folder = trust_file.parent
    return load_trust(read_file(trust_file).raw, str(trust_file), lambda name: (folder / name).read_bytes())


def _subject(text: str) -> Subject:
    given = given_subject(text)
    name = "" if given.name.startswith("sha256:") else given.name
    return Subject(name, dict(digest.split(":", 1) for digest in given.digests))


def _policies(paths: Sequence[Path]) -> dict[str, str]:
    """Digests of the policies as compiled now: a verification takes nothing from memory.

    ``shipped``, where there is no file of that name, stands for the packs that a gate judges by when nobody names policies.
    """
    named = [each for path in paths for each in (default_packs() if str(path) == SHIPPED and not path.exists() else (path,))]
    loaded = load_policies(find_policies(named), control_ids(load_frameworks()))
    return {policy.id: policy.digest for policy in loaded}


def _line(step: Step) -> str:
    mark = {True: "ok", False: "REFUSED", None: "not checked"}[step.ok]
    detail = step.detail.removeprefix("not checked: ") if step.ok is None else step.detail
    return f"{step.number} {step.title:12} {mark:12} {shown(detail)}\n"


def _last(verdict: Verdict) -> str:
    if verdict.ok:
        decided = verdict.decision["decision"] if verdict.decision else "?"
        return f"verified: the decision is `{decided}`, signed by {shown(', '.join(verdict.signers))}\n"
    failed = next((step for step in verdict.steps if step.ok is False), None)
    if failed is None:
        return "NOT VERIFIED: no signature was checked; give --key or --trust\n"
    return f"NOT VERIFIED: refused at step {failed.number} ({failed.title}): {shown(failed.detail)}\n"
