"""``pack.yaml``: what a folder of policies holds, and who answers for it. A policy that slips out of a pack, or into it, is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import Diagnostic

NAME = "pack.yaml"


@dataclass(frozen=True, slots=True)
class PackFile:
    """The bytes of a ``pack.yaml``, the name that diagnostics give it, and the policy files that lie beside it."""

    name: str
    raw: bytes
    beside: tuple[str, ...]


def pack_beside(file: Path, name: str) -> PackFile | None:
    """The ``pack.yaml`` of the folder of a policy file; ``name`` is how diagnostics call that policy file."""
    path = file.with_name(NAME)
    if not path.is_file():
        return None
    beside = sorted(each.name for each in file.parent.glob("*.policy"))
    return PackFile(f"{name.removesuffix(file.name)}{NAME}", path.read_bytes(), tuple(beside))


def pack_faults(pack: PackFile) -> Sequence[Diagnostic]:
    """Every departure from ``pack.schema.json`` (PE708), then every policy that is listed or there, but not both (PE709)."""
    import jsonschema

    from policyengine.core.strict_yaml import load_yaml

    said: Any = load_yaml(pack.raw, pack.name)
    validator = jsonschema.Draft202012Validator(
        json.loads(Path(__file__).with_name("pack.schema.json").read_text("utf-8")),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    shape = [
        Diagnostic("PE708", each.message, file=pack.name, pointer=each.json_path.removeprefix("$"))
        for each in sorted(validator.iter_errors(said), key=lambda error: error.json_path)
    ]
    if shape:
        return shape
    listed = set(said["policies"])
    gone = [f"`{name}` is listed and is not there" for name in sorted(listed - set(pack.beside))]
    more = [f"`{name}` is there and is not listed" for name in pack.beside if name not in listed]
    hint = "list under `policies:` exactly the files that were approved as this pack"
    return [Diagnostic("PE709", message, file=pack.name, hint=hint) for message in gone + more]
