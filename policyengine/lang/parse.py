"""Policy text to its syntax tree, with every mistake of the file reported in one run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from policyengine.core.diagnostic import Diagnostic, Source, Span
from policyengine.lang import syntax as s
from policyengine.lang.assemble import assembled
from policyengine.lang.build import Builder, Pieces

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
    from lark.exceptions import UnexpectedInput

    problems: list[Diagnostic] = []
    try:
        declarations = cast("Sequence[Any]", grammar().parse(source.text, start="policy"))
    except UnexpectedInput as error:
        at = min(error.pos_in_stream or 0, len(source.text))
        return Parsed(None, (Diagnostic.at(source, Span(at, at + 1), "PE101", "this does not belong here"),))
    made = [assembled(item, source, problems) if isinstance(item, Pieces) else item for item in declarations]
    return Parsed(_policy(source, made), tuple(problems))


def _policy(source: Source, declarations: Sequence[Any]) -> s.Policy | None:
    header = next((item for item in declarations if isinstance(item, s.Header)), None)
    if header is None:
        return None
    kinds: tuple[Any, ...] = (s.Use, s.Parameter, s.Table, s.Let, s.Define, s.Rule, s.Test)
    lists: list[Any] = [tuple(item for item in declarations if isinstance(item, kind)) for kind in kinds]
    return s.Policy(source, header, *lists)
