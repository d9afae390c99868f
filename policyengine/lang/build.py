"""From what the grammar recognised to the nodes of the syntax tree, bottom up, with exact spans.

One method for each production of ``grammar.lark``, called by the parser with the tokens and nodes of that production, all
of them kept. Nothing here recurses, so a deep text costs no stack. Productions whose clauses may be written once only
(header, rule, capa, test) come out as pieces; ``assemble`` puts them together and finds the doubles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from policyengine.core.diagnostic import Span
from policyengine.lang import syntax as s

Children = list[Any]

ORDER_WORDS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
LITERAL_KINDS = {
    "STRING": "text", "INT": "int", "DECIMAL": "decimal", "PERCENT": "percent", "DURATION": "duration", "BOOL": "bool",
    "DATE": "date", "TIMESTAMP": "timestamp",
}  # fmt: skip
ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class Parenthesised:
    """A condition with its parentheses; lives only until the node around it is built."""

    span: Span
    inner: Any


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause of a header, rule, capa or test: the word that opens it, where that stands, and what it says."""

    span: Span
    key: str
    key_span: Span
    value: Any


@dataclass(frozen=True, slots=True)
class Pieces:
    """A declaration made of pieces. ``kind``: header, rule, test. ``damaged`` where some of them could not be read."""

    span: Span
    kind: str
    items: tuple[Any, ...]
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """What a test says about the completeness of a given list."""

    span: Span
    incomplete: bool
    covers_from: s.Literal | None
    covers_until: s.Literal | None


def words(text: str) -> str:
    """White space folded to one space."""
    return " ".join(text.split())


def unescaped(token_text: str) -> str:
    return re.sub(r"\\.", lambda match: ESCAPES.get(match[0], match[0]), token_text[1:-1])


def folded(token_text: str) -> str:
    """A long text: lines joined by one space, an empty line kept as the end of a paragraph."""
    paragraphs = re.split(r"\n[ \t\r]*\n", token_text[3:-3])
    return "\n\n".join(filter(None, map(words, paragraphs)))


def _is_token(child: Any) -> bool:
    return hasattr(child, "start_pos")


def _span_of(child: Any) -> Span:
    span: Span = Span(child.start_pos, child.end_pos) if _is_token(child) else child.span
    return span


def _span(children: Children) -> Span:
    return Span(_span_of(children[0]).start, _span_of(children[-1]).end)


def _open(child: Any) -> Any:
    return child.inner if isinstance(child, Parenthesised) else child


def _nodes(children: Children) -> list[Any]:
    return [_open(child) for child in children if not _is_token(child)]


def _tokens(children: Children, *kinds: str) -> list[Any]:
    return [child for child in children if _is_token(child) and (not kinds or child.type in kinds)]


def _after(children: Children, kind: str) -> Any:
    """What follows the token of this kind, or None if there is no such token."""
    for index, child in enumerate(children):
        if _is_token(child) and child.type == kind:
            return _open(children[index + 1])
    return None


def _name(token: Any) -> s.Name:
    return s.Name(_span_of(token), str(token))


def _text(token: Any) -> s.Text:
    return s.Text(_span_of(token), unescaped(token))


def _piece(children: Children, value: Any, key: str = "") -> Piece:
    return Piece(_span(children), key or str(children[0]), _span_of(children[0]), value)


