"""Words for verdicts: shown values, sentences for causes, filled messages. Nothing here can change a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

from policyengine.core.model import Collection, Origin, Period, Record, Version
from policyengine.core.outcome import Cause, CauseKind, Unknown
from policyengine.core.vocabulary import vocabulary

_SHOWN = 5


def shown_value(value: object) -> str | None:
    """A value as people read it, with its unit and zone; None when it is not recorded."""
    if value is None or isinstance(value, Unknown):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if not value.microsecond else value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, Period):
        years, months = divmod(value.months, 12)
        return _plural(years, "year") if not months else _plural(value.months, "month")
    if isinstance(value, Version):
        return value.text
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}"
    if isinstance(value, Record):
        return subject_key(value)
    if isinstance(value, Collection):
        return f"{len(value.items)} members"
    if isinstance(value, tuple):
        listed = [shown_value(each) or "" for each in value[:_SHOWN]]
        return ", ".join(listed) + (f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else "")
    return str(value)


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds and seconds % size == 0:
            return _plural(seconds // size, unit)
    days, rest = divmod(abs(seconds), 86400)
    hours, minutes = divmod(rest // 60, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")] if abs(seconds) >= 60 else [(abs(seconds), "s")]
    return ("-" if seconds < 0 else "") + " ".join(f"{n} {unit}" for n, unit in parts if n)


def _plural(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def sentence(cause: Cause) -> str:
    """``finding.analysis_updated is not recorded (mes.cdx.json, /vulnerabilities/4)``."""
    words = {
        CauseKind.MISSING_FIELD: f"{cause.what} is not recorded",
        CauseKind.ABSENT: f"no evidence of {cause.what} was given",
        CauseKind.NO_TABLE_ENTRY: f"there is no table entry for {cause.what}",
        CauseKind.NOT_COMPARABLE: f"cannot be compared: {cause.what}",
        CauseKind.ASKED: cause.what,
    }.get(cause.kind, f"{cause.kind}: {cause.what}")
    return words + place(cause.origin)


def place(origin: Origin | None) -> str:
    if origin is None or not origin.name:
        return ""
    return f" ({origin.name}, {origin.pointer})" if origin.pointer else f" ({origin.name})"


def sentences(causes: Iterable[Cause]) -> str:
    listed = list(dict.fromkeys(sentence(cause) for cause in causes))
    more = f"; and {len(listed) - 3} more" if len(listed) > 3 else ""
    return "; ".join(listed[:3]) + more


def subject_key(item: object) -> str:
    """The exact key of a subject: ``id`` where recorded, else the fields that name a row, else where it stands."""
    if not isinstance(item, Record):
        return shown_value(item) or "?"
    if item.type == "pair":
        return f"{subject_key(item.fields['earlier'])} -> {subject_key(item.fields['later'])}"
    fields = item.fields
    if isinstance(fields.get("id"), str):
        return str(fields["id"])
    named = [str(fields[name]) for name in _key_fields(item.type) if fields.get(name) is not None]
    if named:
        return "/".join(named)
    return (item.origin.pointer or item.origin.name) if item.origin else item.type


@cache
def _key_fields(type_name: str) -> tuple[str, ...]:
    declared = vocabulary().types.get(type_name)
    return tuple(name for name in declared.key_fields if name != "id") if declared else ()
