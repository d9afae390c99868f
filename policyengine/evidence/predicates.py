"""What a verified in-toto statement says, by predicate type: provenance, verification summary, test result, scan, and our own.

Called only with the payload of a verified envelope. Field names are those of the published predicates; a claim of the
builder about its own level is never read (the trust file states it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policyengine.core.coerce import Mismatch, Reader, digest, timestamp
from policyengine.core.model import Record
from policyengine.core.vocabulary import vocabulary

STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
SLSA_1 = "https://slsa.dev/provenance/v1"
SLSA_0_2 = "https://slsa.dev/provenance/v0.2"
VSA_1 = "https://slsa.dev/verification_summary/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VULNS = ("https://in-toto.io/attestation/vulns/v0.1", "https://in-toto.io/attestation/vulns/v0.2",
         "https://cosign.sigstore.dev/attestation/vuln/v1")  # fmt: skip
# Ours, for what no published predicate says: the predicate holds fields of the vocabulary's type by their names.
GXP = "urn:policyengine-gxp:attestation:v1"
GXP_MODEL = "urn:policyengine-gxp:model-attestation:v1"
SAID_BY_THE_ENVELOPE = frozenset(
    {"predicate_type", "subject_digests", "signer", "signer_identity", "signer_issuer", "logged_at"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a predicate adds to the fields of its attestation: the root it feeds, and when it says it was made."""

    root: str | None
    fields: Mapping[str, Any]
    time: datetime | None


class BadPredicate(ValueError):
    """Why the content of a statement is not what its type demands; one phrase."""


def facts_of(predicate_type: str, predicate: object, builders: Mapping[str, int]) -> Facts:
    """The facts of one predicate. Raises :class:`BadPredicate`."""
    reader = _READERS.get(predicate_type)
    if reader is None:
        return Facts(None, {}, None)
    if not isinstance(predicate, dict) or not predicate:
        raise BadPredicate("its predicate is empty")
    try:
        return reader(predicate, builders)
    except Mismatch as problem:
        raise BadPredicate(f"{problem.pointer} {problem.message}".strip()) from None


def _provenance_1(predicate: Mapping[str, Any], builders: Mapping[str, int]) -> Facts:
    definition, run = _map(predicate, "buildDefinition"), _map(predicate, "runDetails")
    builder = _text(_map(run, "builder").get("id"))
    metadata = _optional(run, "metadata")
    finished = _time(metadata.get("finishedOn"), "finishedOn")
    source = _source(_dependency(definition))
    fields = {
        "build_type": _text(definition.get("buildType")),
        "builder_id": builder,
        "builder_level": builders.get(builder or ""),
        **source,
    }
    return Facts("provenances", {**fields, "finished_on": finished}, finished)


def _provenance_0_2(predicate: Mapping[str, Any], builders: Mapping[str, int]) -> Facts:
    builder = _text(_map(predicate, "builder").get("id"))
    metadata = _optional(predicate, "metadata")
    finished = _time(metadata.get("buildFinishedOn"), "buildFinishedOn")
    source = _source(_config_source(predicate))
    fields = {
        "build_type": _text(predicate.get("buildType")),
        "builder_id": builder,
        "builder_level": builders.get(builder or ""),
        **source,
    }
    return Facts("provenances", {**fields, "finished_on": finished}, finished)


