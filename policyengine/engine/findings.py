"""What an evaluation says: one result for each rule, one finding for each subject that is not a plain pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policyengine.core.model import Origin
from policyengine.core.outcome import Cause, Outcome


@dataclass(frozen=True, slots=True)
class ReadValue:
    """A value that the verdict looked at: its path in the rule's words, as shown text (None: not recorded), and its place."""

    path: str
    value: str | None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """How one clause came out for one subject. ``text`` is the clause in the author's words."""

    kind: str
    text: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject that failed, is unknown, not yet due, or could not be finished.

    ``subject`` is its exact key; ``origins`` are the places of the subject's own records; ``group`` are the values of the
    rule's ``group by`` paths (None where not recorded); ``note`` says why it was judged at all when its ``where`` was unknown;
    ``suggestions`` are the texts of the rule's ``capa`` block with their holes filled, by kind (``correction`` ..).
    """

    subject: str
    outcome: Outcome
    message: str
    causes: tuple[Cause, ...] = ()
    origins: tuple[Origin, ...] = ()
    values: tuple[ReadValue, ...] = ()
    clauses: tuple[ClauseVerdict, ...] = ()
    group: tuple[str | None, ...] = ()
    suggestions: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over all its subjects. ``subjects`` has the outcome of every one, in evidence order, passes included.

    ``outcome`` is the worst of them, or the declared one when there was none; ``findings`` are sorted by subject key.
    """

    policy: str
    rule: str
    outcome: Outcome
    subjects: tuple[tuple[str, Outcome], ...]
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[str, ...] = ()
    population: Mapping[Outcome, int] = field(default_factory=dict)
