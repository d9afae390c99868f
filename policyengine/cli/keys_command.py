"""``keys new`` and ``keys show``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from policyengine.cli.writing import write_whole
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.evidence.files import read_file
from policyengine.signing.keys import key_id_of, load_private, load_public, new_key


def new(out: Path, algorithm: str) -> int:
    """Write a key pair. An existing file is never overwritten."""
    public = out.with_suffix(".pub.pem")
    for path in (out, public):
        if path.exists():
            raise Refusal(
                Diagnostic("PE604", "the file is there already", file=str(path), hint="choose another name with --out")
            )
    password = os.environ.get("POLICYENGINE_KEY_PASSWORD")
    pair = new_key(algorithm, password.encode() if password else None)
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pair.private_pem)
    write_whole(public, pair.public_pem)
    sys.stdout.write(
        f"{out}  private{'' if password else ', not encrypted: keep it where only the gate can read it'}\n{public}  public\nkey id {pair.key_id}\n"
    )
    return 0


def show(path: Path) -> int:
    """Print the id and kind of a public or private key."""
    raw = read_file(path).raw
    if b"PRIVATE" in raw:
        password = os.environ.get("POLICYENGINE_KEY_PASSWORD")
        public = load_private(raw, str(path), password.encode() if password else None).public_key()
    else:
        public = load_public(raw, str(path))
    kind = type(public).__name__.lstrip("_").removesuffix("PublicKey")
    sys.stdout.write(f"{kind}, key id {key_id_of(public)}\n")
    return 0
