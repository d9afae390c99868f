"""Files written whole or not at all: a temporary name in the same folder, synced, renamed. A killed run leaves old or new."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from policyengine.core.diagnostic import Diagnostic, Refusal


def write_whole(path: Path, content: bytes) -> None:
    """Write one file. Raises :class:`Refusal` PE853 where the disk says no; the command then fails."""
    write_all([(path, content)])


def write_all(contents: Sequence[tuple[Path, bytes]]) -> None:
    """Write several files: all under temporary names, synced together, then renamed one by one."""
    drafts = [(path, path.parent / f".{path.name}.{os.getpid()}", content) for path, content in contents]
    path = Path()
    try:
        for path, draft, content in drafts:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
        for _, draft, _ in drafts:
            _sync(draft)
        for path, draft, _ in drafts:
            draft.replace(path)
        for folder in {path.parent for path, _, _ in drafts}:
            _sync(folder)
    except OSError as problem:
        for _, draft, _ in drafts:
            with contextlib.suppress(OSError):
                draft.unlink()
        raise Refusal(
            Diagnostic("PE853", f"cannot be written: {problem.strerror}", file=str(path), hint="nothing was decided")
        ) from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_stale(folder: Path, pattern: str, keep: set[str]) -> None:
    """Remove files of an earlier run that this run did not write again."""
    for path in sorted(folder.glob(pattern)):
        if path.name not in keep:
            path.unlink()
