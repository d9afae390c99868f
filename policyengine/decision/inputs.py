"""What a decision is made from. Everything is an argument: nothing here or in ``decide.py`` reads a file or the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policyengine.controls.profile import Profile, default_profile
from policyengine.controls.waivers import LoadedWaiver
from policyengine.core.model import EvidenceSet
from policyengine.engine.findings import RuleResult


@dataclass(frozen=True, slots=True)
class JudgedPolicy:
    """A compiled policy (see ``docs/language/plan.md``) and the digest of its plan, ``sha256:`` and hex."""

    plan: Mapping[str, object]
    digest: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A release artifact: its name and its digests, algorithm -> lower-case hex, ``sha256`` among them."""

    name: str
    digest: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter as the run used it. ``source`` is ``default``, ``profile`` or ``flag``; ``value`` in plan form."""

    name: str
    value: object
    source: str
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which frameworks and rules (``id`` or ``policy/id``) were asked for; empty means all."""

    frameworks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Which engine judged: ``version`` of the product, ``schema`` the digest of its vocabulary."""

    version: str
    schema: str
    name: str = "policyengine"


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """One run, evaluated.

    ``frameworks`` maps a framework id to ``{"status": "in_force"|"draft"|.., "title"?, "controls": {id: {"title",
    "automation"}}}``. ``release`` is plain data with an ``id``; ``trust`` is ``{"digest", "sigstore_root"}`` or None.
    """

    policies: tuple[JudgedPolicy, ...]
    results: tuple[RuleResult, ...]
    evidence: EvidenceSet
    evaluated_at: datetime
    engine: EngineFacts
    subjects: tuple[Subject, ...] = ()
    profile: Profile = field(default_factory=default_profile)
    waivers: tuple[LoadedWaiver, ...] = ()
    frameworks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    parameters: tuple[ParameterValue, ...] = ()
    release: Mapping[str, object] | None = None
    trust: Mapping[str, str | None] | None = None
    lock_digest: str | None = None
    lenient: bool = False
