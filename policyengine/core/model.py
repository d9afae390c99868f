"""The evidence model: frozen records and collections, and the set of them that one run judges.

Values inside a record are ``bool``, ``str`` (text, enum, purl, licence expression, digest ``alg:hex``), ``int``,
``Decimal``, ``date``, ``datetime`` (aware, UTC), ``timedelta``, :class:`Period`, :class:`Version`, ``tuple`` (a list of
any of these, or digests), :class:`Record`, or :class:`Collection`. What is not recorded is not in ``fields`` at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact stands: the name of the evidence item, and a JSON pointer (``/components/17``) or ``line 12``."""

    name: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar length in months (a year is 12). Only dates can be moved by it; the day clamps to the month's end."""

    months: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version and the scheme that orders it: a purl type such as ``npm``, or "" when nothing states one."""

    text: str
    scheme: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One row of evidence. ``type`` names its vocabulary type; ``fields`` holds recorded values only."""

    type: str
    fields: Mapping[str, object]
    origin: Origin | None = None


class Completeness(StrEnum):
    """What the source says of a collection. ``not_stated`` counts as complete unless it is empty (4.2)."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    NOT_STATED = "not_stated"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Members of one type, with what is known about what is missing. Coverage is an inclusive span of instants."""

    items: tuple[object, ...] = ()
    state: Completeness = Completeness.NOT_STATED
    covers_from: datetime | None = None
    covers_until: datetime | None = None
    origin: Origin | None = None
    reason: str = ""


ABSENT = Collection(state=Completeness.ABSENT)


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One file that was read: what it is, the digest of its raw bytes, and whether its signer was verified.

    ``verified`` is None where the format carries no signature; ``reason`` says why it is False or what limits it.
    ``feeds`` are the roots it contributed to, ``counts`` the numbers a reader can check it by (components, events ..).
    """

    name: str
    kind: str
    format: str
    digest: str
    size: int
    completeness: Completeness = Completeness.NOT_STATED
    verified: bool | None = None
    signer: str | None = None
    reason: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    feeds: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceSet:
    """All evidence of one run. ``roots`` maps a root to a Record (single) or Collection; absent ones are left out."""

    roots: Mapping[str, Record | Collection] = field(default_factory=dict)
    items: tuple[EvidenceItem, ...] = ()
    assumptions: tuple[str, ...] = ()
