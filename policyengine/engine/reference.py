"""The reference evaluator: it defines what a policy means (language standard 4). Every other evaluator must agree with it.

For each rule: does it apply; which subjects do its loops leave; for each subject ``not a member, or an exception, or all
requirements``; then the worst of them. No subject of an outer loop ever vanishes, and nothing passes because it was empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from policyengine.core.model import EvidenceSet, Origin, Record
from policyengine.core.outcome import (
    CauseKind,
    Outcome,
    Truth,
    Unknown,
    all_of,
    any_of,
    join,
    negate,
    only_missing_fields,
    outcome_of,
    unknown,
    worst,
)
from policyengine.core.vocabulary import vocabulary
from policyengine.engine.explain import sentences, shown_value, subject_key
from policyengine.engine.findings import ClauseVerdict, Finding, ReadValue, RuleResult
from policyengine.engine.meaning import Meaning
from policyengine.engine.members import Members, keep
from policyengine.engine.relations import Graph
from policyengine.engine.settings import Settings
from policyengine.engine.values import Node, Reader, Run, Scope, constant

WHOLE_RELEASE = "release"
_VALUES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """One tuple of loop members, or a place where a loop had none. ``settled`` is its truth where no clause is asked.

    ``possible`` is the unknown that left its membership open, or None for a certain member.
    """

    key: str
    scope: Scope
    possible: Unknown | None = None
    settled: Outcome | Unknown | None = None


def evaluate(plan: Node, evidence: EvidenceSet, settings: Settings | None = None) -> tuple[RuleResult, ...]:
    """Evaluate the selected rules of one plan over the evidence, in the order of the plan.

    ``evaluation.time`` must be among the evidence. A rule that cannot be finished is ``error``; the others go on.
    """
    settings = settings or Settings()
    run = _run(plan, evidence, settings)
    chosen = [rule for rule in plan["rules"] if settings.rules is None or rule["id"] in settings.rules]
    return tuple(_RuleEvaluation(plan, rule, run).result() for rule in chosen)


def _run(plan: Node, evidence: EvidenceSet, settings: Settings) -> Run:
    evaluation = evidence.roots.get("evaluation")
    now = evaluation.fields.get("time") if isinstance(evaluation, Record) else None
    if not isinstance(now, datetime):
        raise ValueError("evaluation.time is not among the evidence")
    parameters: dict[str, Any] = {}
    for each in plan["parameters"]:
        value = settings.parameters.get(each["name"], each["value"])
        table = each.get("key") is not None
        parameters[each["name"]] = (
            {k: constant(each["type"], v) for k, v in value.items()} if table else constant(each["type"], value)  # type: ignore[attr-defined]
        )
    zone_name = plan["policy"].get("time_zone") or "UTC"
    zone = UTC if zone_name == "UTC" else ZoneInfo(zone_name)
    graph = Graph(evidence.roots.get("sbom"))
    return Run(evidence.roots, parameters, now, zone, settings.strict_completeness, graph)


class _RuleEvaluation:
    def __init__(self, plan: Node, rule: Node, run: Run) -> None:
        self.plan, self.rule, self.run = plan, rule, replace(run, assumptions=set())
        self.loops: list[Node] = rule["loops"]

    def result(self) -> RuleResult:
        try:
            judged = [(subject, self._outcome(subject, truth)) for subject, truth in self._judged(Meaning(self.run))]
            judged = _with_distinct_keys(judged)
            findings = tuple(
                self._finding(subject, outcome)
                for subject, outcome in sorted(judged, key=lambda each: each[0].key)
                if outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
            )
        except Exception as problem:
            return self._broken(problem)
        subjects = tuple((subject.key, outcome) for subject, outcome in judged)
        return RuleResult(
            self.plan["policy"]["id"], self.rule["id"], worst(o for _, o in subjects), subjects, findings,
            tuple(sorted(self.run.assumptions)), Counter(o for _, o in subjects),
        )  # fmt: skip

    def _broken(self, problem: Exception) -> RuleResult:
        message = f"the rule could not be evaluated: {type(problem).__name__}: {problem}"
        finding = Finding(self.rule["id"], Outcome.ERROR, message)
        return RuleResult(self.plan["policy"]["id"], self.rule["id"], Outcome.ERROR, ((self.rule["id"], Outcome.ERROR),),
                          (finding,), (), {Outcome.ERROR: 1})  # fmt: skip

    # subjects

    def _judged(self, meaning: Meaning) -> Iterator[tuple[Subject, Truth | None]]:
        """Every subject with its truth; None means not applicable."""
        applies = meaning.value(self.rule["applies"])({}) if self.rule["applies"] else True
        if applies is False:
            yield Subject(WHOLE_RELEASE, {}, settled=Outcome.NOT_APPLICABLE), None
            return
        if isinstance(applies, Unknown):
            yield Subject(WHOLE_RELEASE, {}, settled=applies), applies
            return
        collections = [meaning.members(loop["in"]) for loop in self.loops]
        filters = [meaning._test(loop["var"], loop["where"]) for loop in self.loops]
        judge = _Judge(meaning, self.rule["clauses"])
        early = self._version_in_force(meaning)
        for subject in self._subjects(0, {}, (), None, collections, filters):
            if subject.settled is not None:
                yield subject, _settled_truth(subject)
                continue
            scope = subject.scope
            out_of_force = early(scope) if early else None
            yield subject, out_of_force if out_of_force is not None else judge.truth(dict(scope), subject.possible)

    def _subjects(self, depth: int, scope: Scope, keys: tuple[str, ...], possible: Unknown | None,
                  collections: list[Any], filters: list[Any]) -> Iterator[Subject]:  # fmt: skip
        if depth == len(self.loops):
            yield Subject(" / ".join(keys) or WHOLE_RELEASE, dict(scope), possible)
            return
        loop = self.loops[depth]
        found: Members = collections[depth](scope)
        here = " / ".join(keys) or found.what
        if found.absent is not None:
            yield Subject(here, dict(scope), possible, _open(found.absent, possible))
            return
        where = filters[depth]
        chosen = keep(found, lambda item: where(scope, item))
        for item, member in chosen.items:
            scope[loop["var"]] = item
            doubt = possible if member is True else join([member, *([possible] if possible is not None else [])])
            yield from self._subjects(depth + 1, scope, (*keys, subject_key(item)), doubt, collections, filters)
        scope.pop(loop["var"], None)
        if chosen.hole is not None:
            yield Subject(here, dict(scope), possible, _open(chosen.hole, possible))
        elif not any(member is True for _, member in chosen.items):
            yield from self._nobody(loop, chosen, here, dict(scope), possible)

    def _nobody(self, loop: Node, chosen: Members, here: str, scope: Scope, possible: Unknown | None) -> Iterator[Subject]:
        """No certain member: the declared result; unknown when left out, or when only possible members speak against it."""
        declared = Outcome(loop["if_none"]) if loop["if_none"] else Outcome.UNKNOWN
        empty = unknown(CauseKind.EMPTY, f"no {loop['var']} in {chosen.what}", chosen.origin)
        if chosen.items:
            if declared in (Outcome.UNKNOWN, Outcome.FAIL):
                yield Subject(here, scope, possible, join(chosen.possible))
        elif declared is Outcome.UNKNOWN:
            yield Subject(here, scope, possible, empty)
        elif declared is Outcome.FAIL and possible is not None:
            yield Subject(here, scope, possible, join([empty, possible]))
        else:
            yield Subject(here, scope, possible, declared)

    def _version_in_force(self, meaning: Meaning) -> Any:
        """The version in force at the subject's own time judges it (4.3); outside its dates this version cannot."""
        policy = self.plan["policy"]
        begin, end = policy.get("effective_from"), policy.get("effective_until")
        if not begin and not end:
            return None
        own = self._own_time(meaning)

        def out_of_force(scope: Scope) -> Unknown | None:
            moment = own(scope)
            if isinstance(moment, Unknown):
                return moment
            day = moment.astimezone(self.run.zone).date() if isinstance(moment, datetime) else moment
            if (begin and day < date.fromisoformat(begin)) or (end and day > date.fromisoformat(end)):
                return unknown(CauseKind.ABSENT, f"a version of policy {policy['id']} in force on {day.isoformat()}")
            return None

        return out_of_force

    def _own_time(self, meaning: Meaning) -> Reader:
        first = self.loops[0] if self.loops else None
        kind = vocabulary().types.get(first["type"]) if first else None
        if first is None or kind is None or kind.time_field is None:
            return lambda _: self.run.now
        var, name = first["var"], kind.time_field
        return meaning.value({"op": "field", "of": {"op": "var", "name": var}, "name": name})

    # outcomes and explanations

    def _outcome(self, subject: Subject, truth: Truth | None) -> Outcome:
        if isinstance(subject.settled, Outcome):
            return subject.settled
        return Outcome.NOT_APPLICABLE if truth is None else outcome_of(truth)

    def _finding(self, subject: Subject, outcome: Outcome) -> Finding:
        """Evaluate the subject once more, writing down what decides it."""
        trace: list[ReadValue] = []
        meaning = Meaning(self.run, trace)
        if subject.settled is not None:
            causes = subject.settled.causes if isinstance(subject.settled, Unknown) else ()
            message = sentences(causes) or f"{self.rule['title']}: there is none"
            return Finding(subject.key, outcome, message, causes, _origins(subject.scope), group=self._group(subject.scope))
        judge = _Judge(meaning, self.rule["clauses"])
        clauses, message, values = judge.explain(dict(subject.scope), trace)
        truth = judge.truth(dict(subject.scope), subject.possible)
        early = self._version_in_force(meaning)
        if early and (out_of_force := early(dict(subject.scope))) is not None:
            truth = out_of_force
        causes = truth.causes if isinstance(truth, Unknown) else ()
        shown = message if outcome is Outcome.FAIL else sentences(causes)
        note = f"judged also because {sentences(subject.possible.causes)}" if subject.possible is not None else ""
        return Finding(subject.key, outcome, shown, causes, _origins(subject.scope), values, clauses,
                       self._group(subject.scope), self._suggestions(subject.scope), note)  # fmt: skip

    def _group(self, scope: Mapping[str, Any]) -> tuple[str | None, ...]:
        capa = self.rule["capa"] or {}
        return tuple(_read(Meaning(self.run).value(node), scope) for node in capa.get("group_by") or ())

    def _suggestions(self, scope: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        capa = self.rule["capa"] or {}
        kinds = ("correction", "corrective", "preventive", "effectiveness")
        return tuple((kind, filled(Meaning(self.run), capa[kind], scope)) for kind in kinds if capa.get(kind))


class _Judge:
    """The clauses of one rule: exceptions, requirements, doubts."""

    def __init__(self, meaning: Meaning, clauses: list[Node]) -> None:
        self.meaning = meaning
        self.clauses = [(clause, meaning.value(clause["expr"])) for clause in clauses]
        self.exceptions = [read for clause, read in self.clauses if clause["kind"] == "except"]
        self.requirements = [(c["if_unknown_fail"], read) for c, read in self.clauses if c["kind"] == "require"]
        self.doubts = [(clause, read) for clause, read in self.clauses if clause["kind"] == "unknown"]

    def truth(self, scope: Scope, possible: Unknown | None) -> Truth | None:
        """``not member or exception or all requirements``; None where an exception ends the rule for this subject."""
        exceptions = [read(scope) for read in self.exceptions]
        if any(each is True for each in exceptions):
            return None
        met = all_of(_required(read(scope), must) for must, read in self.requirements)
        if met is True:
            asked = [unknown(CauseKind.ASKED, filled(self.meaning, clause["because"], scope))
                     for clause, read in self.doubts if read(scope) is not False]  # fmt: skip
            return join(asked) if asked else True
        return any_of([met, *exceptions, *([possible] if possible is not None else [])])

    def explain(self, scope: Scope, trace: list[ReadValue]) -> tuple[tuple[ClauseVerdict, ...], str, tuple[ReadValue, ...]]:
        """Each clause's verdict, the message of the first that failed (or is open), and the values that decided."""
        verdicts: list[ClauseVerdict] = []
        decisive: list[ReadValue] = []
        messages: dict[Outcome, str] = {}
        for clause, read in self.clauses:
            trace.clear()
            value = read(scope)
            if clause["kind"] == "require":
                value = _required(value, clause["if_unknown_fail"])
                outcome = outcome_of(value)
            else:
                outcome = outcome_of(negate(value)) if clause["kind"] == "unknown" else outcome_of(value)
            verdicts.append(ClauseVerdict(clause["kind"], clause["text"], outcome))
            if clause["kind"] == "require" and outcome is not Outcome.PASS:
                decisive += trace
                text = filled(Meaning(self.meaning.run), clause["message"], scope) if clause["message"] else ""
                messages.setdefault(outcome, text or (f"not met: {clause['text']}" if outcome is Outcome.FAIL else ""))
        message = messages.get(Outcome.FAIL) or next(iter(messages.values()), "")
        return tuple(verdicts), message, tuple(dict.fromkeys(decisive))[:_VALUES_SHOWN]


def _required(value: Truth, if_unknown_fail: bool) -> Truth:
    return False if if_unknown_fail and isinstance(value, Unknown) and only_missing_fields(value) else value


def _open(cause: Unknown, possible: Unknown | None) -> Unknown:
    return join([cause, possible]) if possible is not None else cause


def _settled_truth(subject: Subject) -> Truth | None:
    if isinstance(subject.settled, Unknown):
        return subject.settled
    return None if subject.settled is Outcome.NOT_APPLICABLE else subject.settled is Outcome.PASS


def filled(meaning: Meaning, parts: Any, scope: Mapping[str, Any]) -> str:
    """A text with its holes filled: ``not recorded`` where there is no value. It cannot fail."""
    if isinstance(parts, str):
        return parts
    return "".join(p if isinstance(p, str) else _read(meaning.value(p["expr"]), scope) or "not recorded" for p in parts or ())


def _read(read: Reader, scope: Mapping[str, Any]) -> str | None:
    try:
        return shown_value(read(dict(scope)))
    except KeyError:
        return None


def _origins(scope: Mapping[str, Any]) -> tuple[Origin, ...]:
    return tuple(item.origin for item in scope.values() if isinstance(item, Record) and item.origin)


def _with_distinct_keys(judged: list[tuple[Subject, Outcome]]) -> list[tuple[Subject, Outcome]]:
    """Where two subjects share a key, each gets what tells them apart, so that no waiver ever covers two."""
    seen = Counter(subject.key for subject, _ in judged)
    if len(seen) == len(judged):
        return judged
    counted: Counter[str] = Counter()
    distinct: list[tuple[Subject, Outcome]] = []
    for subject, outcome in judged:
        if seen[subject.key] > 1:
            item = next((i for i in reversed(list(subject.scope.values())) if isinstance(i, Record)), None)
            inner = item.fields.get("component") if item else None
            key = f"{subject.key} in {subject_key(inner)}" if isinstance(inner, Record) else subject.key
            counted[key] += 1
            subject = replace(subject, key=key if counted[key] == 1 else f"{key} #{counted[key]}")
        distinct.append((subject, outcome))
    return distinct
