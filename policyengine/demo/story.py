"""The demo's setting: a fictional plant, its manufacturing execution system, the release to judge, and what is wrong with it.

Everything is synthetic: no person, company, batch or pack exists. The same seed gives the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SEED = 420
PLANT = "Rheintal Biologics AG, plant Seeburg (fictional)"
SYSTEM = "MES-01"
PRODUCT = "aurora-mes"
RELEASE = "4.2.0"
AT = datetime(2026, 4, 1, 6, 0, tzinfo=UTC)
PERIOD_FROM = datetime(2026, 3, 1, tzinfo=UTC)
PREVIOUS_RELEASE = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
NOTICE = "Synthetic data made by `policyengine demo`; nothing in it is real."


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong: what a person would say, the rule that finds it here, and every subject in which it does."""

    number: int
    what: str
    rule: str
    subjects: tuple[str, ...]


def z(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(number: int, hour: int = 8, minute: int = 0, second: int = 0) -> datetime:
    """An instant in March 2026 (day 1 to 31), or before it for numbers below 1."""
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC) + timedelta(days=number - 1)
