"""What a site states about its quality drafts: phase, days, categories, people. Unknown keys are refused by name.

Shape (all keys optional)::

    {"phase": "pre_release", "time_zone": "Europe/Zurich", "fold_over": 10,
     "due_days": {"critical": 30, "major": 60, "minor": 90}, "evidence_days": 7,
     "effectiveness_days": {"critical": 60, "major": 90, "minor": 180},
     "categories": {"data integrity": ["data_integrity"], "cybersecurity": ["cyber"]},
     "statutory_rules": ["policy/rule"], "no_due_on": ["saturday", "2026-12-25"],
     "default_owner_role": "Quality Engineer", "owners": {"role": "user id"}, "qa_approver": "user id"}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest

PHASES = ("development", "pre_release", "released", "operation")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CATEGORY_FLAGS = ("cyber", "data_integrity")
SEVERITIES = ("critical", "major", "minor")


@dataclass(frozen=True, slots=True)
class Site:
    """Site data with the defaults of the product. ``phase`` is None when nobody states it, which counts as operation."""

    phase: str | None = None
    time_zone: str = "UTC"
    fold_over: int = 10
    due_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"critical": 30, "major": 60, "minor": 90}))
    evidence_days: int = 7
    effectiveness_days: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"critical": 60, "major": 90, "minor": 180})
    )
    categories: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({"cybersecurity": ("cyber",), "data_integrity": ("data_integrity",)})
    )
    statutory_rules: frozenset[str] = frozenset()
    no_due_on: frozenset[str] = frozenset()
    default_owner_role: str | None = None
    owners: Mapping[str, str] = field(default_factory=dict)
    qa_approver: str | None = None

    def has_flag(self, category: str | None, flag: str) -> bool:
        return flag in self.categories.get(category_key(category or ""), ())


def category_key(category: str) -> str:
    """``Data integrity`` and ``data_integrity`` are one category."""
    return re.sub(r"[^0-9a-z]+", "_", category.casefold()).strip("_")


def read_site(raw: Mapping[str, object]) -> Site:
    """A :class:`Site` from plain data. Raises ``Refusal`` (PE880 unknown key, PE881 wrong value) with every problem found."""
    known = [each.name for each in fields(Site)]
    problems: list[Diagnostic] = []
    read: dict[str, object] = {}
    for key, value in raw.items():
        if key not in known:
            close = nearest(str(key), known)
            hint = f"did you mean `{close}`?" if close else f"keys: {', '.join(known)}"
            problems.append(Diagnostic("PE880", f"there is no site setting `{key}` for quality drafts", hint=hint))
            continue
        if value is None:
            continue
        try:
            read[key] = _READERS[key](value)
        except ValueError as why:
            problems.append(Diagnostic("PE881", f"site setting `{key}`: {why}"))
    if problems:
        raise Refusal(*problems)
    for table in ("due_days", "effectiveness_days"):
        if table in read:
            read[table] = {**getattr(Site(), table), **_days_table(raw[table])}
    return Site(**read)  # type: ignore[arg-type]  # every value was read by the reader of its field


def _phase(value: object) -> str:
    if value not in PHASES:
        raise ValueError(f"`{value}` found, one of {', '.join(PHASES)} expected")
    return str(value)


def _zone(value: object) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        raise ValueError(f"`{value}` is not a time zone; write it as `Europe/Zurich`") from None
    return str(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 3650:
        raise ValueError(f"`{value}` found, a whole number from 1 to 3650 expected")
    return value


def _days_table(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping) or not set(value) <= set(SEVERITIES):
        raise ValueError(f"days for {', '.join(SEVERITIES)} expected")
    return {str(severity): _count(days) for severity, days in value.items()}


def _categories(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ValueError("a table from category to flags expected")
    table: dict[str, tuple[str, ...]] = {}
    for name, flags in value.items():
        if not isinstance(flags, list | tuple) or not set(flags) <= set(CATEGORY_FLAGS):
            raise ValueError(f"category `{name}` needs a list of {', '.join(CATEGORY_FLAGS)}")
        table[category_key(str(name))] = tuple(flags)
    return table


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError("a list of texts expected")
    return frozenset(value)


def _forbidden_days(value: object) -> frozenset[str]:
    days = frozenset(each.lower() for each in _texts(value))
    for each in days - set(WEEKDAYS):
        try:
            date.fromisoformat(each)
        except ValueError:
            raise ValueError(f"`{each}` is neither a weekday nor a date such as `2026-12-25`") from None
    if days >= set(WEEKDAYS):
        raise ValueError("every weekday is forbidden, so nothing could ever be due")
    return days


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text expected")
    return value


def _people(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("a table from role to user id expected")
    return {_text(role): _text(person) for role, person in value.items()}


_READERS: Mapping[str, Callable[[object], object]] = {
    "phase": _phase,
    "time_zone": _zone,
    "fold_over": _count,
    "due_days": _days_table,
    "evidence_days": _count,
    "effectiveness_days": _days_table,
    "categories": _categories,
    "statutory_rules": _texts,
    "no_due_on": _forbidden_days,
    "default_owner_role": _text,
    "owners": _people,
    "qa_approver": _text,
}