class Builder:
    """The callbacks of the parser; the names are those of ``grammar.lark``."""

    # -- header and shared definitions

    def policy(self, children: Children) -> Children:
        return children

    def header(self, children: Children) -> Pieces:
        return Pieces(_span(children), "header", tuple(children))

    def header_head(self, children: Children) -> Piece:
        return _piece(children, (_name(children[1]), str(children[3])))

    def header_part(self, children: Children) -> Piece:
        key = str(children[0])
        if key == "effective":
            dates = [s.Literal(_span_of(token), "date", str(token)) for token in _tokens(children, "DATE")]
            return _piece(children, (dates[0], dates[1] if len(dates) > 1 else None))
        if key == "time":
            return _piece(children, _text(children[2]), "time zone")
        if key == "language":
            return _piece(children, str(children[1]))
        return _piece(children, children[1] if key == "purpose" else _text(children[1]))

    def use(self, children: Children) -> s.Use:
        alias = _after(children, "AS")
        return s.Use(_span(children), _name(children[1]), str(children[3]), _name(alias) if alias is not None else None)

    def parameter(self, children: Children) -> s.Parameter:
        rest = children[6:]
        return s.Parameter(
            _span(children), _name(children[1]), children[3], children[5], _one(rest, s.Allowed), _one(rest, s.Text)
        )

    def table(self, children: Children) -> s.Table:
        rest = children[8:]
        return s.Table(
            _span(children),
            _name(children[1]),
            children[3],
            children[5],
            children[7],
            _one(rest, s.Allowed),
            _one(rest, s.Text),
        )

    def table_key(self, children: Children) -> s.Path:
        return self.path(children)

    def allowed_range(self, children: Children) -> s.Allowed:
        return s.Allowed(_span(children), children[1], children[3], None)

    def allowed_values(self, children: Children) -> s.Allowed:
        return s.Allowed(_span(children), None, None, children[1])

    def type(self, children: Children) -> s.TypeName:
        return s.TypeName(_span(children), str(children[-1]), len(children) > 1)

    def let(self, children: Children) -> s.Let:
        return s.Let(_span(children), _name(children[1]), _open(children[3]))

    def define(self, children: Children) -> s.Define:
        parameters = tuple(child for child in children if isinstance(child, tuple))
        return s.Define(_span(children), _name(children[1]), parameters, _open(children[-1]))

    def param(self, children: Children) -> tuple[s.Name, s.Name]:
        return _name(children[0]), _name(children[2])

    # -- rules

    def rule(self, children: Children) -> Pieces:
        return Pieces(_span(children), "rule", tuple(children))

    def rule_head(self, children: Children) -> Piece:
        return _piece(children, (_name(children[1]), _text(children[2])))

    def rule_part(self, children: Children) -> Children:
        return children

    def reference(self, children: Children) -> s.Reference:
        controls = tuple(map(_text, _tokens(children, "STRING")))
        return s.Reference(_span(children), str(children[0]), _name(children[1]), controls)

    def severity(self, children: Children) -> Piece:
        return _piece(children, _name(children[1]))

    def because(self, children: Children) -> Piece:
        return _piece(children, children[1])

    def applies(self, children: Children) -> Piece:
        return _piece(children, _open(children[2]), "applies when")

    def for_each(self, children: Children) -> s.ForEach:
        result = _after(children, "IF_NONE")
        return s.ForEach(
            _span(children),
            _name(children[1]),
            _open(children[3]),
            _after(children, "WHERE"),
            words(result) if result else None,
        )

    def demand(self, children: Children) -> s.Clause:
        unknown_fails = bool(_tokens(children, "IF_UNKNOWN"))
        return s.Clause(_span(children), str(children[0]), _open(children[1]), unknown_fails, _after(children, "MESSAGE"), None)

    def reservation(self, children: Children) -> s.Clause:
        return s.Clause(_span(children), str(children[0]), _open(children[2]), False, None, children[4])

    def capa(self, children: Children) -> Piece:
        return _piece(children, tuple(children[1:]))

    def capa_text(self, children: Children) -> Piece:
        return _piece(children, _text(children[1]) if _is_token(children[1]) else children[1])

    def capa_due(self, children: Children) -> Piece:
        return _piece(children, self.literal(children[2:]), "due in")

    def capa_group(self, children: Children) -> Piece:
        return _piece(children, tuple(_nodes(children)), "group by")

    # -- tests

    def test(self, children: Children) -> Pieces:
        return Pieces(_span(children), "test", tuple(children))

    def test_head(self, children: Children) -> Piece:
        return _piece(children, _text(children[1]))

    def test_part(self, children: Children) -> Children:
        return children

    def moment_of_test(self, children: Children) -> Piece:
        return _piece(children, children[1])

    def given_value(self, children: Children) -> s.Given:
        extent = children[4] if len(children) > 4 else Extent(Span(0, 0), False, None, None)
        return s.Given(_span(children), children[1], children[3], extent.incomplete, extent.covers_from, extent.covers_until)

    def given_file(self, children: Children) -> s.Given:
        return s.Given(_span(children), children[1], None, file=_text(children[3]))

    def incomplete(self, children: Children) -> Extent:
        return Extent(_span(children), True, None, None)

    def covering(self, children: Children) -> Extent:
        return Extent(_span(children), False, children[1], children[3])

    def expect(self, children: Children) -> s.Expect:
        return s.Expect(_span(children), _name(children[1]), words(children[2]), _after(children, "FOR"))

    def record(self, children: Children) -> s.RecordLiteral:
        return s.RecordLiteral(_span(children), tuple(child for child in children if isinstance(child, tuple)))

    def pair(self, children: Children) -> tuple[s.Name, s.Value]:
        key = children[0]
        name = s.Name(_span_of(key), unescaped(key)) if key.type == "STRING" else _name(key)
        return name, children[2]

    # -- conditions

    def ands(self, children: Children) -> s.And:
        return s.And(_span(children), tuple(_nodes(children)))

    def ors(self, children: Children) -> s.Or:
        return s.Or(_span(children), tuple(_nodes(children)))

    def some_or_no(self, children: Children) -> s.Quantified:
        return s.Quantified(
            _span(children), str(children[0]), _name(children[1]), _open(children[3]), _after(children, "WHERE"), False, None
        )

    def every_or_latest(self, children: Children) -> s.Quantified:
        return s.Quantified(
            _span(children), words(children[0]), _name(children[1]), _open(children[3]), _after(children, "WHERE"),
            bool(_tokens(children, "IF_ANY")), _after(children, "SATISFIES"),
        )  # fmt: skip

    def adjacent(self, children: Children) -> s.Adjacent:
        direction = words(children[1]).removeprefix("is ")
        variable, collection = _after(children, "BY"), _after(children, "IN")
        return s.Adjacent(
            _span(children), _open(children[0]), direction, _after(children, "WITHIN"), _name(variable), collection,
            _after(children, "WHERE"),
        )  # fmt: skip

    def if_then(self, children: Children) -> s.If:
        return s.If(_span(children), _open(children[1]), _open(children[3]))

    def negation(self, children: Children) -> s.Not:
        return s.Not(_span(children), _open(children[1]))

    def order(self, children: Children) -> s.Comparison:
        operator = words(children[1])
        return self._comparison(children, ORDER_WORDS.get(operator, operator.removeprefix("is ")), ignoring_case=False)

    def equality(self, children: Children) -> s.Comparison:
        operator = "is not" if children[1].type == "IS_NOT" else "is"
        return self._comparison(children, operator, ignoring_case=len(children) > 3)

    def _comparison(self, children: Children, operator: str, *, ignoring_case: bool) -> s.Comparison:
        left, right = _open(children[0]), _open(children[2])
        return s.Comparison(_span(children), operator, left, right, ignoring_case, _span_of(children[1]))

    def one_of(self, children: Children) -> s.OneOf:
        negated = children[1].type == "IS_NOT_ONE_OF"
        return s.OneOf(_span(children), _open(children[0]), _open(children[2]), negated, len(children) > 3)

    def recorded(self, children: Children) -> s.Recorded:
        return s.Recorded(_span(children), _open(children[0]), children[1].type == "IS_NOT_RECORDED")

    def contains(self, children: Children) -> s.Contains:
        return s.Contains(_span(children), _open(children[0]), _open(children[2]))

    def matches(self, children: Children) -> s.Matches:
        return s.Matches(_span(children), _open(children[0]), _open(children[2]))

    def in_force(self, children: Children) -> s.InForce:
        return s.InForce(_span(children), _open(children[0]), _open(children[2]))

    def deadline(self, children: Children) -> s.Deadline:
        return s.Deadline(_span(children), _open(children[0]), children[2], _open(children[4]))

    def within(self, children: Children) -> s.Within:
        return s.Within(_span(children), _open(children[0]), children[2], str(children[3]), _open(children[4]))

    def reachable(self, children: Children) -> s.Reachable:
        direct = children[1].type == "IS_DIRECT_DEP_OF"
        return s.Reachable(_span(children), _open(children[0]), _open(children[2]), direct)

    def recur(self, children: Children) -> s.Recur:
        return s.Recur(_span(children), _open(children[0]), children[2], _open(children[4]), _open(children[6]))

    def no_gap(self, children: Children) -> s.NoGap:
        return s.NoGap(_span(children), children[1], _open(children[3]))

    # -- values and collections

    def addition(self, children: Children) -> s.Sum:
        return s.Sum(_span(children), str(children[1]), _open(children[0]), _open(children[2]))

    def parenthesised(self, children: Children) -> Parenthesised:
        return Parenthesised(_span(children), _open(children[1]))

    def date_of(self, children: Children) -> s.DateOf:
        return s.DateOf(_span(children), _open(children[2]))

    def count_or_share(self, children: Children) -> s.Aggregate:
        return s.Aggregate(_span(children), str(children[0]), None, _open(children[2]))

    def pick(self, children: Children) -> s.Aggregate:
        return s.Aggregate(_span(children), str(children[0]), children[1], _open(children[3]))

    def distinct(self, children: Children) -> s.Distinct:
        return s.Distinct(_span(children), children[1], _open(children[3]))

    def during(self, children: Children) -> s.During:
        return s.During(_span(children), children[0], _open(children[2]), _open(children[4]))

    def consecutive(self, children: Children) -> s.Consecutive:
        collection, by, *per = _nodes(children)
        return s.Consecutive(_span(children), collection, by, tuple(per))

    def comprehension(self, children: Children) -> s.Comprehension:
        return s.Comprehension(_span(children), _name(children[1]), _open(children[3]), _after(children, "WHERE"))

    def call(self, children: Children) -> s.Call:
        return s.Call(_span(children), children[0], tuple(_nodes(children[1:])))

    def path(self, children: Children) -> s.Path:
        return s.Path(_span(children), tuple(map(_name, _tokens(children, "NAME", "FIELD"))))

    def lookup(self, children: Children) -> s.Lookup:
        return s.Lookup(_span(children), children[0], children[2])

    def literal(self, children: Children) -> s.Literal:
        token = children[0]
        kind = LITERAL_KINDS[token.type]
        return s.Literal(_span(children), kind, unescaped(token) if kind == "text" else words(token).replace(" %", "%"))

    def negative(self, children: Children) -> s.Literal:
        return s.Literal(_span(children), LITERAL_KINDS[children[1].type], f"-{children[1]}")

    def list(self, children: Children) -> s.ListLiteral:
        return s.ListLiteral(_span(children), tuple(_nodes(children)))

    def text(self, children: Children) -> s.Text:
        token = children[0]
        return s.Text(_span(children), folded(token) if token.type == "LONG_STRING" else unescaped(token))


def _one(children: Children, kind: type) -> Any:
    return next((child for child in children if isinstance(child, kind)), None)
