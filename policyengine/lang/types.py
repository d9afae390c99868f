"""The type rules: what compares, orders, adds and matches (language standard 4.4). Tables and pure functions only.

There is no coercion. A text literal becomes another type only where the other side has it; see ``literals``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from policyengine.core.vocabulary import FieldType

PAIR = "pair of "


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an expression: the vocabulary's word, or ``count``, ``share``, ``pair of T``, ``error``.

    ``many`` makes it a collection of that type. ``values``, ``ordered`` and ``open`` belong to ``enum``.
    ``error`` stands for what was already reported and fits everywhere, so that one mistake gives one diagnostic.
    """

    name: str
    many: bool = False
    values: tuple[str, ...] = ()
    ordered: bool = False
    open: bool = False

    @property
    def member(self) -> Type:
        return replace(self, many=False)

    @property
    def collection(self) -> Type:
        return replace(self, many=True)


ERROR = Type("error")
BOOL, TEXT, INT, DECIMAL = Type("bool"), Type("text"), Type("int"), Type("decimal")
DATE, TIMESTAMP, DURATION, PERIOD = Type("date"), Type("timestamp"), Type("duration"), Type("period")
COUNT, SHARE = Type("count"), Type("share")

NUMBERS = frozenset({"int", "decimal", "count", "share"})
MOMENTS = frozenset({"date", "timestamp"})
SPANS = frozenset({"duration", "period"})
SCALARS = frozenset("bool text int decimal date timestamp duration period version purl licences digest digests enum".split())
PARAMETER_TYPES = SCALARS - {"enum", "digests"}
BECOMES_FROM_TEXT = frozenset({"version", "purl", "licences", "digest", "digests", "enum"})

WORDS_FOR_TIMES = {"at least": "on or after", "at most": "on or before", "more than": "after", "less than": "before"}
WORDS_FOR_OTHERS = {times: others for others, times in WORDS_FOR_TIMES.items()}
COMPARE = {
    "is": "eq", "is not": "ne", "less than": "lt", "before": "lt", "at most": "le", "on or before": "le",
    "more than": "gt", "after": "gt", "at least": "ge", "on or after": "ge",
}  # fmt: skip
_ORDERED_KINDS = frozenset({"number", "date", "timestamp", "duration", "period", "version"})


def of_field(field: FieldType) -> Type:
    return Type(field.name, field.many, field.values, field.ordered, field.open)


def is_record(type_: Type) -> bool:
    return type_.name not in SCALARS | {"error", "count", "share"} and not type_.name.startswith(PAIR)


def compare_kind(left: Type, right: Type) -> str | None:
    """The ``kind`` of a comparison for equality between two single values, or None where the types never compare."""
    if left.many or right.many:
        return None
    if left.name in NUMBERS and right.name in NUMBERS:
        return "number"
    if left.name != right.name or left.name.startswith(PAIR) or left.name == "digests":
        return None
    if left.name == "enum":
        return "enum" if set(left.values) & set(right.values) else None
    return "record" if is_record(left) else left.name


def has_order(kind: str, left: Type, right: Type) -> bool:
    """Whether ``is more than`` and its like have a meaning: numbers, times, lengths, versions, one and the same ordered enum."""
    if kind == "enum":
        return left.ordered and left.values == right.values
    return kind in _ORDERED_KINDS


def sum_type(operator: str, left: Type, right: Type) -> Type | None:
    """The type of ``left + right`` or ``left - right``, or None where it has no meaning."""
    if left.many or right.many:
        return None
    names = (left.name, right.name)
    if set(names) <= {"int", "decimal"}:
        return INT if names == ("int", "int") else DECIMAL
    if names in (("duration", "duration"), ("period", "period")):
        return left
    if names in (("date", "duration"), ("date", "period"), ("timestamp", "duration")):
        return left
    if operator == "+" and names in (("duration", "date"), ("period", "date"), ("duration", "timestamp")):
        return right
    if operator == "-" and names in (("date", "date"), ("timestamp", "timestamp")):
        return DURATION
    return None


def described(type_: Type) -> str:
    """As a message says it: ``a timestamp``, ``a list of text``, ``one of low, medium, high``."""
    if type_.many:
        return f"a list of {type_.name}"
    if type_.name == "bool":
        return "true or false"
    if type_.name == "enum":
        return f"one of {', '.join(type_.values[:6])}{', ..' if len(type_.values) > 6 else ''}"
    if type_.name in ("text", "digests", "licences"):
        return type_.name
    return with_article(type_.name)


def with_article(noun: str) -> str:
    vowel = noun[:1] in "aeio" or (noun[:1] == "u" and noun != "use")
    return f"{'an' if vowel else 'a'} {noun.replace('_', ' ')}"
