"""Files written whole or not at all: a temporary name in the same folder, synced, renamed. A killed run leaves old or new."""

from __future__ import annotations

import os
from pathlib import Path

from policyengine.core.diagnostic import Diagnostic, Refusal


def write_whole(path: Path, content: bytes) -> None:
    """Write one file. Raises :class:`Refusal` PE853 where the disk says no; the command then fails."""
    draft = path.parent / f".{path.name}.{os.getpid()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise Refusal(
            Diagnostic("PE853", f"cannot be written: {problem.strerror}", file=str(path), hint="nothing was decided")
        ) from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_stale(folder: Path, pattern: str, keep: set[str]) -> None:
    """Remove files of an earlier run that this run did not write again."""
    for path in sorted(folder.glob(pattern)):
        if path.name not in keep:
            path.unlink()