def _dependency(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The source among what went into a build: the dependency that the build was asked to build, or the only one."""
    listed = definition.get("resolvedDependencies")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    workflow = _optional(_optional(definition, "externalParameters"), "workflow")
    asked = f"git+{workflow.get('repository')}@{workflow.get('ref')}"
    named = [each for each in found if each.get("uri") == asked]
    return (named or found)[0] if len(named or found) == 1 else {}


def _config_source(predicate: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = _optional(_optional(predicate, "invocation"), "configSource")
    materials = predicate.get("materials")
    only = materials[0] if isinstance(materials, list) and len(materials) == 1 and isinstance(materials[0], dict) else {}
    return stated if stated.get("uri") else only


def _source(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Where the source is and its strongest digest. The SHA-1 of a git repository is the id of its commit."""
    uri, digests = _text(stated.get("uri")), _optional(stated, "digest")
    best = next(((a, digests[a]) for a in ("sha256", "sha512", "gitCommit", "sha1") if isinstance(digests.get(a), str)), None)
    if best is None:
        return {"source_uri": uri}
    algorithm = "gitCommit" if best[0] == "sha1" and uri is not None and uri.startswith("git+") else best[0]
    return {"source_uri": uri, "source_digest": digest(f"{algorithm}:{best[1]}")}


def _summary(predicate: Mapping[str, Any], _: Mapping[str, int]) -> Facts:
    result = _text(predicate.get("verificationResult"))
    if result not in ("PASSED", "FAILED"):
        raise BadPredicate("`verificationResult` is neither PASSED nor FAILED")
    verified = _time(predicate.get("timeVerified"), "timeVerified")
    fields = {
        "time_verified": verified,
        "result": result,
        "verified_levels": _texts(predicate, "verifiedLevels"),
        "outcome": "passed" if result == "PASSED" else "failed",
    }
    return Facts("verification_summaries", fields, verified)


def _test_result(predicate: Mapping[str, Any], _: Mapping[str, int]) -> Facts:
    result = _text(predicate.get("result"))
    if result not in ("PASSED", "WARNED", "FAILED"):
        raise BadPredicate("`result` is none of PASSED, WARNED, FAILED")
    outcome = {"PASSED": "passed", "WARNED": "conditional", "FAILED": "failed"}[result]
    passed, failed = _texts(predicate, "passedTests"), _texts(predicate, "failedTests")
    if failed and result != "FAILED":
        raise BadPredicate(f"it says {result} and lists failed tests")
    return Facts("test_results", {"passed_tests": passed, "failed_tests": failed, "outcome": outcome}, None)


def _scan(predicate: Mapping[str, Any], _: Mapping[str, int]) -> Facts:
    scanner = _map(predicate, "scanner")
    metadata = _optional(predicate, "metadata")
    database = _optional(scanner, "db")
    finished = _time(metadata.get("scanFinishedOn"), "scanFinishedOn")
    fields = {
        "scanner": _text(scanner.get("uri")),
        "database_updated": _time(database.get("lastUpdate"), "lastUpdate"),
        "finished_on": finished,
        "kind": "vuln",
        "listed_ids": _found_ids(scanner.get("result")),
    }
    return Facts("scans", fields, finished)


def _found_ids(results: object) -> tuple[str, ...] | None:
    """The vulnerabilities that a scan found; an empty list is a finding too, a missing one is none."""
    if results is None:
        return None
    if not isinstance(results, list) or not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in results):
        raise BadPredicate("`scanner.result` is not a list of findings with an `id`")
    return tuple(dict.fromkeys(each["id"].strip() for each in results))


def _gxp(predicate: Mapping[str, Any], _: Mapping[str, int]) -> Facts:
    return _own("attestation", None, predicate)


def _gxp_model(predicate: Mapping[str, Any], _: Mapping[str, int]) -> Facts:
    return _own("model_attestation", "model_attestations", predicate)


def _own(type_name: str, root: str | None, predicate: Mapping[str, Any]) -> Facts:
    """Fields by their names in the vocabulary, strictly; nobody says about himself what his signature says."""
    for name in predicate:
        if name in SAID_BY_THE_ENVELOPE:
            raise BadPredicate(f"`{name}` follows from the envelope and cannot be stated")
    fields = dict(Reader(vocabulary()).record(type_name, predicate).fields)
    stated = fields.get("time")
    return Facts(root, fields, stated if isinstance(stated, datetime) else None)


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, int]], Facts]] = {
    SLSA_1: _provenance_1,
    SLSA_0_2: _provenance_0_2,
    VSA_1: _summary,
    TEST_RESULT: _test_result,
    **dict.fromkeys(VULNS, _scan),
    GXP: _gxp,
    GXP_MODEL: _gxp_model,
}


def _map(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    if not isinstance(found, dict):
        raise BadPredicate(f"`{key}` is missing")
    return found


def _optional(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """A list of names, each once: doubles say nothing more. One entry that is no text makes the whole list worthless."""
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise BadPredicate(f"`{key}` is not a list of texts")
    return tuple(dict.fromkeys(each.strip() for each in value))


def _time(value: object, name: str) -> datetime | None:
    return None if value is None or value == "" else timestamp(value, name)


def recorded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def record(root: str, fields: Mapping[str, Any], origin: Any) -> Record:
    types = {
        "provenances": "provenance",
        "verification_summaries": "summary",
        "test_results": "test_result",
        "scans": "scan",
        "model_attestations": "model_attestation",
    }
    return Record(types[root], recorded(fields), origin)
