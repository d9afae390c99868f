"""Policy text to plan and test cases, with every diagnostic of the file in one run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Severity, Source
from policyengine.core.vocabulary import Vocabulary
from policyengine.lang import syntax
from policyengine.lang.check import Check
from policyengine.lang.lint import lint
from policyengine.lang.names import Module, ParameterInfo
from policyengine.lang.parse import Parsed, parse
from policyengine.lang.plan import PLAN_FORMAT, plan_digest
from policyengine.lang.testcases import TestCase, TestReader
from policyengine.lang.types import Type, of_field

Library = Mapping[tuple[str, str], "Compiled"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """One policy. ``plan`` is None if any error was found; ``module`` is what other policies may use of it."""

    source: Source
    plan: dict[str, Any] | None
    tests: tuple[TestCase, ...]
    diagnostics: tuple[Diagnostic, ...]
    module: Module | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """Identity of a policy and of those that it uses, as ``(id, version)``; for the order of compilation."""

    own: tuple[str, str] | None
    uses: frozenset[tuple[str, str]]


def used_by(source: Source) -> Needs:
    """What a policy is called and what it uses, without compiling it."""
    policy = parse(source).policy
    if policy is None:
        return Needs(None, frozenset())
    return Needs((policy.header.id.text, policy.header.version), frozenset((use.id.text, use.version) for use in policy.uses))


def compile_policy(source: Source, vocabulary: Vocabulary, library: Library | None = None,
                   controls: Mapping[str, Collection[str]] | None = None) -> Compiled:  # fmt: skip
    """Compile one file. ``library`` holds the policies that it may ``use``; ``controls`` the clause ids of each framework."""
    parsed = parse(source)
    if parsed.policy is None:
        return Compiled(source, None, (), parsed.diagnostics)
    return _Compilation(parsed.policy, vocabulary, library or {}, controls, parsed).compiled()


class _Compilation:
    def __init__(self, policy: syntax.Policy, vocabulary: Vocabulary, library: Library,
                 controls: Mapping[str, Collection[str]] | None, parsed: Parsed) -> None:  # fmt: skip
        self.policy, self.vocabulary, self.library, self.controls = policy, vocabulary, library, controls
        self.syntax_problems, self.lost = parsed.diagnostics, parsed.damaged
        self.used_plans: list[dict[str, Any]] = []

    def compiled(self) -> Compiled:
        policy = self.policy
        zone = policy.header.time_zone.value if policy.header.time_zone else "UTC"
        check = Check(self.vocabulary, Module(policy.header.id.text, policy.source), zone)
        self.check = check
        check.zone_known(policy.header)
        header = check.header(policy.header)
        uses, modules = self._uses()
        self._refuse_doubles()
        module = self._module(modules, "")
        check.module = module
        check.second_choices = frozenset((each.line, each.column) for each in self.syntax_problems if each.code == "PE130")
        parameters = [check.parameter(each) for each in policy.parameters] + [check.table(each) for each in policy.tables]
        check.declared_alone(module)
        rules = [made for each in policy.rules if (made := check.rule(each, self.controls)) is not None]
        names = frozenset(rule.id.text for rule in policy.rules)
        misnamed = len(names) < len(policy.rules)
        reader = TestReader(policy.source, self.vocabulary, names, check.diagnostics, self.lost, misnamed)
        tests = tuple(case for each in policy.tests if (case := reader.case(each)) is not None)
        problems = [*self.syntax_problems, *check.diagnostics]
        failed = any(each.severity is Severity.ERROR for each in problems)
        if not failed:
            problems += lint(policy, {rule["id"]: rule for rule in rules}, tests, check.used_parameters)
        plan = {
            "plan": PLAN_FORMAT, "language": policy.header.language or "2", "vocabulary": self.vocabulary.digest, "policy": header,
            "uses": uses, "parameters": parameters + self._carried(check.used_parameters), "rules": rules,
        }  # fmt: skip
        ordered = tuple(sorted(dict.fromkeys(problems), key=lambda d: (d.line, d.column, d.code)))
        offered = self._module(modules, f"{policy.header.id.text}.")
        return Compiled(policy.source, None if failed else plan, tests, ordered, offered)

    def _uses(self) -> tuple[list[dict[str, Any]], dict[str, Module]]:
        listed: list[dict[str, Any]] = []
        modules: dict[str, Module] = {}
        for use in self.policy.uses:
            found = self.library.get((use.id.text, use.version))
            alias = use.alias.text if use.alias else use.id.text.replace("-", "_")
            if found is None or found.plan is None or found.module is None:
                versions = sorted(version for known, version in self.library if known == use.id.text)
                said = f"policy {use.id.text} {use.version} is not in the library, or has errors of its own"
                hint = f"versions there: {', '.join(versions)}" if versions else "name its file or folder too"
                self.check.report(use.id.span, "PE202", said, hint)
                modules[alias] = Module(use.id.text, self.policy.source, f"{use.id.text}.", missing=True)
                continue
            modules[alias] = found.module
            self.used_plans.append(found.plan)
            listed.append({"id": use.id.text, "version": use.version, "digest": plan_digest(found.plan)})
        return listed, modules

    def _module(self, uses: Mapping[str, Module], prefix: str) -> Module:
        policy = self.policy
        parameters = {each.name.text: ParameterInfo(Type(each.type.name, each.type.many)) for each in policy.parameters}
        for table in policy.tables:
            key = self.check.vocabulary.types.get(table.key.names[0].text)
            field = key.fields.get(table.key.names[-1].text) if key else None
            parameters[table.name.text] = ParameterInfo(Type(table.type.name), of_field(field) if field else Type("enum"))
        return Module(policy.header.id.text, policy.source, prefix, parameters, {each.name.text: each for each in policy.lets},
                      {each.name.text: each for each in policy.defines}, uses, lost=self.lost)  # fmt: skip

    def _refuse_doubles(self) -> None:
        policy = self.policy
        named = [each.name for each in policy.parameters] + [each.name for each in policy.tables]
        named += [each.name for each in policy.lets] + [each.name for each in policy.defines]
        for names in (named, [rule.id for rule in policy.rules]):
            first: dict[str, syntax.Name] = {}
            for name in names:
                if name.text in first:
                    line, column = policy.source.place(first[name.text].span.start)
                    self.check.report(name.span, "PE207", f"`{name.text}` is there twice, first at line {line}, column {column}",
                                      "give one of them another name")  # fmt: skip
                first.setdefault(name.text, name)

    def _carried(self, used: set[str]) -> list[dict[str, Any]]:
        """The parameters of used policies that this policy's rules read, under their qualified names."""
        carried: dict[str, dict[str, Any]] = {}
        for plan in self.used_plans:
            for parameter in plan["parameters"]:
                own = parameter["name"] if "." in parameter["name"] else f"{plan['policy']['id']}.{parameter['name']}"
                if own in used:
                    carried[own] = {**parameter, "name": own}
        return [carried[name] for name in sorted(carried)]
