"""Values of plans, profiles and evidence as JSON that every reader reads alike: no decimals, no big integers (RFC 8785)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

LARGEST_INTEGER = 2**53 - 1


def plain(value: object) -> Any:
    """JSON-plain data. Decimals, floats and integers from 2^53 become text; times are RFC 3339 in UTC."""
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case int():
            return value if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return format(Decimal(repr(value)), "f") if value == value and abs(value) != float("inf") else repr(value)
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case timedelta():
            return plain(Decimal(value // timedelta(microseconds=1)) / 1_000_000)
        case Mapping():
            return {plain(str(key)): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case set() | frozenset():
            return sorted(plain(each) for each in value)
    return plain(str(value))


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with ``Z``. A time without offset is a ``ValueError``: it names no instant."""
    if moment.tzinfo is None:
        raise ValueError("a time without offset is no instant")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
