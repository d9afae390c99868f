"""Puts the pieces of a header, a rule, a test together and refuses a clause that is written twice.

A rule with a damaged clause is still assembled from its healthy pieces, so that the checker can report more mistakes of
the same run; the diagnostic of the damage keeps such a policy from ever being used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.lang import syntax as s
from policyengine.lang.pieces import Piece, Pieces

CAPA_FIELDS = {"due in": "due_in", "group by": "group_by"}


def assembled(pieces: Pieces, source: Source, problems: list[Diagnostic]) -> s.Header | s.Rule | s.Test | None:
    """The declaration, or None if the piece that names it is missing."""
    make = {"header": _header, "rule": _rule, "test": _test}[pieces.kind]
    return make(pieces, source, problems)


def _once(items: Iterable[Any], source: Source, problems: list[Diagnostic]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    doubled: set[str] = set()
    for piece in items:
        if not isinstance(piece, Piece):
            continue
        if piece.key in doubled:
            continue
        if piece.key in found:
            doubled.add(piece.key)
            message = f"`{piece.key}` is written twice here"
            problems.append(Diagnostic.at(source, piece.key_span, "PE109", message, hint="keep one of them"))
        else:
            found[piece.key] = piece.value
    return found


def _every(items: Iterable[Any], kind: type) -> tuple[Any, ...]:
    return tuple(item for item in items if isinstance(item, kind))


def _header(pieces: Pieces, source: Source, problems: list[Diagnostic]) -> s.Header | None:
    found = _once(pieces.items, source, problems)
    if "policy" not in found:
        return None
    (name, version), (begin, end) = found["policy"], found.get("effective", (None, None))
    texts = {key: found[key].value if key in found else None for key in ("title", "owner", "purpose")}
    return s.Header(
        pieces.span, name, version, found.get("language"), texts["title"], texts["owner"], texts["purpose"], begin, end,
        found.get("time zone"),
    )  # fmt: skip


def _rule(pieces: Pieces, source: Source, problems: list[Diagnostic]) -> s.Rule | None:
    found = _once(pieces.items, source, problems)
    if "rule" not in found:
        return None
    name, title = found["rule"]
    capa = next((item for item in pieces.items if isinstance(item, Piece) and item.key == "capa"), None)
    return s.Rule(
        pieces.span, name, title, _every(pieces.items, s.Reference), found.get("severity"), found.get("because"),
        found.get("applies when"), _every(pieces.items, s.ForEach), _every(pieces.items, s.Clause),
        _capa(capa, source, problems) if capa else None, pieces.damaged,
    )  # fmt: skip


def _capa(capa: Piece, source: Source, problems: list[Diagnostic]) -> s.Capa:
    found = _once(capa.value, source, problems)
    return s.Capa(capa.span, **{CAPA_FIELDS.get(key, key): value for key, value in found.items()})


def _test(pieces: Pieces, source: Source, problems: list[Diagnostic]) -> s.Test | None:
    found = _once(pieces.items, source, problems)
    if "test" not in found:
        return None
    return s.Test(pieces.span, found["test"], _every(pieces.items, s.Given), found.get("at"), _every(pieces.items, s.Expect))


def whole(pieces: tuple[Any, ...]) -> Span:
    """From the first piece to the end of the last."""
    return Span(pieces[0].span.start, pieces[-1].span.end)
