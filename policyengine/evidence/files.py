"""Evidence files as named bytes: files and folders that a user named, each read once, nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from policyengine.core.diagnostic import Diagnostic, Refusal

MAX_FILE_BYTES = 4 << 30
MAX_FILES = 100_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of one file, under the name that decisions and diagnostics give it: relative to what the user named."""

    name: str
    raw: bytes


def read_files(paths: Iterable[Path], progress: Callable[[int], None] | None = None) -> tuple[SourceFile, ...]:
    """Every file named or below a named folder, by name. Refused with its path (PE404): missing, unreadable, special, leading out."""
    found: dict[Path, SourceFile] = {}
    for path in paths:
        for file, name in _files(path):
            resolved = file.resolve()
            if resolved not in found:
                found[resolved] = read_file(file, name)
                if len(found) > MAX_FILES:
                    raise _refused(path, f"more files than the limit `evidence files` of {MAX_FILES}", "name fewer folders")
                if progress is not None:
                    progress(len(found))
    return tuple(sorted(_distinct(found.values()), key=lambda file: (file.name, file.raw)))


def read_file(path: Path, name: str | None = None) -> SourceFile:
    """One file. Raises :class:`Refusal` PE404."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise _refused(path, "it is not a regular file", "name a file")
        if state.st_size > MAX_FILE_BYTES:
            raise _refused(path, f"{state.st_size} bytes; the limit `evidence file size` is {MAX_FILE_BYTES}", "split the file")
        return SourceFile(name or path.name, path.read_bytes())
    except OSError as problem:
        raise _refused(path, f"it cannot be read: {problem.strerror}", "check the path and its permissions") from None


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, path.name
        return
    root = path.resolve()
    below = 0
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if not file.resolve().is_relative_to(root):
                raise _refused(file, "it is a link that leads out of the folder", "name its target itself")
            below += 1
            yield file, file.relative_to(path).as_posix()
    if not below:
        raise _refused(path, "the folder holds no file", "name a folder with evidence")


def _distinct(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    """Two files of one name keep both, told apart by a number."""
    seen: dict[str, int] = {}
    for file in sorted(files, key=lambda each: (each.name, each.raw)):
        seen[file.name] = seen.get(file.name, 0) + 1
        yield file if seen[file.name] == 1 else SourceFile(f"{file.name}~{seen[file.name]}", file.raw)


def _refused(path: Path, message: str, hint: str) -> Refusal:
    return Refusal(Diagnostic("PE404", message, file=str(path), hint=hint))
