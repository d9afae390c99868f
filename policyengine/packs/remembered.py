"""A small memory between runs: plain JSON under a key of everything that it was made from.

It lies in an owner-only folder, carries its own digest and is safe to delete: what does not verify is made anew. Nothing in it is code.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policyengine.core.canonical import sha256_of


def key_of(*parts: object) -> str:
    """64 hex digits over plain data; everything that the remembered thing depends on belongs in it."""
    return sha256_of(json.dumps(parts, sort_keys=True).encode()).removeprefix("sha256:")


def remembered(folder: Path | None, key: str, make: Callable[[], Any]) -> Any:
    """The JSON data kept under the key, or made now and kept for the next run. Without a folder nothing is kept."""
    if folder is None:
        return make()
    kept = _kept(folder, key)
    if kept is not None:
        return kept
    made = make()
    _keep(folder, key, made)
    return made


def _kept(folder: Path, key: str) -> Any:
    try:
        state = folder.stat()
        if state.st_uid != os.getuid() or stat.S_IMODE(state.st_mode) & 0o077:
            return None
        digest, _, body = (folder / f"{key}.json").read_bytes().partition(b"\n")
    except OSError:
        return None
    return json.loads(body) if digest.decode("ascii", "replace") == sha256_of(key.encode() + body) else None


def _keep(folder: Path, key: str, made: Any) -> None:
    """Best effort: a folder that cannot be written costs time, not correctness."""
    body = json.dumps(made, separators=(",", ":")).encode()
    name = folder / f"{key}.json"
    draft = folder / f".{key}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(sha256_of(key.encode() + body).encode() + b"\n" + body)
        draft.replace(name)
    except OSError:
        draft.unlink(missing_ok=True)
