"""Who may sign what: the trust file of a site. Everything that is not in it is not trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policyengine.core.canonical import digest_of, sha256_of
from policyengine.core.coerce import Mismatch, timestamp
from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.core.strict_json import load_json
from policyengine.core.strict_yaml import load_yaml
from policyengine.signing.keys import key_id_of, load_public

_KEYS = ("sigstore", "signers", "builders", "thresholds")
_SIGNER_KEYS = ("name", "key", "identity", "identity_pattern", "issuer", "kind", "person_id", "roles", "predicate_types", "valid_from",
                "valid_until")  # fmt: skip
_BUILDER_KEYS = ("id", "level", "signers")
PROVENANCE = ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2")
MAX_LEVEL = 4
_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
# One or more characters inside one step of a path: it never reaches into another repository, branch folder or domain.
_ANY = r"[^/@\s\x00-\x1f\x7f]+"
_ANCHORED = re.compile(r"[a-z][a-z0-9+.-]*://[^/*]+/.*|[^/@]*@[^/@*]+")


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
        """Identity and issuer compare exactly; a pattern is anchored, and its ``*`` crosses neither ``/`` nor ``@``."""
        if not self.issuer or issuer != self.issuer:
            return False
        if self.identity_pattern:
            parts = (re.escape(part) for part in self.identity_pattern.split("*"))
            return re.fullmatch(_ANY.join(parts), identity) is not None
        return bool(identity) and identity == self.identity

    @property
    def owner(self) -> str:
        """Whom a threshold counts: two keys of one person are one, whatever the case of the person's id."""
        return f"person {self.person_id.casefold()}" if self.person_id else f"signer {self.name}"


