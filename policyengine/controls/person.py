"""People of a site: who they are, which roles and keys they hold, and whether two ids can be the same person."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """``keys`` are key ids or Sigstore identities, spelt as signature verification reports a signer."""

    id: str
    name: str = ""
    roles: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def same_person_key(user_id: str) -> str:
    """Equal for ids that differ only in case, blanks at the ends, or Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", user_id).strip().casefold())


def could_be_look_alikes(left: str, right: str) -> bool:
    """Whether letters of different scripts could hide that two ids are drawn the same (the `a` of Latin and that of Cyrillic)."""
    return _scripts(left) != _scripts(right) or len(_scripts(left)) > 1


def _scripts(text: str) -> frozenset[str]:
    compatible = unicodedata.normalize("NFKC", text)
    return frozenset(unicodedata.name(c, "UNNAMED").split()[0] for c in compatible if c.isalpha())
