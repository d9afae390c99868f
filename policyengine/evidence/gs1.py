"""GS1 keys out of EPC URNs and GS1 Digital Links: GTIN with serial, SSCC, GLN. What cannot be told is None, never guessed.

Sources: GS1 EPC Tag Data Standard (pure identity URNs), GS1 Digital Link URI syntax, GS1 General Specifications (check digit).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_URN = re.compile(r"urn:epc:id:([a-z]+):([^:]+)")
_SERIAL = re.compile(r"[0-9A-Za-z]{1,20}")


@dataclass(frozen=True, slots=True)
class ItemId:
    """A serialised trade item. ``gtin_valid`` is False where length or check digit is wrong; then ``gtin`` is as given."""

    gtin: str
    gtin_valid: bool
    serial: str
    serial_valid: bool


def check_digit(digits: str) -> str:
    """The modulo-10 check digit of GS1 keys, from the digits before it."""
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def item_id(epc: str) -> ItemId | None:
    """GTIN and serial of ``urn:epc:id:sgtin:0614141.107346.2017`` or ``https://id.gs1.org/01/../21/..``; None for other keys."""
    urn = _URN.fullmatch(epc)
    if urn and urn[1] == "sgtin":
        prefix, _, rest = urn[2].partition(".")
        reference, _, serial = rest.partition(".")
        body = reference[:1] + prefix + reference[1:]
        good = bool(re.fullmatch(r"[0-9]{13}", body)) and 6 <= len(prefix) <= 12
        serial = unquote(serial)
        return ItemId(body + check_digit(body) if good else body, good, serial, bool(_SERIAL.fullmatch(serial)))
    keys = _link(epc)
    if "01" not in keys or "21" not in keys:
        return None
    gtin, serial = keys["01"].zfill(14), keys["21"]
    good = bool(re.fullmatch(r"[0-9]{14}", gtin)) and check_digit(gtin[:-1]) == gtin[-1]
    return ItemId(gtin, good, serial, bool(_SERIAL.fullmatch(serial)))


def is_item(epc: str) -> bool:
    return item_id(epc) is not None


def gln(party: str) -> str | None:
    """The GLN of a party or location: ``urn:epc:id:pgln:``, ``urn:epc:id:sgln:``, a Digital Link with AI 414 or 417, 13 digits."""
    urn = _URN.fullmatch(party)
    if urn and urn[1] in ("pgln", "sgln"):
        parts = urn[2].split(".")
        body = "".join(parts[:2])
        return body + check_digit(body) if re.fullmatch(r"[0-9]{12}", body) else None
    keys = _link(party)
    found = keys.get("417") or keys.get("414") or party
    return found if re.fullmatch(r"[0-9]{13}", found) and check_digit(found[:-1]) == found[-1] else None


def _link(uri: str) -> dict[str, str]:
    """Application identifiers of a Digital Link with their values; the domain and what stands before the first do not matter."""
    if not uri.startswith(("https://", "http://")):
        return {}
    parts = uri.partition("?")[0].split("/")[3:]
    start = next((i for i, part in enumerate(parts) if part in ("00", "01", "414", "417")), len(parts))
    run = parts[start:]
    return {key: unquote(value) for key, value in zip(run[::2], run[1::2], strict=False)}
