"""Plain data (from JSON, YAML, CSV or a test literal) to typed values of the vocabulary.

Nothing is invented: what is absent, null or blank is not recorded. Text is trimmed and NFC. What cannot be a value of the
type is a :class:`Mismatch` with a JSON pointer, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from policyengine.core.diagnostic import nearest
from policyengine.core.digests import STRONG_DIGESTS as STRONG_DIGESTS
from policyengine.core.digests import WEAK_DIGESTS as WEAK_DIGESTS
from policyengine.core.digests import algorithm_named, stated_twice
from policyengine.core.model import Collection, Completeness, Origin, Period, Record, Version
from policyengine.core.vocabulary import FieldType, Vocabulary

MOST_DIGITS = 40
_DURATION = re.compile(r"(\d+) *(second|minute|hour|day|week|month|year)s?")
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


# Letters that are drawn as nothing, beside those that Unicode calls control and format characters.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")


class Mismatch(ValueError):
    """A value that is not of its type: JSON pointer below the record, what was found, what was expected, a hint."""

    def __init__(self, pointer: str, message: str, hint: str = "") -> None:
        super().__init__(f"{pointer}: {message}" if pointer else message)
        self.pointer, self.message, self.hint = pointer, message, hint


class Reader:
    """Coerces values against one vocabulary. ``strict`` demands full-length digests (tests of policies may shorten them)."""

    def __init__(self, vocabulary: Vocabulary, strict: bool = True) -> None:
        self.vocabulary = vocabulary
        self.strict = strict

    def record(self, type_name: str, raw: object, origin: Origin | None = None, pointer: str = "") -> Record:
        """A record of the named type from a mapping. Unknown keys are refused with the nearest known name."""
        if not isinstance(raw, Mapping):
            raise Mismatch(pointer, f"{_kind(raw)} found, a {type_name} expected")
        declared = self.vocabulary.types[type_name].fields
        fields: dict[str, object] = {}
        for name, value in raw.items():
            below = f"{pointer}/{name}"
            field = declared.get(name)
            if field is None:
                close = nearest(str(name), declared)
                raise Mismatch(below, f"there is no field `{name}` in a {type_name}",
                               f"did you mean `{close}`?" if close else f"fields: {', '.join(declared)}")  # fmt: skip
            typed = self.value(field, value, origin, below)
            if typed is not None:
                fields[name] = typed
        return Record(type_name, fields, origin)

    def value(self, field: FieldType, raw: object, origin: Origin | None = None, pointer: str = "") -> object:
        """A typed value, or None where nothing is recorded."""
        if raw is None:
            return None
        if field.many:
            if not isinstance(raw, list | tuple):
                raise Mismatch(pointer, f"{_kind(raw)} found, a list expected")
            one = FieldType(field.name)
            items = [self.value(one, each, origin, f"{pointer}/{i}") for i, each in enumerate(raw)]
            if any(item is None for item in items):
                raise Mismatch(f"{pointer}/{items.index(None)}", "an entry of a list is empty")
            scalars = [item for item in items if not isinstance(item, Record)]
            if len(set(scalars)) != len(scalars):
                raise Mismatch(pointer, "an entry of the list is there twice")
            return tuple(items)
        if field.name == "enum":
            text = _text(raw, pointer)
            if text is None or text in field.values or field.open:
                return text
            close = nearest(text, field.values)
            raise Mismatch(pointer, f"`{text}` is not one of {', '.join(field.values)}",
                           f"did you mean `{close}`?" if close else "")  # fmt: skip
        if field.is_record:
            return self.record(field.name, raw, origin, pointer)
        if isinstance(raw, str) and not raw.strip():
            return None
        if field.name == "digests":
            return self._digests(raw, pointer)
        if field.name == "digest":
            return digest(_required_text(raw, pointer), pointer, self.strict)
        try:
            return _READERS[field.name](raw, pointer)
        except Mismatch:
            raise
        except (ValueError, OverflowError):
            raise Mismatch(pointer, f"this {field.name} is out of range") from None

    def collection(self, field: FieldType, raw: object, origin: Origin | None = None,
                   state: Completeness = Completeness.NOT_STATED) -> Collection:  # fmt: skip
        """A root collection from a list of mappings; each row gets the pointer of its index."""
        if not isinstance(raw, list | tuple):
            raise Mismatch("", f"{_kind(raw)} found, a list expected")
        name = origin.name if origin else ""
        items = tuple(self.value(FieldType(field.name), each, Origin(name, f"/{i}"), f"/{i}") for i, each in enumerate(raw))
        return Collection(items, state, origin=origin)

    def _digests(self, raw: object, pointer: str) -> tuple[str, ...] | None:
        if isinstance(raw, Mapping):
            raw = [f"{algorithm}:{content}" for algorithm, content in raw.items()]
        if isinstance(raw, str):
            raw = [raw]
        if not isinstance(raw, list | tuple):
            raise Mismatch(pointer, f"{_kind(raw)} found, a list of digests expected")
        digests = tuple(sorted({digest(_required_text(d, pointer), pointer, self.strict) for d in raw}))
        twice = stated_twice(digests)
        if twice:
            raise Mismatch(pointer, f"two different {twice} digests found", "one artifact has one digest of an algorithm")
        return digests or None


def digest(text: str, pointer: str = "", strict: bool = True) -> str:
    """``alg:hex`` in lower case. In strict mode a known algorithm must have its own length of hex digits."""
    name, colon, content = text.partition(":")
    content = content.lower()
    if not colon or not re.fullmatch(r"[0-9A-Za-z_.-]+", name):
        raise Mismatch(pointer, f"`{text}` is not a digest", "write `sha256:` and 64 hex digits")
    algorithm = algorithm_named(name)
    if algorithm is None:
        raise Mismatch(pointer, f"there is no digest algorithm `{name}`", "write `sha256:` and 64 hex digits")
    length = STRONG_DIGESTS.get(algorithm) or WEAK_DIGESTS.get(algorithm)
    if strict and length is not None and not re.fullmatch(f"[0-9a-f]{{{length}}}", content):
        raise Mismatch(pointer, f"`{text}` is not a {algorithm} digest", f"{algorithm} has {length} hex digits")
    return f"{algorithm}:{content}"


def timestamp(raw: object, pointer: str = "") -> datetime:
    """An instant in UTC from RFC 3339 text with an offset."""
    if isinstance(raw, datetime):
        if raw.tzinfo is None:
            raise Mismatch(pointer, f"`{raw.isoformat()}` has no offset", "add `Z` or an offset such as `+02:00`")
        return raw.astimezone(UTC)
    text = _required_text(raw, pointer)
    if not _TIMESTAMP.fullmatch(text):
        hint = "an instant needs date, time and offset, such as `2026-03-01T08:00:00Z`"
        raise Mismatch(pointer, f"`{text}` is not an RFC 3339 time with an offset", hint)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Mismatch(pointer, f"`{text}` is not a time that exists") from None


def calendar_date(raw: object, pointer: str = "") -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    text = _required_text(raw, pointer)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Mismatch(pointer, f"`{text}` is not a date", "write it as `2026-03-01`")


def duration(raw: object, pointer: str = "") -> timedelta:
    """An exact length from ``24 hours``, ISO 8601 ``PT24H`` (days and smaller), or a number of seconds."""
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        return timedelta(seconds=float(raw))
    text = _required_text(raw, pointer)
    if (found := _DURATION.fullmatch(text)) and found[2] in _SECONDS:
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    if (iso := _ISO_DURATION.fullmatch(text)) and any(iso.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    raise Mismatch(pointer, f"`{text}` is not a duration", "write `24 hours`, `30 days` or `PT24H`")


def period(raw: object, pointer: str = "") -> Period:
    text = _required_text(raw, pointer)
    found = _DURATION.fullmatch(text)
    if found and found[2] in ("month", "year"):
        return Period(int(found[1]) * (12 if found[2] == "year" else 1))
    raise Mismatch(pointer, f"`{text}` is not a period", "write `6 months` or `3 years`")


def decimal(raw: object, pointer: str = "") -> Decimal:
    if isinstance(raw, int | Decimal | str) and not isinstance(raw, bool):
        try:
            number = Decimal(raw.strip() if isinstance(raw, str) else raw)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            if number.adjusted() > MOST_DIGITS or -int(number.as_tuple().exponent) > MOST_DIGITS:
                raise Mismatch(pointer, f"a number with more than {MOST_DIGITS} digits before or after its point")
            return number
    raise Mismatch(pointer, f"{_kind(raw)} `{raw}` found, a finite number expected")


def _integer(raw: object, pointer: str) -> int:
    number = decimal(raw, pointer)
    if number != number.to_integral_value():
        raise Mismatch(pointer, f"`{raw}` found, a whole number expected")
    return int(number)


def _boolean(raw: object, pointer: str) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("true", "false"):
        return raw.strip().lower() == "true"
    raise Mismatch(pointer, f"{_kind(raw)} `{raw}` found, true or false expected")


def _version(raw: object, pointer: str) -> Version:
    return raw if isinstance(raw, Version) else Version(_required_text(raw, pointer))


def _text(raw: object, pointer: str) -> str | None:
    if not isinstance(raw, str):
        raise Mismatch(pointer, f"{_kind(raw)} found, text expected")
    return unicodedata.normalize("NFC", raw).strip() or None


def hidden(text: str) -> str:
    """The first character that makes two names differ and look the same; "" where there is none. Tabs and line ends are seen."""
    if text.isascii() and text.isprintable():
        return ""
    return next((each for each in text if _unseen(each) and each not in "\t\n\r"), "")


def _unseen(character: str) -> bool:
    code = ord(character)
    selects = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return selects or character in _BLANK_LETTERS or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _required_text(raw: object, pointer: str) -> str:
    text = _text(raw, pointer)
    if text is None:
        raise Mismatch(pointer, "an empty text found")
    return text


def _kind(raw: object) -> str:
    kinds = {bool: "true or false", str: "text", int: "a number", Decimal: "a number", list: "a list", tuple: "a list"}
    if raw is None:
        return "null"
    return kinds.get(type(raw), "an object" if isinstance(raw, Mapping) else "a value of another kind")


_READERS: Mapping[str, Callable[[object, str], object]] = {
    "bool": _boolean,
    "text": _text,
    "int": _integer,
    "decimal": decimal,
    "date": calendar_date,
    "timestamp": timestamp,
    "duration": duration,
    "period": period,
    "version": _version,
    "purl": _required_text,
    "licences": _required_text,
}
