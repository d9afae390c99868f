"""References between records: a field whose type is a record is set from the key beside it (``change_id`` -> ``change``).

One match sets the field; none or several leave it unrecorded, so a broken join is unknown and never a pass or a fail. An
actor known by account is completed from ``accounts``, a record known by id from ``records``. What a row says itself of
another record counts only where no register was delivered that would say it. Linear in the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from policyengine.core.model import Collection, Completeness, Record
from policyengine.core.vocabulary import Vocabulary

Warn = Callable[[Record, str], None]

# What a record is now says nothing of what it was when the event happened, so these are never filled in.
STATE_OF_NOW = frozenset({"version", "digest", "final"})
# An actor whose evidence disagrees about who it is is nobody in particular.
IDENTIFYING = ("person_id", "kind")
# Records that a row holds with no field beside them that repeats their key.
NAMED_INSIDE = ("record", "transaction")


def resolve(roots: Mapping[str, Record | Collection], vocabulary: Vocabulary, warn: Warn) -> dict[str, Record | Collection]:
    """The roots with their references set. Records without any are the same objects as before.

    ``warn`` gets a record and one phrase for each contradiction between a row and the register that should know better.
    """
    resolver = _Resolver(roots, vocabulary, warn)
    return {name: resolver.anything(root, vocabulary.roots[name].type.name) for name, root in roots.items()}


@dataclass(frozen=True, slots=True)
class _Register:
    """The rows of one type by key, None where several share it. ``recorded`` are the fields that any of its rows has."""

    root: str
    key: str
    rows: Mapping[object, Record | None]
    recorded: frozenset[str]
    delivered: bool

    def missing(self, wanted: object) -> str:
        return f"`{wanted}` is {'more than once' if wanted in self.rows else 'not'} in {self.root}"


class _Resolver:
    def __init__(self, roots: Mapping[str, Record | Collection], vocabulary: Vocabulary, warn: Warn) -> None:
        self.vocabulary, self.warn = vocabulary, warn
        self.done: dict[int, Record] = {}
        self.under_way: set[int] = set()
        self.targets = {t: _register(roots, t, vocabulary) for t in self._linked_types()}
        self.accounts = _register(roots, "account", vocabulary)
        self.links = {t: self._links_of(t) for t in vocabulary.types}
        self.worth = self._types_worth_a_look()

    def _linked_types(self) -> set[str]:
        return {f.name for t in self.vocabulary.types.values() for f in t.fields.values() if f.is_record and not f.many}

    def _links_of(self, type_name: str) -> list[tuple[str, str, _Register]]:
        """Field, the field beside it that holds the key, and the register of its type."""
        fields = self.vocabulary.types[type_name].fields
        links: list[tuple[str, str, _Register]] = []
        for name, field in fields.items():
            register = None if field.many else self.targets.get(field.name)
            if register is not None and f"{name}_{register.key}" in fields:
                links.append((name, f"{name}_{register.key}", register))
        return links

    def _types_worth_a_look(self) -> set[str]:
        worth = {t for t in self.vocabulary.types if t in ("actor", "record") or self.links[t]}
        while True:
            more = {
                name
                for name, each in self.vocabulary.types.items()
                if name not in worth and any(f.is_record and f.name in worth for f in each.fields.values())
            }
            if not more:
                return worth
            worth |= more

    def anything(self, value: Record | Collection, type_name: str) -> Record | Collection:
        if type_name not in self.worth:
            return value
        return self.record(value) if isinstance(value, Record) else self.collection(value)

    def collection(self, value: Collection) -> Collection:
        items = self.items(value.items)
        return value if items is value.items else replace(value, items=items)

    def items(self, items: tuple[object, ...]) -> tuple[object, ...]:
        after = tuple(self.record(item) if isinstance(item, Record) else item for item in items)
        return after if any(a is not b for a, b in zip(after, items, strict=True)) else items

    def record(self, record: Record) -> Record:
        known = self.done.get(id(record))
        if known is not None:
            return known
        if record.type not in self.worth or id(record) in self.under_way:
            return record
        self.under_way.add(id(record))
        changed: dict[str, object] = {}
        for name, value in record.fields.items():
            after = self.below(value, record, name)
            if after is not value:
                changed[name] = after
        for name, key, register in self.links[record.type]:
            given, stated = changed.get(name, record.fields.get(name)), record.fields.get(key)
            if isinstance(given, Record):
                changed[name] = self.embedded(name, given, key, stated, register, record)
            elif stated is not None and (target := register.rows.get(stated)) is not None:
                changed[name] = self.record(target)
        self.under_way.discard(id(record))
        changed = {name: value for name, value in changed.items() if value is not record.fields.get(name)}
        left_out = {name for name, value in changed.items() if value is None}
        fields = {name: value for name, value in {**record.fields, **changed}.items() if name not in left_out}
        after = replace(record, fields=fields) if changed else record
        self.done[id(record)] = after
        return after

    def below(self, value: object, holder: Record, name: str) -> object:
        if isinstance(value, Record):
            if value.type == "actor":
                return self.actor(value, holder)
            register = self.targets.get(value.type) if value.type in NAMED_INSIDE else None
            after = self.record(value)
            return after if register is None else self.named_inside(name, after, register, holder)
        if isinstance(value, Collection):
            return self.collection(value)
        return self.items(value) if isinstance(value, tuple) else value

    def embedded(
        self, name: str, given: Record, key: str, stated: object, register: _Register, holder: Record
    ) -> Record | None:
        """What a row says of the record that its key names. A row cannot vouch for what a delivered register should hold."""
        own = given.fields.get(register.key)
        wanted = own if stated is None else stated
        row = register.rows.get(wanted)
        if row is None and not register.delivered:
            return given
        if own is not None and own != wanted:
            self.warn(holder, f"`{name}` is `{own}`, `{key}` is `{wanted}`: taken as not recorded")
            return None
        if row is None:
            self.warn(holder, f"`{name}`: {register.missing(wanted)}: taken as not recorded")
            return None
        return self.joined(name, given, self.record(row), register.recorded, register, holder)

    def named_inside(self, name: str, given: Record, register: _Register, holder: Record) -> Record:
        """A record known only by the key in it. What it was when the event happened is the event's to say."""
        wanted = given.fields.get(register.key)
        row = register.rows.get(wanted)
        then = STATE_OF_NOW if given.type == "record" else frozenset()
        if row is not None:
            known = self.record(row)
            now = replace(known, fields={field: value for field, value in known.fields.items() if field not in then})
            return self.joined(name, given, now, register.recorded - then, register, holder)
        kept = {field: value for field, value in given.fields.items() if field == register.key or field in then}
        if not register.delivered or len(kept) == len(given.fields) or (wanted not in register.rows and _of_no_record(holder)):
            return given
        said = ", ".join(f"`{name}.{field}`" for field in given.fields if field not in kept)
        self.warn(holder, f"{said}: {register.missing(wanted)}: taken as not recorded")
        return replace(given, fields=kept)

    def joined(
        self, name: str, given: Record, row: Record, recorded: frozenset[str], register: _Register, holder: Record
    ) -> Record:
        """The register's row, with what the register records of no row at all added from the embedded record."""
        added = {field: value for field, value in given.fields.items() if field not in recorded}
        for field, value in given.fields.items():
            if field not in added and not _agree(value, row.fields.get(field)):
                key = row.fields.get(register.key)
                self.warn(holder, f"`{name}.{field}` is not what {register.root} records for `{key}`: the register is taken")
        return replace(row, fields={**row.fields, **added}) if added else row

    def actor(self, actor: Record, holder: Record) -> Record:
        user = actor.fields.get("user_id")
        account = self.accounts.rows.get(user) if self.accounts else None
        if account is None:
            return self.stranger(actor, user, holder)
        roles = account.fields.get("roles")
        members = roles.items if isinstance(roles, Collection) else roles
        offered = {
            "person_id": account.fields.get("person_id"),
            "kind": account.fields.get("kind"),
            "name": account.fields.get("person_name"),
            "role": members[0] if isinstance(members, tuple) and len(members) == 1 else None,
        }
        fields = dict(actor.fields)
        for name, value in offered.items():
            if value is not None and name not in fields:
                fields[name] = value
            elif value is not None and name in IDENTIFYING and fields[name] != value:
                said = f"`{fields.pop(name)}` in the row, `{value}` in accounts"
                self.warn(holder, f"`{name}` of `{user}` is {said}: taken as not recorded")
        return replace(actor, fields=fields) if fields != actor.fields else actor

    def stranger(self, actor: Record, user: object, holder: Record) -> Record:
        """An actor without an account of its own. Where accounts were delivered, only they say which person a user is."""
        claims = [name for name in IDENTIFYING if name in actor.fields]
        if user is None or not claims or self.accounts is None or not self.accounts.delivered:
            return actor
        said = " and ".join(f"`{name}`" for name in claims)
        self.warn(holder, f"{said} of an actor: {self.accounts.missing(user)}: taken as not recorded")
        return replace(actor, fields={name: value for name, value in actor.fields.items() if name not in claims})


