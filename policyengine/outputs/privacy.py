"""What evidence may carry into a draft: ids and names, never secrets or other personal data.

A draft is copied into another system and read by many. The evidence itself stays where it is, named by digest and pointer.
All patterns are linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

WITHHELD = "[withheld, see the evidence]"
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{20,}"
    r"|\bgithub_pat_[0-9A-Za-z_]{20,}"
    r"|\bglpat-[0-9A-Za-z_-]{20,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}"
    r"|\beyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*"
    r"|\b[Bb]earer [0-9A-Za-z._~+/=-]{12,}"
    r"|://[^\s/:@]{1,64}:[^\s/@]{1,128}@"
    r"|\b(?:password|passwd|pwd|secret|token|api[_-]?key)\b[\"']? ?[=:] ?\S+",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[0-9A-Za-z._%+-]{1,64}@[A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z-]{1,63}){0,4}\.[A-Za-z]{2,24}\b")
_PRIVATE_WORDS = frozenset(
    "password passwd secret token credential pin birth birthday birthdate phone mobile telephone address street email mail "
    "salary ssn passport nationality gender religion photo fingerprint biometric patient diagnosis".split()
)
_ID_WORDS = frozenset("id ids user person signer account name by".split())


def without_secrets(text: str) -> str:
    """For keys and group values: an address that names an account stays, a secret does not."""
    return _SECRET.sub(WITHHELD, text)


class Discretion:
    """Withholds within one finding. An e-mail address stays where it is the recorded user id or subject, and nowhere else."""

    def __init__(self, finding: Mapping[str, Any]) -> None:
        values = finding.get("values") or {}
        named = [str(value) for path, value in values.items() if value and _words(path)[-1:] and _words(path)[-1] in _ID_WORDS]
        self._identifiers = {mail for text in [*named, str(finding["subject"])] for mail in _MAIL.findall(text)}

    def text(self, text: str) -> str:
        return _MAIL.sub(self._mail, without_secrets(text))

    def value(self, path: str, value: str | None) -> str | None:
        if value is None:
            return None
        words = _words(path.rpartition(".")[2])
        if words and words[-1] not in _ID_WORDS and _PRIVATE_WORDS & set(words):
            return WITHHELD
        return self.text(value)

    def _mail(self, found: re.Match[str]) -> str:
        return found[0] if found[0] in self._identifiers else WITHHELD


def _words(path: str) -> list[str]:
    # `path (2)` is the second value that was read at one path.
    path = re.sub(r" \(\d+\)$", "", path)
    return [word for word in re.split(r"[^0-9a-z]+", path.casefold()) if word]
