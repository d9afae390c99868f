"""Which findings share a draft: the dedup key, the groups of one rule, and folding many groups into one.

The key is canonical JSON of ``[policy, rule, system, sorted values]``, so no value can imitate another key. It holds no
version, digest or time: a reworded rule and a rebuilt component keep their history.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policyengine.core.canonical import canonical_json
from policyengine.outputs.privacy import without_secrets

_PURL_VERSION = re.compile(r"(pkg:[^\s@?#]+)@[^\s,]*")
_DIGEST = re.compile(
    r"\b(?:md5|sha1|sha256|sha384|sha512|sha3-\d{3}|blake2b-\d{3}|blake3|gitcommit):[0-9a-f]{8,}", re.IGNORECASE
)
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\d[Tt]\d\d:\d\d[0-9:.]*(?:[Zz]|[+-]\d\d:\d\d)?")
_NAME_VERSION = re.compile(r"@v?\d[^\s,/]*")
SERIES = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule for one draft. ``folded`` holds the groups that were put together, else is empty."""

    key: str
    values: tuple[str | None, ...]
    findings: tuple[Mapping[str, Any], ...]
    folded: tuple[Group, ...] = ()


def subject_identity(subject: str) -> str:
    """A subject's key without version, digest and time; the key itself when nothing else would be left."""
    bare = _PURL_VERSION.sub(r"\1", subject)
    for pattern in (_DIGEST, _INSTANT, _NAME_VERSION):
        bare = pattern.sub("", bare)
    return " ".join(bare.split()).strip(" ,;/") or subject


def dedup_key(rule: Mapping[str, Any], system: str | None, values: Sequence[str | None], kind: str = "") -> str:
    """The key text. ``kind`` keeps requests for evidence apart from failures of the same subject."""
    ordered = sorted(values, key=lambda value: (value is not None, value or ""))
    return canonical_json([rule["policy"], rule["id"], system, *([kind] if kind else []), ordered]).decode()


def external_id(key: str, series: int = SERIES) -> str:
    """``qd-`` and 20 hex digits of the SHA-256 of key and occurrence-series number."""
    return "qd-" + hashlib.sha256(canonical_json([key, series])).hexdigest()[:20]


def groups(
    rule: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], system: str | None, kind: str, fold_over: int
) -> tuple[Group, ...]:
    """The drafts-to-be of one rule, in key order. ``kind`` is "" for failures, ``evidence_request`` for unknowns.

    Without ``group by``, failures group by subject identity, and requests for evidence by rule: what is missing is delivered once.
    """
    by_key: dict[str, tuple[tuple[str | None, ...], list[Mapping[str, Any]]]] = {}
    grouped_by = (rule.get("capa") or {}).get("group_by") or ()
    for finding in findings:
        if grouped_by:
            recorded = finding.get("group") or (None,) * len(grouped_by)
            values = tuple(None if value is None else without_secrets(str(value)) for value in recorded)
        else:
            values = () if kind else (without_secrets(subject_identity(finding["subject"])),)
        key = dedup_key(rule, system, values, kind)
        by_key.setdefault(key, (values, []))[1].append(finding)
    made = tuple(
        Group(key, values, tuple(sorted(members, key=lambda finding: str(finding["subject"]))))
        for key, (values, members) in sorted(by_key.items())
    )
    if len(made) <= fold_over:
        return made
    together = tuple(sorted((f for group in made for f in group.findings), key=lambda finding: str(finding["subject"])))
    return (Group(dedup_key(rule, system, (), kind), (), together, made),)
