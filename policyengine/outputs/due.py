"""When a draft is proposed to be due: calendar days in the site's zone, never before the evaluation, never on a forbidden day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from policyengine.outputs.site import WEEKDAYS, Site


def evaluated_on(decision: Mapping[str, Any], site: Site) -> date:
    """The calendar day of the evaluation where the site is."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(decision["evaluated_at"]).astimezone(ZoneInfo(site.time_zone)).date()


def proposed_due(decision: Mapping[str, Any], rule: Mapping[str, Any], record_type: str, site: Site) -> tuple[date, str]:
    """The date and its basis: the policy's days or the site's, whichever ends earlier."""
    start = evaluated_on(decision, site)
    if record_type == "evidence_request":
        days, basis = site.evidence_days, "site table"
    else:
        days, basis = site.due_days.get(rule["severity"], site.due_days["minor"]), "site table"
    by_policy = (rule.get("capa") or {}).get("due_in_days")
    if by_policy is not None and by_policy < days:
        days, basis = max(0, int(by_policy)), "policy"
    due = start + timedelta(days=days)
    moved = _allowed(due, start, site)
    words = f"{basis} {days} {'day' if days == 1 else 'days'}"
    return moved, words if moved == due else f"{words}, moved from {due.isoformat()} which the site forbids"


def _allowed(due: date, start: date, site: Site) -> date:
    """The latest allowed day up to the due date; if there is none since the evaluation, the first one after."""
    for back in range((due - start).days + 1):
        if not _forbidden(due - timedelta(days=back), site):
            return due - timedelta(days=back)
    later = due + timedelta(days=1)
    while _forbidden(later, site):
        later += timedelta(days=1)
    return later


def _forbidden(day: date, site: Site) -> bool:
    return day.isoformat() in site.no_due_on or WEEKDAYS[day.weekday()] in site.no_due_on
