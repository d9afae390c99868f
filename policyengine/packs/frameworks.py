"""The shipped control catalogues, as decisions and checks need them: status, and title and automation class of each clause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine import __version__
from policyengine.core.canonical import sha256_of
from policyengine.packs.library import shipped
from policyengine.packs.remembered import Memory, key_of, remembered

Frameworks = Mapping[str, Mapping[str, Any]]


def load_frameworks(memory: Memory | None = None) -> Frameworks:
    """Framework id to ``{"title", "status", "digest", "controls": {id: {"title", "automation"}}}``, from the shipped catalogues."""
    raw = {path.parent.name: path.read_bytes() for path in sorted(shipped("frameworks").glob("*/catalogue.yaml"))}
    key = key_of("frameworks", __version__, [(name, sha256_of(content)) for name, content in raw.items()])
    return remembered(memory, key, lambda: _read(raw))  # type: ignore[no-any-return]


def _read(raw: Mapping[str, bytes]) -> dict[str, Any]:
    from policyengine.controls.catalogue import load_catalogue

    found = {}
    for name, content in raw.items():
        catalogue = load_catalogue(content, f"frameworks/{name}/catalogue.yaml")
        controls = {c.id: {"title": c.title, "automation": c.automation.value} for c in catalogue.controls.values()}
        found[catalogue.id] = {
            "title": catalogue.title,
            "status": catalogue.status.value,
            "digest": catalogue.digest,
            "controls": controls,
        }
    return found


def control_ids(frameworks: Frameworks) -> dict[str, list[str]]:
    """The clause ids of each framework, for the check of a policy's references."""
    return {name: sorted(each["controls"]) for name, each in frameworks.items()}


def titles(frameworks: Frameworks) -> dict[str, dict[str, str]]:
    return {name: {control: said["title"] for control, said in each["controls"].items()} for name, each in frameworks.items()}
