"""Policy files to compiled policies: found, read once, compiled in the order of their ``use`` lines, kept for the next run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine import __version__
from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal, Severity, Source
from policyengine.core.vocabulary import vocabulary_digest
from policyengine.packs.pack import NAME as PACK
from policyengine.packs.pack import PackFile, pack_beside, pack_faults
from policyengine.packs.remembered import Memory, key_of, remembered

MAX_POLICY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The bytes of one policy file, the name that diagnostics and decisions give it, and the pack that it was found in."""

    name: str
    raw: bytes
    pack: PackFile | None = None

    @property
    def source(self) -> Source:
        try:
            return Source(self.name, self.raw.decode("utf-8"))
        except UnicodeDecodeError as problem:
            message = f"byte {problem.start} is not UTF-8"
            raise Refusal(Diagnostic("PE701", message, file=self.name, hint="save the file as UTF-8")) from None


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy: its plan, the digest of the plan, the digest of its file."""

    name: str
    plan: Mapping[str, Any]
    digest: str
    source_digest: str

    @property
    def id(self) -> str:
        return str(self.plan["policy"]["id"])

    @property
    def version(self) -> str:
        return str(self.plan["policy"]["version"])


def shipped(folder: str) -> Path:
    """The shipped ``policies`` or ``frameworks``: inside an installed copy, or beside the package in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "library" / folder
    return installed if installed.is_dir() else package.parent / folder


def default_packs() -> tuple[Path, ...]:
    """The shipped packs that a gate judges by when nobody names policies: all but those in ``policies/more``."""
    return tuple(sorted(path for path in shipped("policies").iterdir() if path.is_dir() and path.name != "more"))


def named_pack(path: Path) -> Path:
    """A path as it is; where there is none of that name, the shipped pack of that name."""
    if path.exists() or len(path.parts) != 1:
        return path
    found = [folder for folder in (shipped("policies") / path, shipped("policies") / "more" / path) if folder.is_dir()]
    return found[0] if found else path


def find_policies(paths: Iterable[Path]) -> tuple[PolicyFile, ...]:
    """Every ``.policy`` file named or below a named folder, sorted by name. Finding none, also in one pack, is refused (PE702).

    A file of a folder brings the ``pack.yaml`` beside it along; a file that is named itself is judged on its own.
    """
    found: dict[Path, PolicyFile] = {}
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.policy")):
                found.setdefault(file.resolve(), _read(file, f"{path.name}/{file.relative_to(path).as_posix()}", in_pack=True))
            empty = [pack for pack in sorted(path.rglob(PACK)) if not any(pack.parent.glob("*.policy"))]
            if empty:
                raise Refusal(Diagnostic("PE702", "no policy files in this pack", file=str(empty[0]), hint="restore the pack"))
        elif path.is_file():
            found.setdefault(path.resolve(), _read(path, path.name))
        else:
            raise Refusal(Diagnostic("PE703", f"there is no policy file or folder `{path}`", hint="check the path"))
    if not found:
        named = ", ".join(f"`{path}`" for path in paths) or "nothing was named"
        raise Refusal(Diagnostic("PE702", f"no policy files found: {named}", hint="a policy file ends in .policy"))
    return tuple(sorted(found.values(), key=lambda file: (file.name, file.raw)))


def _read(path: Path, name: str, *, in_pack: bool = False) -> PolicyFile:
    try:
        raw = path.read_bytes()
        pack = pack_beside(path, name) if in_pack else None
    except OSError as problem:
        raise Refusal(Diagnostic("PE703", f"cannot be read: {problem.strerror}", file=str(path))) from None
    if len(raw) > MAX_POLICY_BYTES:
        message = f"{len(raw)} bytes; the limit `policy file size` is {MAX_POLICY_BYTES}"
        raise Refusal(Diagnostic("PE701", message, file=name, hint="split the policy"))
    return PolicyFile(name, raw, pack)


def compile_all(policy_files: Sequence[PolicyFile], controls: Mapping[str, Collection[str]] | None = None) -> tuple[Any, ...]:
    """Compile every file, used policies first. Gives ``lang`` results in the order of the files, with all diagnostics.

    A faulty ``pack.yaml`` is refused before anything is compiled.
    """
    from policyengine.core.vocabulary import vocabulary
    from policyengine.lang.compile import compile_policy, used_by

    faults = [fault for pack in _packs(policy_files) for fault in pack_faults(pack)]
    if faults:
        raise Refusal(*faults)
    sources = {file.name: file.source for file in policy_files}
    needs = {name: used_by(source) for name, source in sources.items()}
    library: dict[tuple[str, str], Any] = {}
    done: dict[str, Any] = {}
    waiting = list(sources)
    while waiting:
        offered = {needs[name].own for name in waiting}
        ready = [name for name in waiting if not (needs[name].uses & offered) - {needs[name].own}] or waiting
        for name in ready:
            compiled = compile_policy(sources[name], vocabulary(), library, controls)
            done[name] = compiled
            if compiled.plan is not None:
                policy = compiled.plan["policy"]
                library[policy["id"], policy["version"]] = compiled
        waiting = [name for name in waiting if name not in ready]
    return tuple(done[file.name] for file in policy_files)


def load_policies(policy_files: Sequence[PolicyFile], controls: Mapping[str, Collection[str]] | None = None,
                  memory: Memory | None = None) -> tuple[Policy, ...]:  # fmt: skip
    """The compiled policies, from memory where nothing changed. A policy with an error refuses the whole run (exit 2)."""
    known = {framework: sorted(ids) for framework, ids in (controls or {}).items()}
    read = [(file.name, sha256_of(file.raw)) for file in policy_files]
    packs = [(pack.name, sha256_of(pack.raw), pack.beside) for pack in _packs(policy_files)]
    key = key_of("policies", __version__, vocabulary_digest(), known, read, packs)
    return tuple(Policy(**each) for each in remembered(memory, key, lambda: _compiled(policy_files, controls)))


def _packs(policy_files: Iterable[PolicyFile]) -> tuple[PackFile, ...]:
    return tuple(dict.fromkeys(file.pack for file in policy_files if file.pack))


def _compiled(policy_files: Sequence[PolicyFile], controls: Mapping[str, Collection[str]] | None) -> list[dict[str, Any]]:
    from policyengine.lang.plan import plan_digest

    results = compile_all(policy_files, controls)
    errors = [d for result in results for d in result.diagnostics if d.severity is Severity.ERROR]
    if errors:
        raise Refusal(*errors)
    seen: dict[str, str] = {}
    for file, result in zip(policy_files, results, strict=True):
        identity = f"{result.plan['policy']['id']} {result.plan['policy']['version']}"
        if identity in seen:
            message = f"policy {identity} is in `{seen[identity]}` and in `{file.name}`"
            raise Refusal(Diagnostic("PE706", message, file=file.name, hint="name one of the two files"))
        seen[identity] = file.name
    return [
        {"name": file.name, "plan": result.plan, "digest": plan_digest(result.plan), "source_digest": sha256_of(file.raw)}
        for file, result in zip(policy_files, results, strict=True)
    ]
