"""What is being released, and which SBOM describes it. A document of another release is never taken for this one's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policyengine.core.coerce import Mismatch, digest
from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.digests import STRONG_DIGESTS, WEAK_DIGESTS, by_algorithm, same_content, stated_twice
from policyengine.core.model import Collection, Record, Version

_ARCHIVE = re.compile(
    r"(\.(tar|gz|tgz|bz2|xz|zst|zip|whl|jar|war|ear|exe|msi|deb|rpm|apk|dmg|pkg|iso|img|bin|nupkg|oci))+$", re.IGNORECASE
)
_VERSION_AT_END = re.compile(r"(?:^|[-_ @/:])v?(\d+(?:\.\d+)+(?:[-+.~][0-9A-Za-z.+~-]+)?)$")


@dataclass(frozen=True, slots=True)
class Subject:
    """One artifact under judgement: its name and its digests (``alg:hex``)."""

    name: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """The ``software_release``, and whether it was stated by evidence (True) or only named by the subjects given."""

    record: Record
    stated: bool
    assumption: str = ""


def release_of(stated: Record | None, subjects: Sequence[Subject]) -> Release | None:
    """The release that evidence and subjects agree on; None where there is neither.

    Raises ``Refusal``: PE430 for a subject without a name or a strong digest, a subject or artifact that contradicts itself, or
    a subject that contradicts another of its name; PE431 for a subject that is not an artifact of the stated release,
    and for an artifact of it that is none of the subjects: evidence about it must not count for what is released.
    """
    given = _checked(subjects)
    if stated is None and not given:
        return None
    artifacts = tuple(Record("artifact", {"name": s.name, "digests": s.digests}) for s in given)
    if stated is None:
        names = ", ".join(sorted({s.name for s in given}))
        return Release(Record("software_release", {"id": names, "artifacts": artifacts}), stated=False)
    known = _records(stated.fields.get("artifacts"))
    _refuse_contradictory(known)
    if not given:
        return Release(stated, stated=True)
    if not known:
        fields = {**stated.fields, "artifacts": artifacts}
        words = "software_release.artifacts: not stated by the release, taken from the subjects given"
        return Release(Record(stated.type, fields, stated.origin), True, words)
    problems = [_stranger(s, known, stated) for s in given if not any(agree(s.digests, digests_of(a)) for a in known)]
    problems += [_unnamed(a, stated) for a in known if not any(agree(s.digests, digests_of(a)) for s in given)]
    if problems:
        raise Refusal(*problems[:20])
    fields = {**stated.fields, "artifacts": tuple(_as_given(a, given) for a in known)}
    return Release(Record(stated.type, fields, stated.origin), stated=True)


def _as_given(artifact: Record, given: Sequence[Subject]) -> Record:
    """The artifact with the digests of the subject alone: one that only the release states could lend it foreign evidence."""
    subject = {name for s in given if agree(s.digests, digests_of(artifact)) for name in by_algorithm(s.digests)}
    kept = tuple(each for each in digests_of(artifact) if each.partition(":")[0] in subject)
    return Record(artifact.type, {**artifact.fields, "digests": kept}, artifact.origin)


def _refuse_contradictory(artifacts: Sequence[Record]) -> None:
    """An artifact with two digests of one algorithm would lend the evidence of the one content to the other."""
    for artifact in artifacts:
        digests = digests_of(artifact)
        if stated_twice(digests):
            message = f"artifact `{artifact.fields.get('name')}` has two digests of one algorithm: {', '.join(digests)}"
            raise Refusal(_at(artifact, "PE430", message, "an artifact has one digest of an algorithm"))


def agree(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether two sets of digests are of one artifact: a strong algorithm in common, and no common one contradicts."""
    return same_content(left, right) is True


def digests_of(record: Record, field: str = "digests") -> tuple[str, ...]:
    found = record.fields.get(field)
    return tuple(str(each) for each in found) if isinstance(found, tuple) else ()


