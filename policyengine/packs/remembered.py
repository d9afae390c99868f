"""A small memory between runs: plain JSON under a key of everything that it was made from.

Each entry carries an HMAC with a secret of this machine and user, which lies outside the folder of the entries: a folder that
was restored or shared from elsewhere verifies nothing. The memory is safe to delete: what does not verify is made anew.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine.core.canonical import sha256_of

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Memory:
    """The folder of the entries, and the file of the secret that they are made with; both readable by their owner alone."""

    folder: Path
    secret: Path


def key_of(*parts: object) -> str:
    """64 hex digits over plain data; everything that the remembered thing depends on belongs in it."""
    return sha256_of(json.dumps(parts, sort_keys=True).encode()).removeprefix("sha256:")


def remembered(memory: Memory | None, key: str, make: Callable[[], Any]) -> Any:
    """The JSON data kept under the key, or made now and kept for the next run. Without a memory nothing is kept."""
    secret = _secret(memory.secret) if memory else None
    if memory is None or secret is None:
        return make()
    body = _kept(memory.folder, key, secret)
    if body is not None:
        return json.loads(body)
    made = make()
    _keep(memory.folder, key, secret, json.dumps(made, separators=(",", ":")).encode())
    return made


def _mac(secret: bytes, key: str, body: bytes) -> bytes:
    return hmac.digest(secret, key.encode() + b"\n" + body, "sha256").hex().encode()


def _kept(folder: Path, key: str, secret: bytes) -> bytes | None:
    try:
        if not _private(folder.stat()):
            return None
        mac, _, body = (folder / f"{key}.json").read_bytes().partition(b"\n")
    except OSError:
        return None
    return body if hmac.compare_digest(mac, _mac(secret, key, body)) else None


def _keep(folder: Path, key: str, secret: bytes, body: bytes) -> None:
    """Best effort: a folder that cannot be written costs time, not correctness."""
    draft = folder / f".{key}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(folder.stat()):
            return
        draft.write_bytes(_mac(secret, key, body) + b"\n" + body)
        draft.replace(folder / f"{key}.json")
    except OSError:
        draft.unlink(missing_ok=True)


def _secret(path: Path) -> bytes | None:
    """The secret, made at the first run; None where it cannot be kept or others could have read it."""
    try:
        if not path.exists():
            _make_secret(path)
        with path.open("rb") as file:
            secret = file.read(SECRET_BYTES + 1) if _private(os.fstat(file.fileno())) else b""
    except OSError:
        return None
    return secret if len(secret) == SECRET_BYTES else None


def _make_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(SECRET_BYTES))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _private(state: os.stat_result) -> bool:
    return state.st_uid == os.getuid() and not stat.S_IMODE(state.st_mode) & 0o077
