"""The hash chain of audit events: one documented canonical form, its check, and the seal that makes it.

The hash of an event is SHA-256 over the RFC 8785 JSON of its recorded fields under the names of the vocabulary, without
``hash`` and ``hash_valid``. ``previous_hash`` is among them, which makes the chain. Instants are RFC 3339 in UTC with ``Z``,
fractions of a second only as far as they are not zero; digests ``alg:hex``; versions, durations (seconds), periods (months)
and decimals as texts. Whether links are whole is for rules to judge; here each event is judged alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from policyengine.core.canonical import canonical_json, sha256_of
from policyengine.core.coerce import Reader
from policyengine.core.model import Collection, Period, Record, Version
from policyengine.core.vocabulary import Vocabulary

NOT_HASHED = ("hash", "hash_valid")
_EXACT_IN_JSON = 2**53 - 1


def event_hash(event: Record) -> str:
    """``sha256:`` and the hex digits of the canonical form of one event."""
    return sha256_of(canonical_json({name: _plain(v) for name, v in event.fields.items() if name not in NOT_HASHED}))


def with_hash_valid(event: Record) -> Record:
    """The event with ``hash_valid``: recorded only where it has a ``hash``, and true only where that is the recomputed one."""
    stated = event.fields.get("hash")
    if stated is None:
        return event
    return replace(event, fields={**event.fields, "hash_valid": stated == event_hash(event)})


def seal(events: Iterable[Mapping[str, object]], vocabulary: Vocabulary) -> list[dict[str, object]]:
    """Rows with ``sequence`` (from 1), ``previous_hash`` and ``hash`` set, one chain for each ``stream_id``, in the given order.

    Rows use the names of the vocabulary, nested records as objects. What they had in these three fields is replaced. The
    first event of a stream has no ``previous_hash``. Raises ``Mismatch`` for a row that is not an audit event.
    """
    reader = Reader(vocabulary)
    heads: dict[object, tuple[int, str]] = {}
    sealed: list[dict[str, object]] = []
    for raw in events:
        row = {name: value for name, value in raw.items() if name not in (*NOT_HASHED, "sequence", "previous_hash")}
        number, previous = heads.get(row.get("stream_id"), (0, ""))
        row["sequence"] = number + 1
        if previous:
            row["previous_hash"] = previous
        row["hash"] = event_hash(reader.record("audit_event", row))
        heads[row.get("stream_id")] = number + 1, str(row["hash"])
        sealed.append(row)
    return sealed


def _plain(value: object) -> object:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_IN_JSON else str(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Record):
        return {name: _plain(each) for name, each in value.fields.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Collection):
        return [_plain(each) for each in value.items]
    if isinstance(value, date):
        return value.isoformat()
    return _as_text(value)


def _as_text(value: object) -> str:
    if isinstance(value, Version):
        return value.text
    if isinstance(value, Period):
        return str(value.months)
    if isinstance(value, timedelta):
        return format((Decimal(value.days * 86400 + value.seconds) + Decimal(value.microseconds).scaleb(-6)).normalize(), "f")
    if isinstance(value, Decimal):
        return format(value, "f")
    raise ValueError(f"no canonical form for {value!r}")


def _instant(value: datetime) -> str:
    whole = value.astimezone(UTC).replace(tzinfo=None)
    text = whole.isoformat(timespec="seconds" if not whole.microsecond else "microseconds")
    return (text.rstrip("0") if whole.microsecond else text) + "Z"
