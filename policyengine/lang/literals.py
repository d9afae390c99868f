"""Literals of a policy to values of a plan; a text literal to the type of the other side."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from policyengine.core import coerce
from policyengine.core.coerce import Mismatch
from policyengine.core.diagnostic import nearest
from policyengine.core.vocabulary import FieldType
from policyengine.lang import syntax
from policyengine.lang.plan import plan_value
from policyengine.lang.stop import shortened
from policyengine.lang.types import BOOL, DATE, DECIMAL, DURATION, INT, PERIOD, TEXT, TIMESTAMP, Type, with_article

LARGEST_WHOLE_NUMBER = 2**53 - 1
LONGEST_YEARS = 1000
_LONGEST = timedelta(days=366 * LONGEST_YEARS)
_MONTHS = ("month", "year")
_KINDS_OF = {
    "bool": {"bool"}, "int": {"int"}, "decimal": {"int", "decimal", "percent"}, "date": {"date", "text"}, "timestamp": {"timestamp", "text"},
    "duration": {"duration", "text"}, "period": {"duration", "text"},
}  # fmt: skip
_WRITTEN_AS = {
    "bool": "write `true` or `false`", "int": "write a whole number", "decimal": "write a number",
    "date": "write it without quotation marks, as `2026-03-01`", "timestamp": "write it as `2026-03-01T08:00:00Z`",
    "duration": "write `30 days` or `24 hours`", "period": "write `6 months`",
}  # fmt: skip


def read_literal(literal: syntax.Literal) -> tuple[Type, object]:
    """The type and Python value of a literal. Raises ``Mismatch`` for a date that does not exist or a number out of range."""
    text = " ".join(literal.text.split()) if literal.kind != "text" else literal.text
    try:
        return _read(literal.kind, text)
    except Mismatch:
        raise
    except (ValueError, OverflowError):
        raise Mismatch("", f"`{text[:40]}` is out of range") from None


def _read(kind: str, text: str) -> tuple[Type, object]:
    match kind:
        case "text":
            return TEXT, unicodedata.normalize("NFC", text).strip()
        case "bool":
            return BOOL, text == "true"
        case "int":
            return INT, _whole_number(text)
        case "decimal":
            return DECIMAL, coerce.decimal(text)
        case "percent":
            return DECIMAL, coerce.decimal(text.removesuffix("%").strip())
        case "date":
            return DATE, coerce.calendar_date(text)
        case "timestamp":
            return TIMESTAMP, coerce.timestamp(text)
        case _:
            if text.rstrip("s").endswith(_MONTHS):
                period = coerce.period(text)
                if period.months > 12 * LONGEST_YEARS:
                    raise _too_long(text)
                return PERIOD, period
            length = coerce.duration(text)
            if length > _LONGEST:
                raise _too_long(text)
            return DURATION, length


def _too_long(text: str) -> Mismatch:
    return Mismatch("", f"`{text[:40]}` is out of range", f"the limit `length of time` is {LONGEST_YEARS} years")


def right_kind(literal: syntax.Literal, declared: FieldType) -> Mismatch | None:
    """What is wrong with a literal of this kind as a value of that type: a date for a text, a text for a number."""
    if literal.kind in _KINDS_OF.get(declared.name, {"text"}):
        return None
    found = {"text": "text", "bool": "true or false", "percent": "a percentage", "decimal": "a number", "int": "a number"}
    expected = _EXPECTED.get(declared.name) or with_article(declared.name)
    hint = _WRITTEN_AS.get(declared.name) or f'write it in quotation marks, `"{shortened(literal.text)}"`'
    return Mismatch("", f"{found.get(literal.kind) or with_article(literal.kind)} found, {expected} expected", hint)


_EXPECTED = {"bool": "true or false", "int": "a whole number", "text": "text", "enum": "text", "licences": "text",
             "decimal": "a number", "purl": "a package URL"}  # fmt: skip


def _whole_number(text: str) -> int:
    number = int(text)
    if abs(number) > LARGEST_WHOLE_NUMBER:
        raise Mismatch("", f"`{text[:40]}` is out of range", f"the largest whole number is {LARGEST_WHOLE_NUMBER}")
    return number


def text_becomes(target: Type, text: str) -> object:
    """The plan value of a text literal as a value of ``target`` (not an enum). Raises ``Mismatch`` with a hint."""
    if target.name in ("digest", "digests"):
        value = coerce.digest(text)
        return value if target.name == "digest" else [value]
    if target.name == "purl":
        return _purl(text)
    if target.name == "licences":
        return licence(text)
    if not text:
        raise Mismatch("", "an empty text is no version")
    return text


def enum_value(target: Type, text: str) -> str | None:
    """None if ``text`` is a value of the enum, else a hint."""
    if text in target.values:
        return None
    close = nearest(text, target.values)
    return f"did you mean `{close}`?" if close else f"write one of {', '.join(target.values)}"


def _purl(text: str) -> str:
    from packageurl import PackageURL

    try:
        PackageURL.from_string(text)
    except ValueError:
        raise Mismatch("", f"`{text}` is not a package URL", "write it as `pkg:npm/name@1.0.0`") from None
    return text


def purl_pattern(text: str) -> None:
    if not text.startswith(("pkg:", "*")):
        raise Mismatch("", f"`{text}` matches no package URL", "a pattern for one begins with `pkg:`, such as `pkg:npm/*`")


def licence(text: str) -> str:
    """An SPDX expression whose every id is on the SPDX list, or a ``LicenseRef-``."""
    from license_expression import ExpressionError, get_spdx_licensing

    licensing = get_spdx_licensing()
    try:
        unknown = [key for key in licensing.unknown_license_keys(text) if not key.startswith("LicenseRef-")]
    except ExpressionError:
        raise Mismatch("", f"`{text}` is not an SPDX licence expression", "write it as `MIT OR Apache-2.0`") from None
    if not text or unknown:
        close = nearest(unknown[0], map(str, licensing.known_symbols)) if unknown else None
        hint = f"did you mean `{close}`?" if close else "write an id of the SPDX list, or a `LicenseRef-` of your own"
        raise Mismatch("", f"`{unknown[0] if unknown else text}` is not an SPDX licence", hint)
    return text


def version_range(text: str) -> None:
    """Check a VERS range, such as ``vers:npm/>=1.2|<2``. Raises ``Mismatch``."""
    from univers.version_range import VersionRange

    try:
        VersionRange.from_string(text)  # type: ignore[no-untyped-call]
    except Exception:
        raise Mismatch("", f"`{text}` is not a VERS range", "write it as `vers:npm/>=1.2.0|<2.0.0`") from None


def raw_value(value: syntax.Value) -> object:
    """Plain data as ``core.coerce.Reader`` takes it: text for dates, times and lengths; ``Decimal`` for fractions."""
    if isinstance(value, syntax.ListLiteral):
        return [raw_value(item) for item in value.items]
    if isinstance(value, syntax.RecordLiteral):
        return {name.text: raw_value(each) for name, each in value.pairs}
    _, read = read_literal(value)
    if value.kind in ("date", "timestamp"):
        return plan_value(read)
    if value.kind == "duration":
        return " ".join(value.text.split())
    return read
