"""One run of the gate, from a request to a decision and its drafts: load, verify, evaluate, decide. Writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from policyengine import __version__
from policyengine.cli.request import Request
from policyengine.controls.profile import Profile, default_profile, load_profile
from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.digests import stated_twice
from policyengine.core.model import EvidenceSet, Record
from policyengine.core.vocabulary import vocabulary
from policyengine.decision.decide import decide, with_quality_drafts
from policyengine.decision.inputs import DecisionInputs, EngineFacts, JudgedPolicy, ParameterValue, Selection, Subject
from policyengine.decision.selection import select
from policyengine.engine.findings import RuleResult
from policyengine.engine.reference import evaluate
from policyengine.engine.settings import Settings
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.files import SourceFile, read_file, read_files
from policyengine.evidence.load import Reading, load
from policyengine.evidence.release import Subject as GivenSubject
from policyengine.packs.frameworks import Frameworks, control_ids, load_frameworks, titles
from policyengine.packs.library import Policy, default_packs, find_policies, load_policies, named_pack, shipped
from policyengine.packs.parameters import Value, parameter_values
from policyengine.packs.remembered import Memory
from policyengine.signing.trust import Trust, load_trust

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run came to: the decision, the quality drafts made from it, the catalogues that name its clauses."""

    decision: dict[str, Any]
    drafts: tuple[dict[str, Any], ...]
    frameworks: Frameworks


def judge(request: Request, now: datetime, memory: Memory | None, progress: Progress) -> Judged:
    """Run the gate. Raises :class:`Refusal` where nothing can be decided."""
    at = request.at or now
    frameworks = load_frameworks(memory)
    policies = load_policies(find_policies(policies_of(request)), control_ids(frameworks), memory)
    profile = _profile(request)
    values = parameter_values(policies, profile.parameters, dict(request.parameters))
    judged = tuple(JudgedPolicy(policy.plan, policy.digest) for policy in policies)
    selection = Selection(request.frameworks, request.rules)
    chosen = select(judged, selection)
    trust = _trust(request)
    evidence = _evidence(request, at, trust, progress)
    results: list[RuleResult] = []
    for policy in policies:
        rules = frozenset(rule for owner, rule in chosen if owner == policy.id)
        if rules:
            progress(f"{policy.id}: {len(rules)} rules")
            given = {value.name: value.value for value in values if value.policy == policy.id}
            results += evaluate(policy.plan, evidence, Settings(given, rules, profile.strict_completeness))
    decision = decide(DecisionInputs(
        policies=judged, results=tuple(results), evidence=evidence, evaluated_at=at, engine=EngineFacts(__version__, vocabulary().digest),
        subjects=_subjects(evidence), profile=profile, waivers=_waivers(request, trust, at), frameworks=frameworks, selection=selection,
        parameters=_listed(policies, values), release=_release(evidence), trust=_trusted(trust), lenient=request.lenient,
    ))  # fmt: skip
    return _with_drafts(decision, profile, frameworks)


def policies_of(request: Request) -> tuple[Path, ...]:
    """The policy paths of a request. Shared definitions that a named policy uses are found beside it or in the shipped library."""
    if not request.policies:
        return default_packs()
    named = tuple(named_pack(path) for path in request.policies)
    shared = shipped("policies") / "gxp-common"
    inside = any(path.resolve() in (shared.resolve(), shipped("policies").resolve()) for path in named)
    return named if inside else (*named, shared)


def _with_drafts(decision: dict[str, Any], profile: Profile, frameworks: Frameworks) -> Judged:
    from policyengine.outputs.capa import drafts

    made = drafts(decision, profile.capa, titles(frameworks))
    cited = [{**draft, "policy": draft["policy"]["id"], "rule": draft["policy"]["rule"]} for draft in made]
    return Judged(with_quality_drafts(decision, cited), made, frameworks)


