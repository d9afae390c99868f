"""A site profile: what a site sets beside the policies. Signed data, never policy text (language standard 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policyengine.controls.gate import DEFAULT_GATE, ROWS, GateTable, with_overrides
from policyengine.controls.person import Person, same_person_key
from policyengine.core.canonical import digest_of, sha256_of
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest

DEFAULT_WAIVER_ROLES: Mapping[str, tuple[str, ...]] = dict.fromkeys(ROWS, ("qa_approver",))
_KEYS = ("id", "version", "organisation", "parameters", "gate", "completeness", "never_waive", "waiver_roles", "people", "capa")


@dataclass(frozen=True, slots=True)
class Profile:
    """A site's settings.

    ``parameters`` are raw values by parameter name (``name`` or ``policy.name``); ``gate`` is the whole table in force;
    ``waiver_roles`` lists by severity the roles of which an approver holds one; ``never_waive`` are rule ids, or
    ``policy/rule``; ``capa`` is handed to the CAPA drafts as it stands; ``digest`` is that of the file's bytes.
    """

    id: str
    version: str
    digest: str
    organisation: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    gate: GateTable = field(default_factory=lambda: DEFAULT_GATE)
    completeness: str = "stated"
    never_waive: tuple[str, ...] = ()
    waiver_roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: DEFAULT_WAIVER_ROLES)
    people: tuple[Person, ...] = ()
    capa: Mapping[str, object] = field(default_factory=dict)

    @property
    def strict_completeness(self) -> bool:
        return self.completeness == "strict"

    def person(self, user_id: str) -> Person | None:
        """The person of this id; case and Unicode form make no difference, anything else does."""
        key = same_person_key(user_id)
        return next((each for each in self.people if same_person_key(each.id) == key), None)

    def forbids_waiving(self, policy: str, rule: str) -> bool:
        return rule in self.never_waive or f"{policy}/{rule}" in self.never_waive


def default_profile() -> Profile:
    """What holds when a site gives no profile. It knows no people, so it lets no waiver apply."""
    said = {"gate": DEFAULT_GATE, "completeness": "stated", "waiver_roles": DEFAULT_WAIVER_ROLES}
    return Profile("built-in", "1", digest_of(_plain(said)))


def load_profile(raw: bytes, name: str) -> Profile:
    """A profile from YAML bytes. Raises :class:`Refusal` with every problem found: PE8xx, or what the YAML reader says."""
    from policyengine.core.strict_yaml import load_yaml

    return profile_from(load_yaml(raw, name), name, sha256_of(raw))


def profile_from(data: object, name: str, digest: str) -> Profile:
    """A profile from plain data that was read already. ``id`` and ``version`` are demanded; the rest has defaults."""
    if not isinstance(data, Mapping):
        raise Refusal(
            Diagnostic("PE801", "a profile is a mapping of settings", file=name, hint="begin with `id:` and `version:`")
        )
    reader = _Reader(data, name)
    reader.unknown_keys(data, _KEYS, "")
    profile_id, version = reader.text("id", needed=True), reader.text("version", needed=True)
    completeness = reader.text("completeness") or "stated"
    if completeness not in ("strict", "stated"):
        reader.wrong("PE802", "/completeness", f"`{completeness}` is not a completeness", "write `strict` or `stated`")
    gate: GateTable = DEFAULT_GATE
    try:
        gate = with_overrides(data.get("gate") or {}, name)
    except Refusal as refusal:
        reader.problems.extend(refusal.diagnostics)
    profile = Profile(profile_id, version, digest, reader.text("organisation"), reader.mapping("parameters"), gate,
                      completeness, reader.texts(data.get("never_waive"), "/never_waive"),
                      reader.waiver_roles(), reader.people(), reader.mapping("capa"))  # fmt: skip
    if reader.problems:
        raise Refusal(*reader.problems)
    return profile


class _Reader:
    """Reads one profile and collects every problem, so that a user mends the file once."""

    def __init__(self, data: Mapping[object, object], file: str) -> None:
        self.data, self.file = data, file
        self.problems: list[Diagnostic] = []

    def wrong(self, code: str, pointer: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(code, message, file=self.file, pointer=pointer, hint=hint))

    def unknown_keys(self, data: Mapping[Any, object], known: Sequence[str], pointer: str) -> None:
        for key in data:
            if key not in known:
                close = nearest(str(key), known)
                hint = f"did you mean `{close}`?" if close else f"one of {', '.join(known)}"
                self.wrong("PE803", f"{pointer}/{key}", f"there is no setting `{key}`", hint)

    def text(self, key: str, needed: bool = False) -> str:
        value = self.data.get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or not value.strip():
            hint = f'write {key}: "{value}"' if isinstance(value, int | float) else ""
            self.wrong("PE802", f"/{key}", f"`{key}` is not a text" if value is not None else f"`{key}` is missing", hint)
            return ""
        return value.strip()

    def mapping(self, key: str) -> Mapping[str, object]:
        value = self.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
            self.wrong("PE802", f"/{key}", f"`{key}` is not a mapping of names")
            return {}
        return dict(value)

    def texts(self, value: object, pointer: str) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each.strip() for each in value):
            self.wrong("PE802", pointer, "a list of texts is expected here")
            return ()
        return tuple(each.strip() for each in value)

    def waiver_roles(self) -> Mapping[str, tuple[str, ...]]:
        given = self.mapping("waiver_roles")
        self.unknown_keys(dict(given), ROWS, "/waiver_roles")
        roles = dict(DEFAULT_WAIVER_ROLES)
        for severity in ROWS:
            if severity in given:
                roles[severity] = self.texts(given[severity], f"/waiver_roles/{severity}")
                if not roles[severity]:
                    self.wrong("PE802", f"/waiver_roles/{severity}", "no role is named",
                               "name at least one role, or list the rules under `never_waive`")  # fmt: skip
        return roles

    def people(self) -> tuple[Person, ...]:
        given = self.data.get("people")
        if given is None:
            return ()
        if not isinstance(given, list | tuple):
            self.wrong("PE802", "/people", "`people` is not a list")
            return ()
        people: list[Person] = []
        held: dict[str, str] = {}
        for index, entry in enumerate(given):
            pointer = f"/people/{index}"
            if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or not entry["id"].strip():
                self.wrong("PE802", pointer, "a person needs an `id`")
                continue
            self.unknown_keys(entry, ("id", "name", "roles", "keys"), pointer)
            name = entry.get("name")
            if name is not None and not isinstance(name, str):
                self.wrong("PE802", f"{pointer}/name", "`name` is not a text")
                name = None
            person = Person(entry["id"].strip(), (name or "").strip(), self.texts(entry.get("roles"), f"{pointer}/roles"),
                            self.texts(entry.get("keys"), f"{pointer}/keys"))  # fmt: skip
            if any(same_person_key(person.id) == same_person_key(other.id) for other in people):
                self.wrong("PE804", f"{pointer}/id", f"`{person.id}` is there twice")
            for key in person.keys:
                if key in held:
                    self.wrong(
                        "PE804", f"{pointer}/keys", f"key `{key}` belongs to `{held[key]}` already", "one key, one person"
                    )
                held[key] = person.id
            people.append(person)
        return tuple(people)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
