"""Canonical bytes and digests: RFC 8785 JSON, SHA-256. Evidence is hashed as raw bytes; only what we write comes here."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_EXACT = 2**53 - 1


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of plain data. Raises ``ValueError`` for what JSON cannot hold exactly (NaN, huge integers).

    Data without fractions whose keys are ASCII has the same bytes from the standard encoder, thirty times faster.
    """
    if _simple(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
    import rfc8785

    return rfc8785.dumps(value)


def _simple(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_EXACT <= value <= _EXACT)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _simple(each) for key, each in value.items())
    return kind is list and all(map(_simple, value))


def sha256_of(data: bytes) -> str:
    """``sha256:`` and 64 lower-case hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """The digest of the canonical JSON of plain data."""
    return sha256_of(canonical_json(value))