def _profile(request: Request) -> Profile:
    if request.profile is None:
        return default_profile()
    return load_profile(read_file(request.profile).raw, str(request.profile))


def _trust(request: Request) -> Trust | None:
    if request.trust is None:
        return None
    folder = request.trust.parent
    return load_trust(read_file(request.trust).raw, str(request.trust), lambda name: (folder / name).read_bytes())


def _trusted(trust: Trust | None) -> Mapping[str, str | None] | None:
    return {"digest": trust.digest, "sigstore_root": trust.root_digest} if trust else None


def _evidence(request: Request, at: datetime, trust: Trust | None, progress: Progress) -> EvidenceSet:
    from policyengine.evidence.declaration import declaration_of

    declared = []
    for path, entry in request.declared:
        file = read_file(path)
        declared.append((file, declaration_of(entry, f"evidence entry for {path.name}")))
    mapped = [path for path, _ in request.declared]
    files = read_files(request.evidence, lambda count: progress(f"{count} files read"), sys.stdin.buffer.read, mapped)
    documents = load(files, declared, Reading(at, trust), progress)
    subjects = tuple(given_subject(text) for text in request.subjects)
    return assemble(documents, Context(at, request.period_from, request.period_until, request.environment, subjects))


def given_subject(text: str) -> GivenSubject:
    """``sha256:HEX``, ``name@sha256:HEX``, or a file that is hashed."""
    name, marker, digest = text.rpartition("@") if "@sha256:" in text else ("", "", text)
    if digest.startswith("sha256:"):
        return GivenSubject(name or digest, (digest.lower(),))
    if marker:
        raise Refusal(Diagnostic("PE851", f"`{text}` is no subject", hint="write a file, sha256:HEX, or NAME@sha256:HEX"))
    file: SourceFile = read_file(Path(text))
    return GivenSubject(file.name, (sha256_of(file.raw),))


def _subjects(evidence: EvidenceSet) -> tuple[Subject, ...]:
    """The release artifacts as the decision's subjects."""
    release = evidence.roots.get("software_release")
    artifacts = release.fields.get("artifacts") if isinstance(release, Record) else None
    items: Any = artifacts if isinstance(artifacts, tuple) else getattr(artifacts, "items", ())
    return tuple(
        Subject(name := str(each.fields["name"]), _digest_map(name, each.fields.get("digests")))
        for each in items
        if isinstance(each, Record)
    )


def _digest_map(name: str, digests: object) -> dict[str, str]:
    """Refused where two digests of one algorithm are stated: a map would keep one of them and hide the other."""
    listed = [str(each) for each in digests] if isinstance(digests, tuple) else []
    twice = stated_twice(listed)
    if twice:
        raise Refusal(Diagnostic("PE430", f"artifact `{name}` has two different {twice} digests: {', '.join(listed)}"))
    return {algorithm: content for algorithm, _, content in (each.partition(":") for each in listed)}


def _release(evidence: EvidenceSet) -> Mapping[str, object] | None:
    release = evidence.roots.get("software_release")
    if not isinstance(release, Record):
        return None
    return {
        key: release.fields[key]
        for key in ("id", "source_digest", "approved_at", "previous_released_at")
        if key in release.fields
    }


def _listed(policies: tuple[Policy, ...], values: tuple[Value, ...]) -> tuple[ParameterValue, ...]:
    used = {policy.id for policy in policies if policy.plan["rules"]}
    return tuple(ParameterValue(v.name, v.value, v.source, v.policy) for v in values if v.policy in used)


def _waivers(request: Request, trust: Trust | None, at: datetime) -> tuple[Any, ...]:
    if not request.waivers:
        return ()
    from policyengine.controls.waiver_files import load_waivers
    from policyengine.signing.envelope import parse_envelope
    from policyengine.signing.verify import verify_dsse

    files = [(file.name, file.raw) for file in read_files(request.waivers)]
    return load_waivers(files, lambda raw: verify_dsse(parse_envelope(raw, "waiver"), trust, at))
