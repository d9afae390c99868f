"""``policyengine demo``: writes the demo's files, gates them like any release, and says what to open next."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from policyengine.cli.gate import run_gate
from policyengine.cli.request import request_of
from policyengine.cli.writing import write_all


def demo(out: Path) -> int:
    """Exit 0 although its release is blocked: the demo worked."""
    from policyengine.demo.files import demo_files
    from policyengine.demo.story import AT, NOTICE, PLANT

    write_all([(out / name, content) for name, content in demo_files().items()])
    (out / "keys/decision.pem").chmod(0o600)
    sys.stdout.write(f"{NOTICE}\n{PLANT}\n\n")
    request = request_of([str(out / "policyengine.yaml")], {"at": [AT.strftime("%Y-%m-%dT%H:%M:%SZ")]})
    run_gate(request, AT)
    result, command = out / "result", _command()
    sys.stdout.write(
        f"\nopen {result / 'report.html'} in a browser\n"
        f"verify: {command} verify {result / 'decision.intoto.json'} --key {out / 'keys/decision.pub.pem'}\n"
        f"again:  {command} gate {out / 'policyengine.yaml'} --at {AT.strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
    )
    return 0


def _command() -> str:
    """How this program was called, so that what the demo prints can be copied where no folder of it is searched for commands."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "policyengine" and shutil.which("policyengine") is None else "policyengine"
