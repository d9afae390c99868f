"""Plans as data: their value forms, their digest, and a walk over their nodes (contract: docs/language/plan.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from policyengine.core.canonical import digest_of
from policyengine.core.model import Period, Version

PLAN_FORMAT = 1


def plan_digest(plan: Mapping[str, Any]) -> str:
    """``sha256:..`` over the RFC 8785 bytes of the plan without the ``text`` of its clauses.

    ``text`` is how the author laid a clause out; everything else is what was approved.
    """
    rules = [
        {**rule, "clauses": [{key: value for key, value in clause.items() if key != "text"} for clause in rule["clauses"]]}
        for rule in plan["rules"]
    ]
    return digest_of({**plan, "rules": rules})


def plan_value(value: object) -> Any:
    """A typed value in the form that a plan and a profile hold: lengths in seconds or months, instants in UTC."""
    match value:
        case bool() | str() | int():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
            return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"
        case date():
            return value.isoformat()
        case timedelta():
            seconds = value.total_seconds()
            return int(seconds) if seconds.is_integer() else seconds
        case Period():
            return value.months
        case Version():
            return value.text
        case tuple() | list():
            return [plan_value(each) for each in value]
    raise ValueError(f"no plan form for {value!r}")


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every expression node of a plan or of a part of it, parents first."""
    pending = [tree]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            if "op" in each:
                yield each
            pending.extend(reversed(list(each.values())))
        elif isinstance(each, list):
            pending.extend(reversed(each))


def depth_of(part: object) -> int:
    """How many objects and lists lie inside each other, the part itself counted."""
    deepest, pending = 0, [(part, 1)]
    while pending:
        each, depth = pending.pop()
        if isinstance(each, dict | list):
            deepest = max(deepest, depth)
            pending.extend((below, depth + 1) for below in (each.values() if isinstance(each, dict) else each))
    return deepest