def _of_no_record(event: Record) -> bool:
    """A login is at a terminal and a release is of a batch: things that no register of records lists."""
    kind = event.fields.get("kind")
    return isinstance(kind, str) and not kind.startswith("record.")


def _agree(said: object, known: object) -> bool:
    """Whether an embedded value says nothing else than the register's; it may say less."""
    if isinstance(said, Record) and isinstance(known, Record):
        return all(_agree(value, known.fields.get(name)) for name, value in said.fields.items())
    if isinstance(said, tuple) and isinstance(known, tuple):
        return len(said) == len(known) and all(_agree(a, b) for a, b in zip(said, known, strict=True))
    return said == known


def _register(roots: Mapping[str, Record | Collection], type_name: str, vocabulary: Vocabulary) -> _Register | None:
    """The one list of a type, by the first key field of its rows; None for a type without a key or with two lists."""
    keys = vocabulary.types[type_name].key_fields
    lists = [name for name, root in vocabulary.roots.items() if root.type.name == type_name and root.type.many]
    if not keys or len(lists) != 1:
        return None
    found: dict[object, Record | None] = {}
    root = roots.get(lists[0])
    listed = [item for item in root.items if isinstance(item, Record)] if isinstance(root, Collection) else []
    for item in listed:
        key = item.fields.get(keys[0])
        if key is not None:
            found[key] = None if key in found else item
    singles = [name for name, single in vocabulary.roots.items() if single.type.name == type_name and not single.type.many]
    for alone in (each for name in singles if isinstance(each := roots.get(name), Record)):
        key = alone.fields.get(keys[0])
        if key is not None and key not in found:
            found[key] = alone
            listed.append(alone)
    delivered = isinstance(root, Collection) and root.state is not Completeness.ABSENT
    return _Register(lists[0], keys[0], found, frozenset(name for item in listed for name in item.fields), delivered)
