"""How values relate: digests, versions, package URLs, licences, text patterns, and the dependency graph (4.4).

Whatever cannot be compared is unknown with the cause *not comparable*; nothing here raises for odd evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from policyengine.core.digests import same_content
from policyengine.core.model import Collection, Completeness, Record, Version
from policyengine.core.outcome import CauseKind, Truth, Unknown, all_of, any_of, unknown

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
}

# Libraries compare versions by recursion; nobody's version is that long.
MAX_VERSION = 500


def incomparable(left: object, right: object) -> Unknown:
    return unknown(CauseKind.NOT_COMPARABLE, f"{left} and {right}")


def same_artifact(left: Iterable[str], right: Iterable[str]) -> Truth:
    """True if a common strong algorithm agrees and no common algorithm disagrees, false if one disagrees, else unknown."""
    said = same_content(left, right)
    if said is None:
        return unknown(CauseKind.NOT_COMPARABLE, "no strong digest algorithm in common that both state once")
    return said


def compare_versions(cmp: str, left: Version, right: Version) -> Truth:
    """In the scheme of the purl type that one side states; dotted numbers where neither does."""
    scheme = left.scheme or right.scheme
    if left.scheme and right.scheme and left.scheme != right.scheme:
        return incomparable(f"{left.scheme} {left.text}", f"{right.scheme} {right.text}")
    if left.text == right.text:
        return cmp in ("eq", "le", "ge")
    first, second = _parsed_version(scheme, left.text), _parsed_version(scheme, right.text)
    if first is None or second is None:
        return incomparable(left.text, right.text)
    try:
        return ORDER[cmp](first, second)
    except (ValueError, TypeError):
        return incomparable(left.text, right.text)


@lru_cache(maxsize=4096)
def _parsed_version(scheme: str, text: str) -> Any:
    if len(text) > MAX_VERSION:
        return None
    if not scheme:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,9}", text):
            return None
        numbers = [int(part) for part in text.split(".")]
        while numbers and numbers[-1] == 0:
            numbers.pop()
        return numbers
    from univers.nuget import InvalidNuGetVersion
    from univers.version_range import RANGE_CLASS_BY_SCHEMES
    from univers.versions import InvalidVersion

    known = RANGE_CLASS_BY_SCHEMES.get(scheme)
    if known is None:
        return _parsed_version("", text)
    try:
        return known.version_class(text)  # type: ignore[misc]
    except (InvalidVersion, InvalidNuGetVersion, ValueError, TypeError, AttributeError):
        return None


def version_in_range(version: Version, vers: str) -> Truth:
    """Whether a version lies in a VERS range (``vers:npm/>=1.2|<2``) of its own scheme."""
    scheme = vers.removeprefix("vers:").partition("/")[0]
    if version.scheme and version.scheme != scheme:
        return incomparable(f"{version.scheme} {version.text}", vers)
    parsed = _parsed_version(scheme, version.text)
    limits = _parsed_range(vers)
    if parsed is None or limits is None:
        return incomparable(version.text, vers)
    try:
        return bool(parsed in limits)
    except (ValueError, TypeError):
        return incomparable(version.text, vers)


@lru_cache(maxsize=256)
def _parsed_range(vers: str) -> Any:
    from univers.version_range import VersionRange

    try:
        return VersionRange.from_string(vers)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def text_matches(text: str, pattern: str, single: str = "?") -> bool:
    """``*`` stands for any text, ``single`` for any one character; everything else is itself. Linear in practice, no regex."""
    at = spot = 0
    star, resume = -1, 0
    while at < len(text):
        if spot < len(pattern) and pattern[spot] == "*":
            star, resume = spot, at
            spot += 1
        elif spot < len(pattern) and (pattern[spot] == text[at] or (single and pattern[spot] == single)):
            at += 1
            spot += 1
        elif star >= 0:
            spot, resume = star + 1, resume + 1
            at = resume
        else:
            return False
    return all(c == "*" for c in pattern[spot:])


def purl_matches(purl: str, pattern: str) -> Truth:
    """A normalised package URL against a pattern with ``*``; qualifiers and subpath count only if the pattern has them."""
    from packageurl import PackageURL

    try:
        parsed = PackageURL.from_string(purl)
    except ValueError:
        return incomparable(purl, pattern)
    if "?" not in pattern and "#" not in pattern:
        parsed = parsed._replace(qualifiers={}, subpath=None)
    return text_matches(parsed.to_string(), pattern, single="")


def licences_allowed(expression: str, allowed: frozenset[str]) -> Truth:
    """Whether an SPDX licence expression can be met with the listed ids only (an exception counts with its licence)."""
    folded = frozenset(each.casefold() for each in allowed)
    if re.fullmatch(r"[A-Za-z0-9.+-]+", expression):
        return expression.casefold() in folded
    from license_expression import ExpressionError, LicenseSymbol, LicenseWithExceptionSymbol, Licensing

    def met(node: Any) -> bool:
        if isinstance(node, LicenseSymbol | LicenseWithExceptionSymbol):
            return node.render("{symbol.key}").casefold() in folded
        combine = all if type(node).__name__ == "AND" else any
        return combine(met(each) for each in node.args)

    try:
        return met(Licensing().parse(expression, validate=False, simple=True))
    except (ExpressionError, AttributeError, TypeError, RecursionError):
        return unknown(CauseKind.NOT_COMPARABLE, f"the licence expression {expression}")


class Graph:
    """The dependency graph of one document. A node without an entry has unknown dependencies; an empty entry has none."""

    def __init__(self, sbom: object) -> None:
        self._edges: dict[str, tuple[str, ...]] = {}
        self._named: set[str] = set()
        self._met: dict[str, set[str]] = {}
        self.origin = sbom.origin if isinstance(sbom, Record) else None
        self.hole: Unknown | None = unknown(CauseKind.ABSENT, "sbom.dependencies", self.origin)
        rows = sbom.fields.get("dependencies") if isinstance(sbom, Record) else None
        if isinstance(rows, Collection) and rows.state is not Completeness.ABSENT:
            self.hole = None
            if rows.state is Completeness.INCOMPLETE:
                self.hole = unknown(CauseKind.INCOMPLETE, "sbom.dependencies", rows.origin)
            for row in rows.items:
                self._add(row)

    def _add(self, row: object) -> None:
        if not isinstance(row, Record):
            return
        ref, below = row.fields.get("ref"), row.fields.get("depends_on")
        if isinstance(ref, str) and isinstance(below, tuple):
            self._edges[ref] = (*self._edges.get(ref, ()), *below)
            self._named.update((ref, *below))

    def reaches(self, component: object, origin: object, direct: bool) -> Truth:
        """Whether ``component`` is reachable from (or a direct dependency of) ``origin``; both are component records."""
        ends = [self._ref(component), self._ref(origin)]
        doubts = [e for e in ends if isinstance(e, Unknown)]
        if doubts:
            return any_of(doubts)
        target, start = str(ends[0]), str(ends[1])
        if direct:
            if target in self._edges.get(start, ()):
                return True
            if self.hole is not None:
                return self.hole
            return False if start in self._edges else self._silent(start)
        met = self._reachable(start)
        if target in met:
            return True
        silent = sorted(node for node in met if node not in self._edges)
        if self.hole is not None:
            return self.hole
        if silent:
            return self._silent(silent[0])
        return False if target in self._named else self._silent(target)

    def _ref(self, component: object) -> str | Unknown:
        if isinstance(component, Unknown):
            return component
        if not isinstance(component, Record) or not isinstance(component.fields.get("bom_ref"), str):
            return unknown(CauseKind.MISSING_FIELD, "bom_ref", getattr(component, "origin", None))
        if self.origin and component.origin and component.origin.name != self.origin.name:
            return unknown(CauseKind.NOT_COMPARABLE, "a component of another document", component.origin)
        return str(component.fields["bom_ref"])

    def _silent(self, ref: str) -> Unknown:
        return unknown(CauseKind.INCOMPLETE, f"the dependencies of {ref} are not stated", self.origin)

    def _reachable(self, start: str) -> set[str]:
        if start not in self._met:
            met, todo = {start}, [start]
            while todo:
                fresh = [n for n in self._edges.get(todo.pop(), ()) if n not in met]
                met.update(fresh)
                todo += fresh
            self._met[start] = met
        return self._met[start]


__all__ = ["ORDER", "Graph", "all_of", "compare_versions", "incomparable", "licences_allowed", "purl_matches", "same_artifact",
           "text_matches", "version_in_range"]  # fmt: skip
