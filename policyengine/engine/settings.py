"""What a run may set beside policy and evidence: parameter values, which rules, how strict about completeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """``parameters`` holds plan-form values (see ``docs/language/plan.md``) by parameter name; ``rules`` selects (None: all).

    ``strict_completeness`` makes every collection whose source does not state completeness incomplete (4.2).
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    rules: frozenset[str] | None = None
    strict_completeness: bool = False
