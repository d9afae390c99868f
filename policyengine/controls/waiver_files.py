"""Waiver files: YAML inside a DSSE envelope. Verify, then parse; what does not verify is ignored and reported.

A file that is no waiver at all stops the run (exit 2): not readable, an unknown or misspelt key, a value of the wrong kind. A
waiver that reads well and can never apply (no expiry, a naive time, a wildcard) is kept with its fault, so that it is reported.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from policyengine.controls.person import Person
from policyengine.controls.waivers import PAYLOAD_TYPE, WAIVABLE, LoadedWaiver, Waiver
from policyengine.core.canonical import sha256_of
from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.strict_yaml import load_yaml
from policyengine.signing.verify import State, Verification

NEEDED_TEXTS = ("system", "reason", "risk_assessment", "compensating_controls", "requested_by", "approved_by")
TEXTS = ("id", "rule", "policy", "capa_ref", *NEEDED_TEXTS)
LISTS = ("policy_versions", "subjects", "outcomes")
TIMES = ("approved_at", "expires_at", "valid_from")
KEYS = (*TEXTS, *LISTS, *TIMES)
NOT_SIGNED = "it is not signed"


def load_waivers(files: Iterable[tuple[str, bytes]], verify: Callable[[bytes], Verification]) -> tuple[LoadedWaiver, ...]:
    """All waivers of (file name, bytes), by name; the same bytes under two names count once.

    ``verify`` judges an envelope, such as ``verify_dsse(parse_envelope(raw, name), trust, at)``. Raises :class:`Refusal` with the
    problems of every file that is no waiver (PE820, or what the readers say).
    """
    loaded: dict[str, LoadedWaiver] = {}
    problems: list[Diagnostic] = []
    for name, raw in sorted(files):
        try:
            waiver = _load(name, raw, verify)
        except Refusal as refusal:
            problems.extend(refusal.diagnostics)
        else:
            loaded.setdefault(waiver.digest, waiver)
    if problems:
        raise Refusal(*problems)
    return tuple(loaded.values())


def _load(name: str, raw: bytes, verify: Callable[[bytes], Verification]) -> LoadedWaiver:
    digest = sha256_of(raw)
    if not raw.lstrip().startswith(b"{"):
        return LoadedWaiver(name, digest, waiver_from(load_yaml(raw, name), name), problem=NOT_SIGNED)
    try:
        found = verify(raw)
    except Refusal as refusal:
        if any(each.code != "PE603" for each in refusal.diagnostics):
            raise
        return LoadedWaiver(name, digest, None, problem=refusal.diagnostics[0].message)
    if found.state is not State.VALID or found.payload is None:
        return LoadedWaiver(name, digest, None, found.claimed or None, problem=f"its signature is not accepted: {found.reason}")
    if found.payload_type != PAYLOAD_TYPE:
        return LoadedWaiver(name, digest, None, problem=f"its payload is `{found.payload_type}`, not a waiver")
    allowed = [signer for signer in found.signers if signer.entry.may_sign(PAYLOAD_TYPE)]
    people = tuple(
        Person(s.entry.person_id, s.entry.name, s.entry.roles, (s.entry.key_id or s.entry.identity,)) for s in allowed
    )
    signer = ", ".join(each.entry.name for each in found.signers)
    problem = "" if people else f"{signer} may not sign waivers: its trust entry does not list `{PAYLOAD_TYPE}`"
    return LoadedWaiver(name, digest, waiver_from(load_yaml(found.payload, name), name), signer, people, problem)


def waiver_from(data: object, file: str) -> Waiver:
    """A waiver from plain data. Raises :class:`Refusal` (PE820) for what is no waiver; the rest becomes ``faults``."""
    if not isinstance(data, Mapping):
        raise Refusal(Diagnostic("PE820", "a waiver is a mapping of its fields", file=file, hint=f"fields: {', '.join(KEYS)}"))
    problems = [_unknown(str(key), file) for key in data if key not in KEYS]
    texts = {key: _text(data.get(key), key, file, problems) for key in TEXTS}
    lists = {key: _list(data.get(key), key, file, problems) for key in LISTS}
    problems += [
        Diagnostic("PE820", f"the waiver has no `{key}`", file=file, pointer=f"/{key}")
        for key in ("id", "rule")
        if not texts[key] and isinstance(data.get(key), str | None)
    ]
    if problems:
        raise Refusal(*problems)
    faults = [f"it has no `{key}`" for key in (*NEEDED_TEXTS, *LISTS) if not (texts.get(key) or lists.get(key))]
    faults += [
        f"subject `{subject}` holds a wildcard; name each subject exactly" for subject in lists["subjects"] if "*" in subject
    ]
    faults += [f"`{outcome}` cannot be waived" for outcome in lists["outcomes"] if outcome not in WAIVABLE]
    faults += [
        f"`{key}` holds a hidden character" for key in ("id", "rule", "requested_by", "approved_by") if _hidden(texts[key])
    ]
    times = {key: _time(data.get(key), key, faults, needed=key != "valid_from") for key in TIMES}
    return Waiver(**texts, **lists, **times, faults=tuple(faults))  # type: ignore[arg-type]


def _unknown(key: str, file: str) -> Diagnostic:
    close = nearest(key, KEYS)
    hint = f"did you mean `{close}`?" if close else f"fields: {', '.join(KEYS)}"
    return Diagnostic("PE820", f"there is no field `{key}` in a waiver", file=file, pointer=f"/{key}", hint=hint)


def _text(value: object, key: str, file: str, problems: list[Diagnostic]) -> str:
    if key == "compensating_controls" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(each.strip() for each in value)
    if value is None or isinstance(value, str):
        return unicodedata.normalize("NFC", value or "").strip()
    problems.append(Diagnostic("PE820", f"`{key}` is not a text", file=file, pointer=f"/{key}", hint="put it in quotes"))
    return ""


def _list(value: object, key: str, file: str, problems: list[Diagnostic]) -> tuple[str, ...]:
    """Entries as written: a subject is compared exactly with its key, so nothing is trimmed."""
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(dict.fromkeys(value))
    problems.append(
        Diagnostic(
            "PE820", f"`{key}` is not a list of texts", file=file, pointer=f"/{key}", hint=f'write `{key}: ["..", ".."]`'
        )
    )
    return ()


def _time(value: object, key: str, faults: list[str], needed: bool) -> datetime | None:
    if value is None:
        if needed:
            faults.append("it has no expiry" if key == "expires_at" else f"it has no `{key}`")
        return None
    try:
        return timestamp(value)
    except Mismatch as mismatch:
        faults.append(f"`{key}`: {mismatch.message}")
        return None


def _hidden(text: str) -> bool:
    return any(unicodedata.category(character)[0] == "C" for character in text)
