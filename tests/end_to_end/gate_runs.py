"""Runs of the command line, in this process or in one of its own, over folders that the demo made."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine.cli.main import main
from policyengine.demo.files import demo_files
from policyengine.demo.story import AT, z

REPOSITORY = Path(__file__).parents[2]
AT_TEXT = z(AT)


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str


def command(*arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """`policyengine ..` in a process of its own, with a bare environment and no cache but the one that ``env`` names."""
    around = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(REPOSITORY), "POLICYENGINE_CACHE": "", **(env or {})}
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", *map(str, arguments)], env=around, cwd=cwd, capture_output=True, timeout=120
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def here(*arguments: str | Path) -> Run:
    """The same in this process: much quicker."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Run(code, out.getvalue(), err.getvalue())


def write_demo(folder: Path, defects: bool) -> Path:
    """The demo's files below a folder; gives the path of the configuration."""
    for name, content in demo_files(defects=defects).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "policyengine.yaml"


def decision_of(folder: Path) -> dict[str, Any]:
    decision: dict[str, Any] = json.loads((folder / "decision.json").read_bytes())
    return decision


def payload_of(envelope: Path) -> bytes:
    """The bytes that a DSSE envelope signs."""
    return base64.b64decode(json.loads(envelope.read_bytes())["payload"])


def told_without_traceback(run: Run) -> bool:
    return "Traceback" not in run.err and "Traceback" not in run.out
