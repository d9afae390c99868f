"""Evidence files as named bytes: files and folders that a user named, each read once, nothing else.

What is judged are the bytes of the file that was opened and checked: a name that is exchanged meanwhile changes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from policyengine.core.diagnostic import Diagnostic, Refusal

MAX_FILE_BYTES = 4 << 30
MAX_FILES = 100_000
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of one file, under the name that decisions and diagnostics give it: relative to what the user named."""

    name: str
    raw: bytes


def read_files(paths: Iterable[Path], progress: Callable[[int], None] | None = None,
               standard_input: Callable[[], bytes] | None = None, leave_out: Collection[Path] = ()) -> tuple[SourceFile, ...]:  # fmt: skip
    """Every file named or below a named folder, once, by name; ``-`` is what ``standard_input`` gives.

    ``leave_out`` are files that the caller reads himself. Refused with its path (PE404): missing, unreadable, special,
    leading out of its folder, over a limit.
    """
    apart = {_resolved(path) for path in leave_out}
    found: dict[Path, tuple[Path, str]] = {}
    files: list[SourceFile] = []
    for path in paths:
        if str(path) == STANDARD_INPUT:
            if standard_input is None:
                raise _refused(path, "standard input is not read here", "name a file")
            if not files:
                files.append(SourceFile(STANDARD_INPUT, standard_input()))
            continue
        for file, name in _files(path):
            resolved = _resolved(file)
            if resolved not in apart:
                # A file with two names has the longer one, whatever the order in which they were given.
                found[resolved] = max(found.get(resolved, (file, name)), (file, name), key=lambda each: (len(each[1]), each[1]))
            if len(found) > MAX_FILES:
                raise _refused(path, f"more files than the limit `evidence files` of {MAX_FILES}", "name fewer folders")
    for file, name in found.values():
        files.append(read_file(file, name))
        if progress is not None:
            progress(len(files))
    return tuple(sorted(_distinct(files), key=lambda file: (file.name, file.raw)))


def read_file(path: Path, name: str | None = None) -> SourceFile:
    """One file. Raises :class:`Refusal` PE404."""
    named = name or path.name
    if not _is_text(named):
        raise _refused(path, "its name is not UTF-8", "rename it: decisions name every file")
    try:
        # Opening a pipe must not wait for a writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise _refused(path, "it is not a regular file", "name a file")
            if state.st_size > MAX_FILE_BYTES:
                raise _refused(
                    path, f"{state.st_size} bytes; the limit `evidence file size` is {MAX_FILE_BYTES}", "split the file"
                )
            return SourceFile(named, file.read())
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
