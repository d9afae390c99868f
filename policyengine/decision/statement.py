"""The decision as an in-toto Statement v1, and a SLSA verification summary (VSA v1) of it. RFC 8785 bytes, ready to be signed.

Written by hand: a Statement is four keys, and the predicate must keep the exact bytes that were judged (in-toto attestation
specification v1, ``spec/v1/statement.md``; SLSA v1 ``verification_summary.md``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.core.canonical import canonical_json, digest_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.digests import STRONG_DIGESTS, WEAK_DIGESTS
from policyengine.decision.judgement import ALLOWED, BLOCKED

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:policyengine-gxp:decision:v1"
VSA_TYPE = "https://slsa.dev/verification_summary/v1"


def statement(decision: Mapping[str, Any]) -> bytes:
    """The payload to sign: the decision as predicate, the release artifacts as subjects. Raises :class:`Refusal` PE56x."""
    return _statement(decision["subjects"], PREDICATE_TYPE, decision)


def vsa(decision: Mapping[str, Any], decision_uri: str, decision_digest: str, resource_uri: str, verifier_id: str) -> bytes:
    """A verification summary that points to the signed decision.

    ``decision_digest`` (``sha256:..``) is that of the envelope file at ``decision_uri``; ``resource_uri`` names the release. VSA
    has two results: whatever is not allowed is FAILED.
    """
    allowed = decision["decision"] != BLOCKED
    level = "GXP_ALLOWED" if decision["decision"] == ALLOWED else "GXP_ALLOWED_WITH_WARNINGS"
    policies = [{key: each[key] for key in ("id", "version", "digest")} for each in decision["policies"]]
    predicate = {
        "verifier": {"id": verifier_id, "version": {decision["engine"]["name"]: decision["engine"]["version"]}},
        "timeVerified": decision["evaluated_at"],
        "resourceUri": resource_uri,
        "policy": {"uri": f"{PREDICATE_TYPE}#policies", "digest": _digest_map(digest_of(policies))},
        "inputAttestations": [{"uri": decision_uri, "digest": _digest_map(decision_digest)}],
        "verificationResult": "PASSED" if allowed else "FAILED",
        "verifiedLevels": [level] if allowed else ["FAILED"],
    }
    return _statement(decision["subjects"], VSA_TYPE, predicate)


def check_subjects(subjects: Sequence[Mapping[str, Any]]) -> None:
    """Raises :class:`Refusal` with every subject that cannot be bound to: PE560 none, PE561 no name or no good digest, PE562 twice."""
    problems: list[Diagnostic] = []
    if not subjects:
        hint = "name the release artifact with `-s FILE`, or `-s name@sha256:HEX`"
        problems.append(Diagnostic("PE560", "the decision has no subject, so a signature would bind it to nothing", hint=hint))
    seen: dict[str, object] = {}
    for index, subject in enumerate(subjects):
        pointer, name, digest = f"/subjects/{index}", subject["name"], subject["digest"]
        if not isinstance(name, str) or not name.strip():
            problems.append(Diagnostic("PE561", "a subject has no name", pointer=pointer))
        if fault := _digest_fault(digest):
            problems.append(Diagnostic("PE561", f"subject `{name}` {fault}", pointer=pointer))
        if name in seen:
            how = "twice" if seen[name] == digest else "with two different digests"
            problems.append(
                Diagnostic("PE562", f"subject `{name}` is there {how}", pointer=pointer, hint="name each artifact once")
            )
        seen[name] = digest
    if problems:
        raise Refusal(*problems)


def _digest_fault(digest: object) -> str:
    if not isinstance(digest, Mapping) or "sha256" not in digest:
        return "has no sha256 digest"
    for algorithm, text in digest.items():
        length = STRONG_DIGESTS.get(algorithm) or WEAK_DIGESTS.get(algorithm)
        if length is None:
            return f"has a digest of the unknown algorithm `{algorithm}`"
        if not isinstance(text, str) or not re.fullmatch(f"[0-9a-f]{{{length}}}", text):
            return f"has a {algorithm} digest that is not {length} lower-case hex digits"
    return ""


def _statement(subjects: Sequence[Mapping[str, Any]], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    check_subjects(subjects)
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": each["name"], "digest": dict(each["digest"])} for each in subjects],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )


def _digest_map(digest: str) -> dict[str, str]:
    algorithm, _, content = digest.partition(":")
    return {algorithm: content}
