"""References between records: a field whose type is a record is set from the key beside it (``change_id`` -> ``change``).

One match sets the field; none or several leave it unrecorded, so a broken join is unknown and never a pass or a fail. An
actor known by account is completed from ``accounts``, a record known by id from ``records``. Linear in the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from policyengine.core.model import Collection, Record
from policyengine.core.vocabulary import Vocabulary

Warn = Callable[[Record, str], None]

# What a record is now says nothing of what it was when the event happened, so these are never filled in.
STATE_OF_NOW = frozenset({"version", "digest", "final"})
# An actor whose evidence disagrees about who it is is nobody in particular.
IDENTIFYING = ("person_id", "kind")


def resolve(roots: Mapping[str, Record | Collection], vocabulary: Vocabulary, warn: Warn) -> dict[str, Record | Collection]:
    """The roots with their references set. Records without any are the same objects as before.

    ``warn`` gets a record and one phrase for each contradiction between an actor and its account.
    """
    resolver = _Resolver(roots, vocabulary, warn)
    return {name: resolver.anything(root, vocabulary.roots[name].type.name) for name, root in roots.items()}


class _Resolver:
    def __init__(self, roots: Mapping[str, Record | Collection], vocabulary: Vocabulary, warn: Warn) -> None:
        self.vocabulary, self.warn = vocabulary, warn
        self.done: dict[int, Record] = {}
        self.under_way: set[int] = set()
        self.targets = {t: _by_key(roots, t, vocabulary) for t in self._linked_types()}
        self.accounts = _by_key(roots, "account", vocabulary)
        self.records = _by_key(roots, "record", vocabulary)
        self.links = {t: self._links_of(t) for t in vocabulary.types}
        self.worth = self._types_worth_a_look()

    def _linked_types(self) -> set[str]:
        return {f.name for t in self.vocabulary.types.values() for f in t.fields.values() if f.is_record and not f.many}

    def _links_of(self, type_name: str) -> list[tuple[str, str, Mapping[object, Record | None]]]:
        """Field, the field beside it that holds the key, and the records by key."""
        fields = self.vocabulary.types[type_name].fields
        links: list[tuple[str, str, Mapping[object, Record | None]]] = []
        for name, field in fields.items():
            if not field.is_record or field.many or not self.targets.get(field.name):
                continue
            keys = self.vocabulary.types[field.name].key_fields
            if keys and f"{name}_{keys[0]}" in fields:
                links.append((name, f"{name}_{keys[0]}", self.targets[field.name]))
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
            after = self.below(value, record)
            if after is not value:
                changed[name] = after
        for name, key, targets in self.links[record.type]:
            wanted = record.fields.get(key)
            target = targets.get(wanted) if name not in record.fields and wanted is not None else None
            if target is not None:
                changed[name] = self.record(target)
        self.under_way.discard(id(record))
        after = replace(record, fields={**record.fields, **changed}) if changed else record
        self.done[id(record)] = after
        return after

    def below(self, value: object, holder: Record) -> object:
        if isinstance(value, Record):
            if value.type == "actor":
                return self.actor(value, holder)
            if value.type == "record" and value.fields.keys() <= {"id"}:
                return self.filled(value)
            return self.record(value)
        if isinstance(value, Collection):
            return self.collection(value)
        return self.items(value) if isinstance(value, tuple) else value

    def filled(self, value: Record) -> Record:
        row = self.records.get(value.fields.get("id"))
        if row is None:
            return value
        return replace(value, fields={name: v for name, v in row.fields.items() if name not in STATE_OF_NOW})

    def actor(self, actor: Record, holder: Record) -> Record:
        account = self.accounts.get(actor.fields.get("user_id"))
        if account is None:
            return actor
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
                user = fields["user_id"]
                said = f"`{fields.pop(name)}` in the row, `{value}` in accounts"
                self.warn(holder, f"`{name}` of `{user}` is {said}: taken as not recorded")
        return replace(actor, fields=fields) if fields != actor.fields else actor


def _by_key(roots: Mapping[str, Record | Collection], type_name: str, vocabulary: Vocabulary) -> dict[object, Record | None]:
    """Records of one type by their first key field; None where several share a key. Empty where two lists are of the type."""
    keys = vocabulary.types[type_name].key_fields
    lists = [name for name, root in vocabulary.roots.items() if root.type.name == type_name and root.type.many]
    if not keys or len(lists) != 1:
        return {}
    found: dict[object, Record | None] = {}
    root = roots.get(lists[0])
    for item in root.items if isinstance(root, Collection) else ():
        key = item.fields.get(keys[0]) if isinstance(item, Record) else None
        if key is not None and isinstance(item, Record):
            found[key] = None if key in found else item
    for name, single in vocabulary.roots.items():
        alone = roots.get(name)
        if single.type.name == type_name and not single.type.many and isinstance(alone, Record):
            key = alone.fields.get(keys[0])
            if key is not None and key not in found:
                found[key] = alone
    return found