def mismatch(sbom: Record, release: Release) -> str:
    """Why an SBOM does not describe the release; "" where it does. Both values are in the words."""
    product = sbom.fields.get("product")
    if not isinstance(product, Record):
        return "does not say what it describes"
    ours = digests_of(product)
    theirs = [digests_of(a) for a in _records(release.record.fields.get("artifacts"))]
    if ours and any(theirs):
        if any(agree(ours, each) for each in theirs):
            return ""
        return f"describes {_short(ours)}, the release is {_short(d for each in theirs for d in each)}"
    name, version = named_version(release)
    described = product.fields.get("version")
    text = described.text if isinstance(described, Version) else ""
    if version and not text:
        return f"does not state a version, the release is {version}"
    if version and text.removeprefix("v") != version:
        return f"describes {text}, the release is {version}"
    if release.stated and name and _folded(name) not in _names_of(product):
        return f"describes `{product.fields.get('name', '')}`, the release is `{name}`"
    return ""


def named_version(release: Release) -> tuple[str, str]:
    """Name and version as far as the id of the release says them: ``mes`` and ``4.2.0`` of ``mes-4.2.0.tar.gz``."""
    names = [str(release.record.fields.get("id", ""))]
    names += [str(a.fields.get("name", "")) for a in _records(release.record.fields.get("artifacts"))]
    first = ""
    for name in names:
        stem = _ARCHIVE.sub("", name)
        found = _VERSION_AT_END.search(stem)
        if found:
            return stem[: found.start()], found[1]
        first = first or stem
    return first, ""


def _names_of(product: Record) -> set[str]:
    names = {str(product.fields.get("name", ""))}
    purl = product.fields.get("purl")
    if isinstance(purl, str):
        path = purl.partition("@")[0].partition("?")[0].removeprefix("pkg:")
        names |= {path.rpartition("/")[2], path.partition("/")[2]}
    return {_folded(name) for name in names if name}


def _folded(name: str) -> str:
    return re.sub(r"[-_ ./]+", "-", name.casefold())


def _checked(subjects: Sequence[Subject]) -> list[Subject]:
    problems: list[Diagnostic] = []
    checked: dict[str, Subject] = {}
    for subject in sorted(set(subjects), key=lambda s: (s.name, s.digests)):
        try:
            digests = tuple(sorted({digest(each) for each in subject.digests}))
        except Mismatch as wrong:
            problems.append(Diagnostic("PE430", f"subject `{subject.name}`: {wrong.message}", hint=wrong.hint))
            continue
        why = ""
        if not subject.name.strip():
            why = "has no name"
        elif stated_twice(digests):
            why = f"has two digests of one algorithm: {', '.join(digests)}"
        elif not any(d.partition(":")[0] in STRONG_DIGESTS for d in digests):
            weak = [d for d in digests if d.partition(":")[0] in WEAK_DIGESTS]
            why = f"has only weak digests: {', '.join(weak)}" if weak else "has no digest"
        elif subject.name in checked and not agree(checked[subject.name].digests, digests):
            why = f"is given twice, as {_short(checked[subject.name].digests)} and as {_short(digests)}"
        if why:
            problems.append(
                Diagnostic("PE430", f"subject `{subject.name}` {why}", hint="a subject has a name and a sha256 digest")
            )
        checked.setdefault(subject.name, Subject(subject.name, digests))
    if problems:
        raise Refusal(*problems[:20])
    return list(checked.values())


def _stranger(subject: Subject, artifacts: Sequence[Record], release: Record) -> Diagnostic:
    same_name = [a for a in artifacts if a.fields.get("name") == subject.name]
    shown = "; ".join(
        f"`{a.fields.get('name')}` {_short(digests_of(a)) or 'without digest'}" for a in (same_name or artifacts)[:5]
    )
    message = (
        f"subject `{subject.name}` {_short(subject.digests)} is not of release `{release.fields.get('id')}`, which has {shown}"
    )
    return _at(release, "PE431", message)


def _unnamed(artifact: Record, release: Record) -> Diagnostic:
    shown = _short(digests_of(artifact)) or "without digest"
    message = f"artifact `{artifact.fields.get('name')}` {shown} of release `{release.fields.get('id')}` is none of the subjects given"
    return _at(release, "PE431", message, "give it as a subject, or take it out of the release")


def _at(record: Record, code: str, message: str, hint: str = "") -> Diagnostic:
    origin = record.origin
    return Diagnostic(code, message, file=origin.name if origin else "", pointer=origin.pointer if origin else "", hint=hint)


def _short(digests: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(digests))


def _records(value: object) -> tuple[Record, ...]:
    items = value.items if isinstance(value, Collection) else value
    return tuple(each for each in items if isinstance(each, Record)) if isinstance(items, tuple) else ()
