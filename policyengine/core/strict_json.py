"""The one reader of JSON evidence: strict, bounded, exact. What it refuses, no other part of the product ever sees.

Refused with line and column: duplicate keys (also when spelled with escapes), NaN and infinities, anything but UTF-8,
nesting over :data:`MAX_DEPTH`, numbers out of range, text after the document. Decimals come as ``Decimal``.
"""

from __future__ import annotations

import re
from decimal import Decimal

from policyengine.core.diagnostic import Diagnostic, Refusal

MAX_DEPTH = 200  # the limit `JSON depth`; the parser's own, named here for messages
MAX_EXPONENT = 308
MAX_DIGITS = 400
_LONG_EXPONENT = re.compile(rb"[:\[,\s]-?\d+(?:\.\d+)?[eE][+-]?\d{3}")
_MANY_DIGITS = re.compile(rb"[\d.]{309}")
_PLACE = re.compile(r"^(.*) at line (\d+) column (\d+)$", re.DOTALL)
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


_MAY_BE_HUGE = (dict, list, Decimal, int)


def load_json(raw: bytes, name: str) -> object:
    """Plain data: dict, list, str, int, Decimal, bool, None. Raises :class:`Refusal` PE401 (not JSON) or PE402 (encoding)."""
    import jiter

    if (encoding := _other_encoding(raw)) is not None:
        raise Refusal(Diagnostic("PE402", f"the file is {encoding}; only UTF-8 is read", file=name, hint="save it as UTF-8"))
    body = raw.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise Refusal(
            Diagnostic("PE401", "the file is empty", file=name, line=1, column=1, hint="a JSON document was expected")
        )
    try:
        document = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False, float_mode="decimal")
    except ValueError as problem:
        raise Refusal(_diagnostic(str(problem), name)) from None
    if _LONG_EXPONENT.search(body) or _MANY_DIGITS.search(body):
        _refuse_huge(document, name)
    return document


def _other_encoding(raw: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    if b"\x00" in raw[:4]:
        return "UTF-32" if raw[:4].count(b"\x00") == 3 else "UTF-16"
    return None


def _diagnostic(problem: str, name: str) -> Diagnostic:
    found = _PLACE.match(problem)
    what, line, column = (found[1], int(found[2]), int(found[3])) if found else (problem, 1, 1)
    hint = "one JSON document was expected"
    if what.startswith("Detected duplicate key"):
        what = f"the key {what.removeprefix('Detected duplicate key ')} is there twice"
        hint = "two readers would see two documents; keep one"
    elif what.startswith("recursion limit"):
        what, hint = f"nested deeper than the limit `JSON depth` of {MAX_DEPTH}", "flatten the document"
    elif what.startswith("number out of range"):
        what, hint = "a number with too many digits", "write it as text"
    elif what.startswith("invalid unicode"):
        what, hint = "bytes that are not UTF-8", "save the file as UTF-8"
    elif what.startswith("EOF while parsing"):
        kind = what.removeprefix("EOF while parsing ")
        what, hint = f"the JSON text ends too early, inside {kind}", "part of it may be missing; export it again"
    if not what[:2].isupper():
        what = what[:1].lower() + what[1:]
    return Diagnostic("PE401", what, file=name, line=line, column=max(column, 1), hint=hint)


def _refuse_huge(document: object, name: str) -> None:
    """Refuse numbers beyond the range and the precision that every evaluator can hold."""
    todo = [(document, "")]
    while todo:
        value, pointer = todo.pop()
        if isinstance(value, dict):
            todo += [(below, f"{pointer}/{key}") for key, below in value.items() if isinstance(below, _MAY_BE_HUGE)]
        elif isinstance(value, list):
            todo += [(below, f"{pointer}/{i}") for i, below in enumerate(value) if isinstance(below, _MAY_BE_HUGE)]
        elif isinstance(value, Decimal) and len(value.as_tuple().digits) > MAX_DIGITS:
            raise Refusal(Diagnostic("PE401", "a number with too many digits", file=name, pointer=pointer,
                                     hint=f"the limit `number digits` is {MAX_DIGITS}"))  # fmt: skip
        elif (isinstance(value, Decimal) and value and abs(value.adjusted()) > MAX_EXPONENT) or (
            isinstance(value, int) and abs(value) >= 10 ** (MAX_EXPONENT + 1)
        ):
            shown = str(value) if isinstance(value, Decimal) else f"{str(value)[:20]}.."
            raise Refusal(Diagnostic("PE401", f"the number {shown} is out of range", file=name, pointer=pointer,
                                     hint=f"the limit `number exponent` is {MAX_EXPONENT}"))  # fmt: skip
