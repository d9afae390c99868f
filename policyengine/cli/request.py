"""What one run of the gate was asked to do: the options of the command line over those of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from policyengine.cli.options import usage
from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest

DEFAULT_CONFIG = Path("policyengine.yaml")
KEYS = ("policies", "evidence", "subjects", "profile", "waivers", "trust", "parameters", "frameworks", "rules", "key", "sign",
        "out", "reports", "engine", "period", "environment")  # fmt: skip
ENGINES = ("auto", "python", "duckdb", "spark")
REPORTS = ("json", "md", "html")


@dataclass(frozen=True, slots=True)
class Request:
    """Paths are relative to the working folder. ``declared`` are evidence entries of the configuration that name a root."""

    policies: tuple[Path, ...] = ()
    evidence: tuple[Path, ...] = ()
    declared: tuple[tuple[Path, Mapping[str, Any]], ...] = ()
    subjects: tuple[str, ...] = ()
    at: datetime | None = None
    period_from: datetime | None = None
    period_until: datetime | None = None
    environment: str | None = None
    profile: Path | None = None
    waivers: tuple[Path, ...] = ()
    trust: Path | None = None
    parameters: tuple[tuple[str, object], ...] = ()
    frameworks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    key: Path | None = None
    sign: bool = True
    out: Path = Path("policyengine-out")
    reports: tuple[tuple[str, Path], ...] = ()
    json: bool = False
    lenient: bool = False
    color: bool = True


def request_of(positional: Sequence[str], given: Mapping[str, Sequence[str]]) -> Request:
    """The request of a command line. Reads the configuration that it names, or ``policyengine.yaml`` where it names nothing."""
    if len(positional) > 1:
        raise usage(f"one configuration file is read, {len(positional)} were given", "name evidence with -e")
    config: Path | None = Path(positional[0]) if positional else None
    if config is None and not given.get("policy") and not given.get("evidence") and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    request = _with_config(Request(), config) if config else Request()
    return _with_options(request, given)


def _with_options(request: Request, given: Mapping[str, Sequence[str]]) -> Request:
    def last(name: str) -> str | None:
        return given[name][-1] if given.get(name) else None

    for name, where in (("sigstore", "keyless signing"), ("ledger", "the ledger")):
        if name in given:
            raise usage(
                f"{where} is not part of this version", "sign with --key FILE" if name == "sigstore" else "leave it out"
            )
    _engine(last("engine") or "auto")
    if (form := last("format")) not in (None, "text", "json"):
        raise usage(f"`{form}` is not an output format", "write `--format text` or `--format json`")
    paths: dict[str, Any] = {
        name: Path(value) for name in ("profile", "trust", "key", "out") if (value := last(name)) is not None
    }
    lists: dict[str, Any] = {
        field: tuple(Path(v) if path else v for v in given[name])
        for field, name, path in (("policies", "policy", True), ("evidence", "evidence", True), ("subjects", "subject", False),
                                  ("waivers", "waivers", True), ("frameworks", "framework", False), ("rules", "rule", False))
        if given.get(name)
    }  # fmt: skip
    if "evidence" in lists:
        lists["declared"] = ()
    parameters = (*request.parameters, *(_pair(text, "--param", "NAME=VALUE") for text in given.get("param", ())))
    reports = (
        *request.reports,
        *((n, Path(v)) for n, v in (_pair(t, "--report", "NAME=FILE") for t in given.get("report", ()))),
    )
    for name, _ in reports:
        if name not in REPORTS:
            raise usage(f"there is no report `{name}` in this version", f"reports: {', '.join(REPORTS)}")
    at = _time(last("at"), "--at") if given.get("at") else request.at
    return replace(
        request, **paths, **lists, at=at, parameters=parameters, reports=reports, sign=request.sign and "no-sign" not in given,
        json=form == "json", lenient="lenient" in given, color="no-color" not in given,
    )  # fmt: skip


def _pair(text: str, flag: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise usage(f"`{text}` is not of the form {form}", f"write `{flag} {form}`")
    return name, value


def _time(text: str | None, where: str) -> datetime:
    try:
        return timestamp(text)
    except Mismatch as problem:
        raise usage(f"{where}: {problem.message}", problem.hint or "write it as `2026-03-01T08:00:00Z`") from None


def _engine(name: str) -> None:
    if name not in ENGINES:
        raise usage(f"there is no engine `{name}`", f"engines: {', '.join(ENGINES)}")
    if name in ("duckdb", "spark"):
        raise usage(f"the engine `{name}` is not part of this version", "leave --engine out; the reference evaluator decides")


def _with_config(request: Request, path: Path) -> Request:
    from policyengine.core.strict_yaml import load_yaml

    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise Refusal(Diagnostic("PE852", f"the configuration cannot be read: {problem.strerror}", file=str(path))) from None
    data = load_yaml(raw, str(path))
    if not isinstance(data, dict):
        raise Refusal(
            Diagnostic("PE852", "a configuration is a mapping of settings", file=str(path), hint=f"keys: {', '.join(KEYS)}")
        )
    return _Config(data, path).request(request)


class _Config:
    """Reads the keys of one configuration file; every problem is found before anything is opened."""

    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        self.data, self.path, self.folder = data, path, path.parent
        self.problems: list[Diagnostic] = []

    def request(self, request: Request) -> Request:
        for key in self.data:
            if key not in KEYS:
                close = nearest(key, KEYS)
                self._wrong(
                    f"/{key}",
                    f"there is no setting `{key}`",
                    f"did you mean `{close}`?" if close else f"keys: {', '.join(KEYS)}",
                )
        evidence, declared = self._evidence()
        period = self.data.get("period") or {}
        if not isinstance(period, dict) or set(period) - {"from", "until"}:
            self._wrong("/period", "a period has `from` and `until`", "write `period: {from: .., until: ..}`")
            period = {}
        parameters = self.data.get("parameters") or {}
        if not isinstance(parameters, dict):
            self._wrong("/parameters", "parameters are a mapping of name to value", "write `parameters: {name: value}`")
            parameters = {}
        reports = self.data.get("reports") or {}
        if not isinstance(reports, dict) or set(reports) - set(REPORTS):
            self._wrong("/reports", "reports are a mapping of name to file", f"reports: {', '.join(REPORTS)}")
            reports = {}
        engine = self.data.get("engine")
        made = replace(
            request, policies=self._paths("policies"), evidence=evidence, declared=declared, subjects=self._texts("subjects"),
            period_from=self._time(period, "from"), period_until=self._time(period, "until"), environment=self._text("environment"),
            profile=self._path("profile"), waivers=self._paths("waivers"), trust=self._path("trust"),
            parameters=tuple(parameters.items()), frameworks=self._texts("frameworks"), rules=self._texts("rules"),
            key=self._path("key"), sign=self.data.get("sign") is not False, out=self._path("out") or request.out,
            reports=tuple((name, self.folder / str(file)) for name, file in reports.items()),
        )  # fmt: skip
        if self.data.get("sign") not in (None, True, False):
            self._wrong("/sign", "`sign` is true or false", "write `sign: true`")
        if self.problems:
            raise Refusal(*self.problems)
        if engine is not None:
            _engine(str(engine))
        return made

    def _wrong(self, pointer: str, message: str, hint: str) -> None:
        self.problems.append(Diagnostic("PE852", message, file=str(self.path), pointer=pointer, hint=hint))

    def _text(self, key: str) -> str | None:
        value = self.data.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self._wrong(f"/{key}", "text expected", f"write `{key}: ...`")
        return None

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        if all(isinstance(each, str) and each for each in listed):
            return tuple(listed)
        self._wrong(f"/{key}", "a list of text expected", f"write `{key}: [..]`")
        return ()

    def _path(self, key: str) -> Path | None:
        text = self._text(key)
        return self.folder / text if text else None

    def _paths(self, key: str) -> tuple[Path, ...]:
        return tuple(self.folder / text for text in self._texts(key))

    def _time(self, period: Mapping[str, Any], key: str) -> datetime | None:
        if period.get(key) is None:
            return None
        try:
            return timestamp(period[key])
        except Mismatch as problem:
            self._wrong(f"/period/{key}", problem.message, problem.hint)
            return None

    def _evidence(self) -> tuple[tuple[Path, ...], tuple[tuple[Path, Mapping[str, Any]], ...]]:
        plain: list[Path] = []
        declared: list[tuple[Path, Mapping[str, Any]]] = []
        entries = self.data.get("evidence") or []
        if not isinstance(entries, list):
            self._wrong("/evidence", "evidence is a list of files", "write one `- path: FILE` for each")
            entries = []
        for index, entry in enumerate(entries):
            if isinstance(entry, str) and entry:
                plain.append(self.folder / entry)
            elif isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
                path = self.folder / entry["path"]
                if "as" in entry:
                    declared.append((path, entry))
                elif set(entry) == {"path"}:
                    plain.append(path)
                else:
                    self._wrong(
                        f"/evidence/{index}", "a mapped file needs `as`: the root that it feeds", "write `as: accounts`"
                    )
            else:
                self._wrong(f"/evidence/{index}", "an entry names its `path`", "write `- path: FILE`")
        return tuple(plain), tuple(declared)