@dataclass(frozen=True, slots=True)
class TrustedBuilder:
    """A builder id, the SLSA build level that the site grants it, and the signers whose word for that id counts."""

    id: str
    level: int
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """``thresholds`` maps a predicate type to the distinct signers it needs. ``digest`` covers every file that was read."""

    digest: str
    signers: tuple[TrustedSigner, ...] = ()
    builders: tuple[TrustedBuilder, ...] = ()
    thresholds: Mapping[str, int] | None = None
    sigstore_root: bytes | None = None

    @property
    def root_digest(self) -> str | None:
        return sha256_of(self.sigstore_root) if self.sigstore_root is not None else None

    def threshold(self, predicate_type: str) -> int:
        return (self.thresholds or {}).get(predicate_type, 1)

    def builder_levels(self, signers: Iterable[TrustedSigner]) -> Mapping[str, int]:
        """Builder ids and levels that these signers can vouch for."""
        names = {signer.name for signer in signers}
        return {builder.id: builder.level for builder in self.builders if names & set(builder.signers)}

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
        root = self._root(data.get("sigstore"))
        signers = tuple(
            s for i, each in enumerate(self._list(data, "signers")) if (s := self._signer(each, f"/signers/{i}")) is not None
        )
        self._each_once(signers)
        listed = self._tied(data, signers) if isinstance(data.get("builders"), dict) else self._list(data, "builders")
        builders = tuple(
            b
            for i, each in enumerate(listed)
            if (b := self._builder(each, f"/builders/{i}", {signer.name for signer in signers})) is not None
        )
        if len({builder.id for builder in builders}) != len(builders):
            self._wrong("/builders", "one builder id is there twice", "keep one of them")
        thresholds = self._thresholds(data, signers)
        digest = digest_of({"trust": _plain(data), "files": self.read_digests})
        return Trust(digest, signers, builders, thresholds, root)

    def _root(self, raw: object) -> bytes | None:
        if raw is None:
            return None
        path = raw.get("trusted_root") if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or set(raw) - {"trusted_root"} or not isinstance(path, str) or not path:
            self._wrong("/sigstore", "`sigstore` has one setting, `trusted_root`", "write `sigstore: {trusted_root: FILE}`")
            return None
        root = self._file(path, "/sigstore/trusted_root")
        if root is None:
            return None
        try:
            document = load_json(root, path)
        except Refusal as refusal:
            self.problems += refusal.diagnostics
            return None
        if not isinstance(document, dict) or document.get("mediaType") != _ROOT_TYPE:
            self._wrong(
                "/sigstore/trusted_root", f"`{path}` is not a Sigstore trusted root", f"its `mediaType` is `{_ROOT_TYPE}`"
            )
        return root

    def _each_once(self, signers: tuple[TrustedSigner, ...]) -> None:
        """A key or an identity under two names could be counted as two signers."""
        for what, values in (("name", [s.name for s in signers]), ("key", [s.key_id for s in signers if s.key_id]),
                             ("identity", [(s.identity or s.identity_pattern, s.issuer) for s in signers if s.issuer])):  # fmt: skip
            if len(set(values)) != len(values):
                self._wrong("/signers", f"two signers have one {what}", f"each {what} belongs to one signer")

    def _signer(self, raw: object, at: str) -> TrustedSigner | None:
        if not isinstance(raw, dict):
            self._wrong(at, "a signer is a mapping", f"keys: {', '.join(_SIGNER_KEYS)}")
            return None
        before = len(self.problems)
        self._known(raw, _SIGNER_KEYS, at)
        said = {key: self._text(raw, key, at) for key in ("name", "key", "identity", "identity_pattern", "issuer", "person_id")}
        known_by = [key for key in ("key", "identity", "identity_pattern") if key in raw]
        if not said["name"] and "name" not in raw:
            self._wrong(at, "a signer has a `name`", "the name stands in decisions and reports")
        if len(known_by) != 1:
            found = f"`{'` and `'.join(known_by)}` found" if known_by else "none found"
            self._wrong(
                at,
                f"a signer is known by a key or by an identity, one of them; {found}",
                "`key: FILE`, or `identity:` and `issuer:`",
            )
        elif known_by == ["key"] and "issuer" in raw:
            self._wrong(f"{at}/issuer", "a key has no issuer", "an issuer belongs to an `identity`")
        elif known_by != ["key"] and "issuer" not in raw:
            self._wrong(at, "an identity without its issuer proves nothing", "write `issuer: https://...`")
        self._pattern(said["identity"], said["identity_pattern"], at)
        kind = raw.get("kind", "service")
        if kind not in ("person", "service"):
            self._wrong(f"{at}/kind", f"`{kind}` is not a kind of signer", "write `person` or `service`")
        if (kind == "person") != ("person_id" in raw):
            self._wrong(at, "a person has a `person_id`, and nobody else has", "write `kind: person` and `person_id: P-0001`")
        predicates = self._texts(raw, "predicate_types", at)
        if not predicates:
            self._wrong(at, "`predicate_types` says what this signer may sign", 'list the types, or write ["*"]')
        roles = self._texts(raw, "roles", at)
        begin, until = self._time(raw, "valid_from", at), self._time(raw, "valid_until", at)
        if begin and until and begin >= until:
            self._wrong(f"{at}/valid_until", "`valid_until` is not after `valid_from`", "the signer would never be valid")
        pem, key_id = self._key(said["key"], at)
        if len(self.problems) > before:
            return None
        return TrustedSigner(said["name"], str(kind), predicates, pem, key_id, said["identity"], said["identity_pattern"],
                             said["issuer"], said["person_id"], roles, begin, until)  # fmt: skip

    def _pattern(self, identity: str, pattern: str, at: str) -> None:
        if "*" in identity:
            self._wrong(f"{at}/identity", "an identity is exact; `*` has no meaning in it", "write it as `identity_pattern`")
        if pattern and "*" not in pattern:
            self._wrong(f"{at}/identity_pattern", "the pattern has no `*`", "write it as `identity`")
        elif pattern and not _ANCHORED.fullmatch(pattern):
            self._wrong(f"{at}/identity_pattern", f"`{pattern}` leaves the host or the domain open",
                        "`https://host/..*..`, or `*@domain`")  # fmt: skip

    def _key(self, path: str, at: str) -> tuple[bytes | None, str]:
        pem = self._file(path, f"{at}/key") if path else None
        if pem is None:
            return None, ""
        try:
            return pem, key_id_of(load_public(pem, path))
        except Refusal as refusal:
            self.problems += refusal.diagnostics
            return None, ""

    def _tied(self, data: Mapping[str, Any], signers: tuple[TrustedSigner, ...]) -> list[object]:
        """The short form, id to level: it says enough only where one signer alone can sign provenance."""
        able = [s.name for s in signers if any(s.may_sign(kind) for kind in PROVENANCE)]
        if len(able) != 1 and not self.problems:
            self._wrong("/builders", f"{len(able)} signers may sign provenance; whose word counts for a builder is not said",
                        "write `- {id: .., level: .., signers: [..]}` for each")  # fmt: skip
        return [
            {"id": builder, "level": level, "signers": able} for builder, level in data["builders"].items() if len(able) == 1
        ]

    def _builder(self, raw: object, at: str, names: set[str]) -> TrustedBuilder | None:
        if not isinstance(raw, dict):
            self._wrong(at, "a builder is a mapping", f"keys: {', '.join(_BUILDER_KEYS)}")
            return None
        before = len(self.problems)
        self._known(raw, _BUILDER_KEYS, at)
        builder, level, signers = self._text(raw, "id", at), raw.get("level"), self._texts(raw, "signers", at)
        if not builder:
            self._wrong(at, "a builder has an `id`", "as it stands in its provenance")
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= MAX_LEVEL:
            self._wrong(f"{at}/level", "`level` is the SLSA build level", f"a number from 0 to {MAX_LEVEL}")
        if not signers:
            self._wrong(at, "a builder needs the `signers` whose provenance counts for it", "list their names")
        for name in signers:
            if name not in names:
                close = nearest(name, names)
                self._wrong(
                    f"{at}/signers", f"there is no signer `{name}`", f"did you mean `{close}`?" if close else "name one above"
                )
        if len(self.problems) > before or not isinstance(level, int):
            return None
        return TrustedBuilder(builder, level, signers)

    def _thresholds(self, data: Mapping[str, Any], signers: tuple[TrustedSigner, ...]) -> dict[str, int]:
        raw = data.get("thresholds") or {}
        if not isinstance(raw, dict):
            self._wrong(
                "/thresholds", "`thresholds` maps a predicate type to a number", 'write `thresholds: {"https://..": 2}`'
            )
            return {}
        for kind, needed in raw.items():
            at = f"/thresholds/{kind}"
            if isinstance(needed, bool) or not isinstance(needed, int) or needed < 1:
                self._wrong(at, "a threshold is a number of signers", "write 1 or more")
            elif not self.problems and needed > (have := len({s.owner for s in signers if s.may_sign(kind)})):
                self._wrong(at, f"{needed} signers are needed and {have} may sign it", "name more signers for it")
        return dict(raw)

    def _text(self, raw: Mapping[str, Any], key: str, at: str) -> str:
        """Text as it stands, "" where the key is not there."""
        value = raw.get(key, "")
        if key in raw and (not isinstance(value, str) or not value or value != value.strip() or not value.isprintable()):
            self._wrong(f"{at}/{key}", f"`{key}` is not plain text", "one line, no blanks around it, numbers in quotes")
            return ""
        return str(value)

    def _texts(self, raw: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
        value = raw.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value):
            return tuple(dict.fromkeys(value))
        self._wrong(f"{at}/{key}", f"`{key}` is a list of texts", f"write `{key}: [..]`")
        return ()

    def _list(self, data: Mapping[str, Any], key: str) -> list[object]:
        raw = data.get(key) or []
        if isinstance(raw, list):
            return raw
        self._wrong(f"/{key}", f"`{key}` is a list", "write one `- name: ..` for each")
        return []

    def _time(self, raw: Mapping[str, Any], key: str, at: str) -> datetime | None:
        if key not in raw:
            return None
        try:
            return timestamp(raw[key])
        except Mismatch as problem:
            self._wrong(f"{at}/{key}", problem.message, problem.hint)
            return None

    def _file(self, path: str, at: str) -> bytes | None:
        try:
            content = self.read(path)
        except (OSError, ValueError) as problem:
            why = (problem.strerror if isinstance(problem, OSError) else None) or "no such file"
            self._wrong(at, f"`{path}` cannot be read: {why.lower()}", "name it relative to the trust file")
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
