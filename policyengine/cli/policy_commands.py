"""``check``, ``test`` and ``schema``: what an author runs all day."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from policyengine.cli.terminal import MAX_SHOWN, memory, tell
from policyengine.core.diagnostic import Diagnostic, Refusal, Severity, nearest, shown
from policyengine.core.vocabulary import vocabulary
from policyengine.outputs.reading import counted
from policyengine.packs.frameworks import control_ids, load_frameworks
from policyengine.packs.library import PolicyFile, compile_all, find_policies, shipped


def _compiled(paths: Sequence[Path]) -> tuple[tuple[PolicyFile, Any], ...]:
    """The named policies, compiled beside the shipped ones that they may use."""
    named = find_policies(paths)
    raws = {file.raw for file in named}
    others = tuple(
        file
        for file in find_policies([shipped("policies")])
        if file.raw not in raws and file.name not in {n.name for n in named}
    )
    results = compile_all(named + others, control_ids(load_frameworks(memory())))
    return tuple(zip(named, results, strict=False))


def check(paths: Sequence[Path], strict: bool, form: str) -> int:
    """Exit 0 where nothing was found, 1 for warnings under ``--strict``, 2 where a policy does not compile."""
    compiled = _compiled(paths)
    found: list[Diagnostic] = [d for _, result in compiled for d in result.diagnostics]
    errors = sum(d.severity is Severity.ERROR for d in found)
    if form == "json":
        _print_json(
            {
                "files": len(compiled),
                "errors": errors,
                "warnings": len(found) - errors,
                "diagnostics": [_plain(d) for d in found],
            }
        )
    else:
        tell(found)
        rules = sum(len(result.plan["rules"]) for _, result in compiled if result.plan)
        read = f"{counted(len(compiled), 'file')}, {counted(rules, 'rule')}"
        sys.stdout.write(f"{read}: {counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}\n")
    return 2 if errors else 1 if found and strict else 0


def test(paths: Sequence[Path], form: str) -> int:
    """Exit 0 where every test holds, 1 where one does not or there is none, 2 where a policy does not compile."""
    from policyengine.packs.cases import run_cases

    compiled = _compiled(paths)
    errors = [d for _, result in compiled for d in result.diagnostics if d.severity is Severity.ERROR]
    if errors:
        raise Refusal(*errors)
    outcomes = [
        (file, case) for file, result in compiled for case in run_cases(result.plan, result.tests, vocabulary(), _reader(paths))
    ]
    failed = [(file, case) for file, case in outcomes if not case.passed]
    if form == "json":
        rows = [{"file": f.name, "test": c.title, "line": c.line, "passed": c.passed, "differences": [_difference(d) for d in c.differences]}
                for f, c in outcomes]  # fmt: skip
        _print_json({"passed": len(outcomes) - len(failed), "failed": len(failed), "tests": rows})
    else:
        for file, case in failed[:MAX_SHOWN]:
            sys.stdout.write(f"{shown(file.name)}:{case.line}: failed: {shown(case.title)}\n")
            for d in case.differences:
                where = f" for {d.subject}" if d.subject is not None else ""
                sys.stdout.write(
                    shown(f"  {d.rule}{where}: expected {d.expected.words}, got {d.got.words if d.got else 'no such subject'}")
                    + "\n"
                )
                sys.stdout.write("".join(f"    {shown(why)}\n" for why in d.why))
        sys.stdout.write(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed\n")
    if not outcomes:
        sys.stderr.write("error[PE707]: no policy here has a test\n")
    return 1 if failed or not outcomes else 0


def _reader(paths: Sequence[Path]) -> Any:
    """Reads a file that a test names with ``from``: JSON or YAML below one of the named folders."""
    from policyengine.core.strict_json import load_json
    from policyengine.core.strict_yaml import load_yaml

    roots = [path if path.is_dir() else path.parent for path in paths]

    def read(name: str) -> object:
        for root in roots:
            file = (root / name).resolve()
            if file.is_relative_to(root.resolve()) and file.is_file():
                raw = file.read_bytes()
                return load_json(raw, name) if name.endswith(".json") else load_yaml(raw, name)
        raise Refusal(
            Diagnostic("PE704", f"there is no file `{name}` beside the policies", hint="name it relative to the policy folder")
        )

    return read


def schema(name: str | None) -> int:
    """Print all roots, or one root or type with its fields."""
    known = vocabulary()
    if name is None:
        for root in known.roots.values():
            sys.stdout.write(f"{root.name}: {root.type.words}  # {root.source}\n")
        return 0
    named = known.roots.get(name)
    type_name = named.type.name if named else name
    declared = known.types.get(type_name)
    if declared is None:
        close = nearest(name, [*known.roots, *known.types])
        raise Refusal(
            Diagnostic(
                "PE851",
                f"there is no root or type `{name}`",
                hint=f"did you mean `{close}`?" if close else "leave the name out",
            )
        )
    if named:
        sys.stdout.write(f"{named.name}: {named.type.words}  # {named.source}\n")
    sys.stdout.write(f"type {declared.name}\n")
    for field, of in declared.fields.items():
        marks = ("!" if of.always else "") + ("@" if field == declared.time_field else "")
        sys.stdout.write(f"  {field}{marks}: {of.words}\n")
    return 0


def _plain(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": d.code,
        "severity": d.severity.value,
        "message": d.message,
        "file": d.file,
        "line": d.line,
        "column": d.column,
        "hint": d.hint,
    }


def _difference(d: Any) -> dict[str, Any]:
    return {
        "rule": d.rule,
        "subject": d.subject,
        "expected": d.expected.value,
        "got": d.got.value if d.got else None,
        "why": list(d.why),
    }


def _print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
