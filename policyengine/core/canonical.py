"""Canonical bytes and digests: RFC 8785 JSON, SHA-256. Evidence is hashed as raw bytes; only what we write comes here."""

from __future__ import annotations

import hashlib
from typing import Any


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of plain data. Raises ``ValueError`` for what JSON cannot hold exactly (NaN, huge integers)."""
    import rfc8785

    return rfc8785.dumps(value)


def sha256_of(data: bytes) -> str:
    """``sha256:`` and 64 lower-case hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """The digest of the canonical JSON of plain data."""
    return sha256_of(canonical_json(value))
