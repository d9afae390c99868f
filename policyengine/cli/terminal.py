"""What depends on where the program runs: colour, progress, how problems are told, the folder for what may be kept."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from policyengine.core.diagnostic import Diagnostic, shown
from policyengine.packs.remembered import Memory

MAX_SHOWN = 20


def wants_colour(allowed: bool) -> bool:
    return allowed and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def memory() -> Memory | None:
    """What is kept between runs, in ``POLICYENGINE_CACHE`` or a folder of the user's cache; None where that is set to nothing.

    Its secret lies with the user's state, never in the cache, so that a restored cache cannot bring the secret along.
    """
    chosen = os.environ.get("POLICYENGINE_CACHE")
    folder = Path(chosen) if chosen else _of_user("XDG_CACHE_HOME", ".cache")
    state = _of_user("XDG_STATE_HOME", ".local/state")
    return None if chosen == "" or folder is None or state is None else Memory(folder, state / "cache.secret")


def _of_user(variable: str, usual: str) -> Path | None:
    """This program's folder below a base folder of the XDG Base Directory specification."""
    home = os.environ.get("HOME")
    base = os.environ.get(variable) or (f"{home}/{usual}" if home else "")
    return Path(base) / "policyengine-gxp" if base else None


def tell(diagnostics: Sequence[Diagnostic]) -> None:
    """Print diagnostics to standard error, at most twenty."""
    for each in diagnostics[:MAX_SHOWN]:
        sys.stderr.write(each.render() + "\n")
    if len(diagnostics) > MAX_SHOWN:
        sys.stderr.write(f"and {len(diagnostics) - MAX_SHOWN} more\n")


class Progress:
    """One line on a terminal's standard error, from one second on; nothing in a pipe."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._on = sys.stderr.isatty()
        self._shown = False

    def show(self, what: str) -> None:
        if self._on and time.monotonic() - self._started > 1:
            sys.stderr.write(f"\r\x1b[K{shown(what)[:100]}")
            sys.stderr.flush()
            self._shown = True

    def done(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = False
