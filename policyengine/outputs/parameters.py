"""Parameter values in words. A decision holds durations in seconds and periods in months, without their type: the name tells."""

from __future__ import annotations

import json
from collections.abc import Mapping

_LENGTHS = frozenset("age deadline grace interval limit period retention time timeout window within".split())
_PERIODS = frozenset(("interval", "period"))
_HOUR, _DAY = 3600, 86400
_MOST_MONTHS = 600
_WORST_FIRST = ("critical", "high", "major", "medium", "minor", "low", "info", "observation", "none")


def parameter_words(name: str, value: object) -> str:
    """``14 days``, ``6 months``, ``critical 14 days, high 30 days``; what is neither is given as it is."""
    if isinstance(value, Mapping):
        rank = {key: position for position, key in enumerate(_WORST_FIRST)}
        keys = sorted(map(str, value), key=lambda key: (rank.get(key, len(rank)), key))
        return ", ".join(f"{key} {parameter_words(name, value[key])}" for key in keys)
    if isinstance(value, (list, tuple)):
        return ", ".join(parameter_words(name, each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(set(name.split("_")), value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(words: set[str], value: int) -> str:
    if words & _LENGTHS and value >= _HOUR and value % _HOUR == 0:
        return _of(value // _DAY, "day") if value % _DAY == 0 else _of(value // _HOUR, "hour")
    if words & _PERIODS and 0 < value <= _MOST_MONTHS:
        return _of(value, "month")
    return str(value)


def _of(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
