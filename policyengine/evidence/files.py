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
            resolved = _resolved(file)
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
        named = name or path.name
        if not _is_text(named):
            raise _refused(path, "its name is not UTF-8", "rename it: decisions name every file")
        # Opened first and asked then: what is checked is what is read, and a pipe does not block.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            state = os.fstat(opened.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise _refused(path, "it is not a regular file", "name a file")
            if state.st_size > MAX_FILE_BYTES:
                message = f"{state.st_size} bytes; the limit `evidence file size` is {MAX_FILE_BYTES}"
                raise _refused(path, message, "split the file")
            return SourceFile(named, opened.read())
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no path"
        raise _refused(path, f"it cannot be read: {why}", "check the path and its permissions") from None


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, path.name
        return
    root = _resolved(path)
    below = 0
    for folder, folders, names in os.walk(path, onerror=_not_listed):
        folders.sort()
        for name in folders:
            if (Path(folder) / name).is_symlink():
                raise _refused(Path(folder) / name, "it is a link to a folder", "name its target itself")
        for name in sorted(names):
            file = Path(folder) / name
            if not _resolved(file).is_relative_to(root):
                raise _refused(file, "it is a link that leads out of the folder", "name its target itself")
            below += 1
            yield file, file.relative_to(path).as_posix()
    if not below:
        raise _refused(path, "the folder holds no file", "name a folder with evidence")


def _not_listed(problem: OSError) -> None:
    raise _refused(Path(str(problem.filename)), f"it cannot be read: {problem.strerror}", "check the path and its permissions")


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise _refused(path, "it cannot be read: it is no path, or a link that leads to itself", "name a file") from None


def _distinct(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    """Two files of one name keep both, told apart by a number."""
    listed = sorted(files, key=lambda each: (each.name, each.raw))
    taken = {file.name for file in listed}
    earlier = ""
    for file in listed:
        name, number = file.name, 1
        if file.name == earlier:
            while name in taken:
                number += 1
                name = f"{file.name}~{number}"
        earlier = file.name
        taken.add(name)
        yield file if name == file.name else SourceFile(name, file.raw)


def _refused(path: Path, message: str, hint: str) -> Refusal:
    return Refusal(Diagnostic("PE404", message, file=str(path), hint=hint))
