"""The parameter values of a run: the policy's default, under the profile's value, under the value given on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policyengine.core.coerce import Mismatch, Reader
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.vocabulary import FieldType, vocabulary
from policyengine.packs.library import Policy


@dataclass(frozen=True, slots=True)
class Value:
    """One parameter as the run uses it. ``source`` is default, profile or flag; ``value`` in plan form."""

    policy: str
    name: str
    value: Any
    source: str


def parameter_values(
    policies: Sequence[Policy], profile: Mapping[str, object], flags: Mapping[str, object]
) -> tuple[Value, ...]:
    """The value of every parameter. Names are ``name`` or ``policy.name``.

    Raises :class:`Refusal` PE860 for a name that no policy has, PE861 for a value of another type or outside what is allowed.
    """
    problems: list[Diagnostic] = []
    known = {n for policy in policies for p in policy.plan["parameters"] for n in (p["name"], f"{policy.id}.{p['name']}")}
    for source, given in (("profile", profile), ("flag", flags)):
        for name in given:
            if name not in known:
                close = nearest(name, known)
                where = "the profile sets" if source == "profile" else "there is"
                hint = f"did you mean `{close}`?" if close else f"parameters: {', '.join(sorted(known)) or 'none'}"
                problems.append(Diagnostic("PE860", f"{where} a parameter `{name}` that no policy has" if source == "profile"
                                           else f"there is no parameter `{name}`", hint=hint))  # fmt: skip
    values: list[Value] = []
    for policy in policies:
        for declared in policy.plan["parameters"]:
            raw, source = _chosen(policy, declared["name"], profile, flags)
            try:
                value = declared["value"] if source == "default" else _read(declared, raw)
            except Mismatch as problem:
                problems.append(Diagnostic("PE861", f"parameter `{declared['name']}`: {problem.message}", hint=problem.hint))
                continue
            values.append(Value(policy.id, declared["name"], value, source))
    if problems:
        raise Refusal(*problems)
    return tuple(values)


def _chosen(policy: Policy, name: str, profile: Mapping[str, object], flags: Mapping[str, object]) -> tuple[object, str]:
    for source, given in (("flag", flags), ("profile", profile)):
        for key in (f"{policy.id}.{name}", name):
            if key in given:
                return given[key], source
    return None, "default"


def _read(declared: Mapping[str, Any], raw: object) -> Any:
    from policyengine.lang.check import permitted
    from policyengine.lang.plan import plan_value

    reader, field = Reader(vocabulary()), FieldType(declared["type"], declared["many"])

    def one(given: object, of: FieldType) -> Any:
        typed = reader.value(of, given)
        if typed is None:
            raise Mismatch("", "an empty value", "give a value, or leave the parameter out")
        value = plan_value(typed)
        for each in value if of.many else [value]:
            if declared["allowed"] is not None and not permitted(declared["type"], each, declared["allowed"]):
                raise Mismatch("", f"`{given}` is outside what the policy allows", f"allowed: {declared['allowed']}")
        return value

    if declared["key"] is not None:
        if not isinstance(raw, Mapping):
            raise Mismatch("", "a table needs an entry for each value", "set it in the profile, as a mapping")
        unknown = set(raw) - set(declared["value"])
        if unknown:
            raise Mismatch("", f"the table has no entry `{min(unknown)}`", f"entries: {', '.join(declared['value'])}")
        return {**declared["value"], **{key: one(value, field) for key, value in raw.items()}}
    if field.many and isinstance(raw, str):
        raw = [part.strip() for part in raw.split(",")]
    return one(raw, field)
