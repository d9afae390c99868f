"""The command ``policyengine``. ``gate`` has a path of its own past the full command line, so that CI pays for nothing else."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

from policyengine.cli.terminal import tell
from policyengine.core.diagnostic import Refusal, shown

REFUSED, INTERNAL = 2, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit code. Whatever goes wrong inside is 70, never 0 and never a traceback (but with --debug)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _speak_utf8()
    return guarded(lambda: _run(given), "--debug" in given)


def _speak_utf8() -> None:
    """What is printed is UTF-8 in every locale; what is no text, such as the name of a file, is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _run(given: list[str]) -> int:
    if given[:1] == ["gate"] and not {"--help", "-h"} & set(given):
        from policyengine.cli.gate_command import gate

        return gate(given[1:])
    from policyengine.cli.app import run

    return run(given)


def guarded(work: Callable[[], int], debug: bool) -> int:
    """The exit code of a piece of work, with every refusal and failure told in one line each."""
    try:
        code = work()
        sys.stdout.flush()
    except Refusal as refusal:
        tell(refusal.diagnostics)
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return INTERNAL
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was decided\n")
        return INTERNAL
    except Exception as problem:
        if debug:
            raise
        words = shown(f"{type(problem).__name__}: {problem}")[:500]
        sys.stderr.write(f"policyengine: error[PE900]: internal error, nothing was decided: {words}; --debug shows where\n")
        return INTERNAL
    return code


def command() -> None:
    """The process of the command: leaves at once when all is written, without taking a dead run's data apart piece by piece."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
