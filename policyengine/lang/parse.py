"""Policy text to its syntax tree, with every mistake of the file reported in one run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from policyengine.core.diagnostic import Diagnostic, Source
from policyengine.lang import syntax as s
from policyengine.lang.assemble import assembled
from policyengine.lang.build import Builder
from policyengine.lang.habits import odd_wordings
from policyengine.lang.pieces import Pieces
from policyengine.lang.recover import Failure, recovered
from policyengine.lang.scan import scan

if TYPE_CHECKING:
    from lark import Lark

STARTS = [
    "policy", "declaration", "header", "header_head", "header_part", "rule_head", "rule_part", "test_head", "test_part",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """``policy`` holds every declaration that could be read, also beside errors; None if not even its name could be.

    ``damaged`` names the declarations that could not be read, so that a later pass need not call them unknown. A policy
    may be used only if no diagnostic is an error.
    """

    policy: s.Policy | None
    diagnostics: tuple[Diagnostic, ...]
    damaged: frozenset[str] = frozenset()


@functools.cache
def grammar() -> Lark:
    """The parser of ``grammar.lark``, built once in a process."""
    from importlib.resources import files

    from lark import Lark

    text = files("policyengine.lang").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        text, parser="lalr", lexer="contextual", start=STARTS, keep_all_tokens=True, maybe_placeholders=False,
        transformer=Builder(),
    )  # fmt: skip


def parse(source: Source) -> Parsed:
    """Reads one policy file. Reports every mistake it can find, in the order of the text; never raises for any text."""
    seen = scan(source)
    if seen.too_large:
        return Parsed(None, seen.problems)
    problems = [*seen.problems, *odd_wordings(source, seen.words)]
    damaged: frozenset[str] = frozenset()
    whole = _read(seen.text, "policy", 0, len(seen.text))
    if isinstance(whole, Failure):
        declarations, mistakes, damaged = recovered(source, seen, functools.partial(_read, seen.text))
        problems += mistakes
    else:
        declarations = whole
    made = [assembled(item, source, problems) if isinstance(item, Pieces) else item for item in declarations]
    problems.sort(key=lambda problem: (problem.line, problem.column))
    return Parsed(_policy(source, made), tuple(problems), damaged)


def _read(text: str, start: str, begin: int, end: int) -> Any:
    """What the grammar makes of this range of the text, or the ``Failure`` that it met."""
    from lark import TextSlice
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    try:
        return grammar().parse(cast("Any", TextSlice(text, begin, end)), start=start)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = end if ended or error.pos_in_stream is None else error.pos_in_stream
    if start == "policy":
        return Failure(at, frozenset())
    reader = grammar().parse_interactive(cast("Any", TextSlice(text, begin, at)), start=start)
    reader.exhaust_lexer()
    return Failure(at, frozenset(cast("Any", reader).accepts()))


def _policy(source: Source, declarations: Sequence[Any]) -> s.Policy | None:
    header = next((item for item in declarations if isinstance(item, s.Header)), None)
    if header is None:
        return None
    kinds: tuple[Any, ...] = (s.Use, s.Parameter, s.Table, s.Let, s.Define, s.Rule, s.Test)
    lists: list[Any] = [tuple(item for item in declarations if isinstance(item, kind)) for kind in kinds]
    return s.Policy(source, header, *lists)
