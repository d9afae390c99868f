"""The effectiveness check of a draft: what is proposed, and when a measured result may be called effective.

The metric is the rule itself. Fewer opportunities than agreed decide nothing: no failure among none proves nothing.
"""

from __future__ import annotations

from typing import Any


def proposed_check(
    rule_id: str, failed: int, decided: int, window_days: int, text: str | None, baseline: str = ""
) -> dict[str, Any]:
    """The ``effectiveness`` of a draft; target and window are proposals, owner, due date and result are QA's.

    Where the policy states its own check in ``text``, that is the only one: a second window beside it would contradict it.

    ``min_opportunities`` is 3 / baseline share, rounded up (rule of three): that many without a failure would be unlikely, about 1 in
    20, had nothing changed.
    """
    opportunities = -(-3 * decided // failed) if failed and decided and text is None else None
    target = f"0 in at least {opportunities} over {window_days} days" if opportunities else f"0 over {window_days} days"
    return {
        "metric": rule_id,
        "baseline": (baseline or f"{failed} of {decided}") if decided else "not measured: no subject was decided",
        "target": target if text is None else None,
        "window_days": window_days if text is None else None,
        "min_opportunities": opportunities,
        "basis": "the check that the policy states" if text is not None else "3 divided by the baseline share, rounded up",
        "text": text,
        "suggested": True,
        "owner": None,
        "due_on": None,
        "result": None,
    }


def judged(failed: int, opportunities: int, min_opportunities: int) -> str | None:
    """``not_effective`` with any failure, ``effective`` with enough opportunities and none, else None: not decided yet."""
    if failed > 0:
        return "not_effective"
    return "effective" if opportunities >= max(1, min_opportunities) else None
