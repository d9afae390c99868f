"""Who may sign what: the trust file of a site. Everything that is not in it is not trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policyengine.core.canonical import digest_of, sha256_of
from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.strict_yaml import load_yaml
from policyengine.signing.keys import key_id_of, load_public

_KEYS = ("sigstore", "signers", "builders", "thresholds")
_SIGNER_KEYS = ("name", "key", "identity", "identity_pattern", "issuer", "kind", "person_id", "roles", "predicate_types", "valid_from",
                "valid_until")  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrustedSigner:
    """One key, or one certificate identity with its issuer (both exact, or an anchored pattern where written as one).

    ``predicate_types`` are exact; ``"*"`` allows any. ``kind`` is person or service; a person has a ``person_id``.
    """

    name: str
    kind: str
    predicate_types: tuple[str, ...]
    public_pem: bytes | None = None
    key_id: str = ""
    identity: str = ""
    identity_pattern: str = ""
    issuer: str = ""
    person_id: str = ""
    roles: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def may_sign(self, predicate_type: str) -> bool:
        return "*" in self.predicate_types or predicate_type in self.predicate_types

    def valid_at(self, moment: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )

    def has_identity(self, identity: str, issuer: str) -> bool:
        """Identity and issuer compare exactly; a pattern is anchored, and its ``*`` crosses no line end."""
        if not self.issuer or issuer != self.issuer:
            return False
        if self.identity_pattern:
            parts = (re.escape(part) for part in self.identity_pattern.split("*"))
            return re.fullmatch(r"[^\s]*".join(parts), identity) is not None
        return identity == self.identity


@dataclass(frozen=True, slots=True)
class Trust:
    """``builders`` maps a builder id to its SLSA level; ``thresholds`` a predicate type to the distinct signers it needs."""

    digest: str
    signers: tuple[TrustedSigner, ...] = ()
    builders: Mapping[str, int] | None = None
    thresholds: Mapping[str, int] | None = None
    sigstore_root: bytes | None = None

    @property
    def root_digest(self) -> str | None:
        return sha256_of(self.sigstore_root) if self.sigstore_root is not None else None

    def threshold(self, predicate_type: str) -> int:
        return (self.thresholds or {}).get(predicate_type, 1)

    @property
    def keys(self) -> tuple[TrustedSigner, ...]:
        return tuple(signer for signer in self.signers if signer.public_pem is not None)


def load_trust(raw: bytes, name: str, read: Callable[[str], bytes]) -> Trust:
    """The trust file. ``read`` gives the bytes of a file that it names, relative to it. All problems at once (PE610)."""
    data = load_yaml(raw, name)
    reader = _Reader(name, read)
    trust = reader.trust(data)
    if reader.problems:
        raise Refusal(*reader.problems)
    return trust


def key_trust(public_pem: bytes, name: str = "the given key") -> Trust:
    """Trust in one key for everything: what ``verify --key`` uses."""
    key_id = key_id_of(load_public(public_pem, name))
    signer = TrustedSigner(f"key {key_id[:16]}", "service", ("*",), public_pem, key_id)
    return Trust(digest_of({"key": key_id}), (signer,))


class _Reader:
    def __init__(self, name: str, read: Callable[[str], bytes]) -> None:
        self.name, self.read = name, read
        self.problems: list[Diagnostic] = []
        self.read_digests: list[str] = []

    def trust(self, data: object) -> Trust:
        if not isinstance(data, dict):
            raise Refusal(Diagnostic("PE610", "a trust file is a mapping", file=self.name, hint=f"keys: {', '.join(_KEYS)}"))
        self._known(data, _KEYS, "")
        root = None
        sigstore = data.get("sigstore") or {}
        if not isinstance(sigstore, dict) or set(sigstore) - {"trusted_root"}:
            self._wrong("/sigstore", "`sigstore` has one setting, `trusted_root`", "write `sigstore: {trusted_root: FILE}`")
        elif sigstore.get("trusted_root"):
            root = self._file(str(sigstore["trusted_root"]), "/sigstore/trusted_root")
        signers = tuple(
            s for i, each in enumerate(self._list(data, "signers")) if (s := self._signer(each, f"/signers/{i}")) is not None
        )
        names = [signer.name for signer in signers]
        if len(set(names)) != len(names):
            self._wrong("/signers", "two signers have one name", "give each signer its own name")
        builders, thresholds = self._numbers(data, "builders", 0, 4), self._numbers(data, "thresholds", 1, 32)
        digest = digest_of({"trust": _plain(data), "files": self.read_digests})
        return Trust(digest, signers, builders, thresholds, root)

    def _signer(self, raw: object, at: str) -> TrustedSigner | None:
        if not isinstance(raw, dict):
            self._wrong(at, "a signer is a mapping", f"keys: {', '.join(_SIGNER_KEYS)}")
            return None
        self._known(raw, _SIGNER_KEYS, at)
        before = len(self.problems)
        by_key, by_identity = raw.get("key"), raw.get("identity") or raw.get("identity_pattern")
        if bool(by_key) == bool(by_identity):
            self._wrong(
                at,
                "a signer is known by a key or by an identity, one of them",
                "write `key: FILE`, or `identity:` and `issuer:`",
            )
        if by_identity and not raw.get("issuer"):
            self._wrong(at, "an identity without its issuer proves nothing", "write `issuer: https://...`")
        if raw.get("identity") and raw.get("identity_pattern"):
            self._wrong(at, "an identity is exact or a pattern, not both", "keep one")
        kind = raw.get("kind", "service")
        if kind not in ("person", "service"):
            self._wrong(f"{at}/kind", f"`{kind}` is not a kind of signer", "write `person` or `service`")
        if kind == "person" and not raw.get("person_id"):
            self._wrong(at, "a person needs a `person_id`", "write `person_id: P-0001`")
        predicates = raw.get("predicate_types")
        if not isinstance(predicates, list) or not predicates or not all(isinstance(p, str) for p in predicates):
            self._wrong(at, "`predicate_types` says what this signer may sign", 'list the types, or write ["*"]')
            predicates = []
        pem, key_id = None, ""
        if by_key and (pem := self._file(str(by_key), f"{at}/key")) is not None:
            try:
                key_id = key_id_of(load_public(pem, str(by_key)))
            except Refusal as refusal:
                self.problems += refusal.diagnostics
        begin, until = self._time(raw, "valid_from", at), self._time(raw, "valid_until", at)
        if len(self.problems) > before:
            return None
        return TrustedSigner(str(raw.get("name") or by_key or by_identity), str(kind), tuple(predicates), pem, key_id, str(raw.get("identity") or ""),
                             str(raw.get("identity_pattern") or ""), str(raw.get("issuer") or ""), str(raw.get("person_id") or ""),
                             tuple(str(r) for r in raw.get("roles") or ()), begin, until)  # fmt: skip

    def _numbers(self, data: Mapping[str, Any], key: str, low: int, high: int) -> dict[str, int]:
        raw = data.get(key) or {}
        if isinstance(raw, dict) and all(
            isinstance(v, int) and not isinstance(v, bool) and low <= v <= high for v in raw.values()
        ):
            return dict(raw)
        self._wrong(
            f"/{key}", f"`{key}` maps a name to a number from {low} to {high}", f'write `{key}: {{"https://..": {low}}}`'
        )
        return {}

    def _list(self, data: Mapping[str, Any], key: str) -> list[object]:
        raw = data.get(key) or []
        if isinstance(raw, list):
            return raw
        self._wrong(f"/{key}", f"`{key}` is a list", "write one `- name: ..` for each")
        return []

    def _time(self, raw: Mapping[str, Any], key: str, at: str) -> datetime | None:
        if raw.get(key) is None:
            return None
        try:
            return timestamp(raw[key])
        except Mismatch as problem:
            self._wrong(f"{at}/{key}", problem.message, problem.hint)
            return None

    def _file(self, path: str, at: str) -> bytes | None:
        try:
            content = self.read(path)
        except OSError as problem:
            self._wrong(at, f"`{path}` cannot be read: {problem.strerror}", "name it relative to the trust file")
            return None
        self.read_digests.append(sha256_of(content))
        return content

    def _known(self, raw: Mapping[str, Any], keys: tuple[str, ...], at: str) -> None:
        for key in raw:
            if key not in keys:
                close = nearest(str(key), keys)
                self._wrong(
                    f"{at}/{key}",
                    f"there is no setting `{key}`",
                    f"did you mean `{close}`?" if close else f"keys: {', '.join(keys)}",
                )

    def _wrong(self, pointer: str, message: str, hint: str) -> None:
        self.problems.append(Diagnostic("PE610", message, file=self.name, pointer=pointer, hint=hint))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | bool) else str(value)
