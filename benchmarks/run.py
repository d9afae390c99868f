"""Times the command against its peers: whole processes, in turn, the median of the ratios inside each round."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = sys.executable


def wall(command: list[str]) -> tuple[float, bytes]:
    """Seconds of one process, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started, done.stdout


def paired(ours: list[str], theirs: list[str], rounds: int) -> tuple[float, float, float]:
    """Median seconds of both, and the median of the ratios inside the rounds; one round before is not counted."""
    times = [(wall(ours)[0], wall(theirs)[0]) for _ in range(rounds + 1)][1:]
    first, second = (statistics.median(each[i] for each in times) for i in (0, 1))
    return first, second, statistics.median(a / b for a, b in times)


def say(what: str, result: tuple[float, float, float]) -> None:
    print(f"{what}: {result[0] * 1e3:.0f} ms against {result[1] * 1e3:.0f} ms, ratio {result[2]:.2f}")


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    command = [PYTHON, "-m", "policyengine"]
    bare = [PYTHON, "-c", "import typer"]
    say("policyengine --help / python with typer imported", paired([*command, "--help"], bare, rounds))
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "sbom.json"
        subprocess.run([PYTHON, str(HERE / "workload.py"), "1000", str(document)], check=True)
        gate = [
            *command,
            "gate",
            "--no-sign",
            "-p",
            str(HERE / "w1.policy"),
            "-e",
            str(document),
            "--out",
            str(Path(folder) / "out"),
        ]
        wall(gate)
        decision = json.loads((Path(folder) / "out" / "decision.json").read_bytes())
        counts = {rule["id"]: rule["population"]["fail"] for rule in decision["rules"]}
        for name, module in (("cedar", "cedarpy"), ("opa", "opa_bindings")):
            peer = HERE / f"{name}_peer.py"
            if not peer.exists() or importlib.util.find_spec(module) is None:
                print(f"{name}: not installed here, left out")
                continue
            theirs = [PYTHON, str(peer), str(document)]
            found = json.loads(wall(theirs)[1])
            if found != counts:
                print(f"{name}: counts differ, no figure: {found} and {counts}")
                return 1
            say(f"policyengine gate, 1,000 components / {name}", paired(gate, theirs, rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
