"""From what the grammar recognised to the nodes of the syntax tree, bottom up, with exact spans.

One method for each production of ``grammar.lark``, called by the parser with the tokens and nodes of that production, all
of them kept. Nothing here recurses, so a deep text costs no stack. Productions whose clauses may be written once only
(header, rule, capa, test) come out as pieces; ``assemble`` puts them together and finds the doubles.
"""

from __future__ import annotations

from policyengine.core.diagnostic import Span
from policyengine.lang import syntax as s
from policyengine.lang.pieces import (
    Children,
    Extent,
    Parenthesised,
    Piece,
    Pieces,
    first_of,
    folded,
    following,
    is_token,
    name_of,
    nodes_of,
    opened,
    piece_of,
    span_of,
    text_of,
    tokens_of,
    unescaped,
    whole_span,
    words,
)

ORDER_WORDS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
LITERAL_KINDS = {
    "STRING": "text", "INT": "int", "DECIMAL": "decimal", "PERCENT": "percent", "DURATION": "duration", "BOOL": "bool",
    "DATE": "date", "TIMESTAMP": "timestamp",
}  # fmt: skip


class Builder:
    """The callbacks of the parser; the names are those of ``grammar.lark``."""

    # -- header and shared definitions

    def policy(self, children: Children) -> Children:
        return children

    def header(self, children: Children) -> Pieces:
        return Pieces(whole_span(children), "header", tuple(children))

    def header_head(self, children: Children) -> Piece:
        return piece_of(children, (name_of(children[1]), str(children[3])))

    def header_part(self, children: Children) -> Piece:
        key = str(children[0])
        if key == "effective":
            dates = [s.Literal(span_of(token), "date", str(token)) for token in tokens_of(children, "DATE")]
            return piece_of(children, (dates[0], dates[1] if len(dates) > 1 else None))
        if key == "time":
            return piece_of(children, text_of(children[2]), "time zone")
        if key == "language":
            return piece_of(children, str(children[1]))
        return piece_of(children, children[1] if key == "purpose" else text_of(children[1]))

    def use(self, children: Children) -> s.Use:
        alias = following(children, "AS")
        return s.Use(
            whole_span(children), name_of(children[1]), str(children[3]), name_of(alias) if alias is not None else None
        )

    def parameter(self, children: Children) -> s.Parameter:
        rest = children[6:]
        return s.Parameter(
            whole_span(children),
            name_of(children[1]),
            children[3],
            children[5],
            first_of(rest, s.Allowed),
            first_of(rest, s.Text),
        )

    def table(self, children: Children) -> s.Table:
        rest = children[8:]
        return s.Table(
            whole_span(children),
            name_of(children[1]),
            children[3],
            children[5],
            children[7],
            first_of(rest, s.Allowed),
            first_of(rest, s.Text),
        )

    def table_key(self, children: Children) -> s.Path:
        return self.path(children)

    def allowed_range(self, children: Children) -> s.Allowed:
        return s.Allowed(whole_span(children), children[1], children[3], None)

    def allowed_values(self, children: Children) -> s.Allowed:
        return s.Allowed(whole_span(children), None, None, children[1])

    def type(self, children: Children) -> s.TypeName:
        return s.TypeName(whole_span(children), str(children[-1]), len(children) > 1)

    def let(self, children: Children) -> s.Let:
        return s.Let(whole_span(children), name_of(children[1]), opened(children[3]))

    def define(self, children: Children) -> s.Define:
        parameters = tuple(child for child in children if isinstance(child, tuple))
        return s.Define(whole_span(children), name_of(children[1]), parameters, opened(children[-1]))

    def param(self, children: Children) -> tuple[s.Name, s.Name]:
        return name_of(children[0]), name_of(children[2])

    # -- rules

    def rule(self, children: Children) -> Pieces:
        return Pieces(whole_span(children), "rule", tuple(children))

    def rule_head(self, children: Children) -> Piece:
        return piece_of(children, (name_of(children[1]), text_of(children[2])))

    def rule_part(self, children: Children) -> Children:
        return children

    def reference(self, children: Children) -> s.Reference:
        controls = tuple(map(text_of, tokens_of(children, "STRING")))
        return s.Reference(whole_span(children), str(children[0]), name_of(children[1]), controls)

    def severity(self, children: Children) -> Piece:
        return piece_of(children, name_of(children[1]))

    def because(self, children: Children) -> Piece:
        return piece_of(children, children[1])

    def applies(self, children: Children) -> Piece:
        return piece_of(children, opened(children[2]), "applies when")

    def for_each(self, children: Children) -> s.ForEach:
        result = following(children, "IF_NONE")
        return s.ForEach(
            whole_span(children),
            name_of(children[1]),
            opened(children[3]),
            following(children, "WHERE"),
            words(result) if result else None,
        )

    def demand(self, children: Children) -> s.Clause:
        unknown_fails = bool(tokens_of(children, "IF_UNKNOWN"))
        return s.Clause(
            whole_span(children), str(children[0]), opened(children[1]), unknown_fails, following(children, "MESSAGE"), None
        )

    def reservation(self, children: Children) -> s.Clause:
        return s.Clause(whole_span(children), str(children[0]), opened(children[2]), False, None, children[4])

    def capa(self, children: Children) -> Piece:
        return piece_of(children, tuple(children[1:]))

    def capa_text(self, children: Children) -> Piece:
        return piece_of(children, text_of(children[1]) if is_token(children[1]) else children[1])

    def capa_due(self, children: Children) -> Piece:
        return piece_of(children, self.literal(children[2:]), "due in")

    def capa_group(self, children: Children) -> Piece:
        return piece_of(children, tuple(nodes_of(children)), "group by")

    # -- tests

    def test(self, children: Children) -> Pieces:
        return Pieces(whole_span(children), "test", tuple(children))

    def test_head(self, children: Children) -> Piece:
        return piece_of(children, text_of(children[1]))

    def test_part(self, children: Children) -> Children:
        return children

    def moment_of_test(self, children: Children) -> Piece:
        return piece_of(children, children[1])

    def given_value(self, children: Children) -> s.Given:
        extent = children[4] if len(children) > 4 else Extent(Span(0, 0), False, None, None)
        return s.Given(
            whole_span(children), children[1], children[3], extent.incomplete, extent.covers_from, extent.covers_until
        )

    def given_file(self, children: Children) -> s.Given:
        return s.Given(whole_span(children), children[1], None, file=text_of(children[3]))

    def incomplete(self, children: Children) -> Extent:
        return Extent(whole_span(children), True, None, None)

    def covering(self, children: Children) -> Extent:
        return Extent(whole_span(children), False, children[1], children[3])

    def expect(self, children: Children) -> s.Expect:
        return s.Expect(whole_span(children), name_of(children[1]), words(children[2]), following(children, "FOR"))

    def record(self, children: Children) -> s.RecordLiteral:
        return s.RecordLiteral(whole_span(children), tuple(child for child in children if isinstance(child, tuple)))

    def pair(self, children: Children) -> tuple[s.Name, s.Value]:
        key = children[0]
        name = s.Name(span_of(key), unescaped(key)) if key.type == "STRING" else name_of(key)
        return name, children[2]

    # -- conditions

    def ands(self, children: Children) -> s.And:
        return s.And(whole_span(children), tuple(nodes_of(children)))

    def ors(self, children: Children) -> s.Or:
        return s.Or(whole_span(children), tuple(nodes_of(children)))

    def some_or_no(self, children: Children) -> s.Quantified:
        return s.Quantified(
            whole_span(children),
            str(children[0]),
            name_of(children[1]),
            opened(children[3]),
            following(children, "WHERE"),
            False,
            None,
        )

    def every_or_latest(self, children: Children) -> s.Quantified:
        return s.Quantified(
            whole_span(children), words(children[0]), name_of(children[1]), opened(children[3]), following(children, "WHERE"),
            bool(tokens_of(children, "IF_ANY")), following(children, "SATISFIES"),
        )  # fmt: skip

    def adjacent(self, children: Children) -> s.Adjacent:
        direction = words(children[1]).removeprefix("is ")
        variable, collection = following(children, "BY"), following(children, "IN")
        return s.Adjacent(
            whole_span(children), opened(children[0]), direction, following(children, "WITHIN"), name_of(variable), collection,
            following(children, "WHERE"),
        )  # fmt: skip

    def if_then(self, children: Children) -> s.If:
        return s.If(whole_span(children), opened(children[1]), opened(children[3]))

    def negation(self, children: Children) -> s.Not:
        return s.Not(whole_span(children), opened(children[1]))

    def order(self, children: Children) -> s.Comparison:
        operator = words(children[1])
        return self._comparison(children, ORDER_WORDS.get(operator, operator.removeprefix("is ")), ignoring_case=False)

    def equality(self, children: Children) -> s.Comparison:
        operator = "is not" if children[1].type == "IS_NOT" else "is"
        return self._comparison(children, operator, ignoring_case=len(children) > 3)

    def _comparison(self, children: Children, operator: str, *, ignoring_case: bool) -> s.Comparison:
        left, right = opened(children[0]), opened(children[2])
        return s.Comparison(whole_span(children), operator, left, right, ignoring_case, span_of(children[1]))

    def one_of(self, children: Children) -> s.OneOf:
        negated = children[1].type == "IS_NOT_ONE_OF"
        return s.OneOf(whole_span(children), opened(children[0]), opened(children[2]), negated, len(children) > 3)

    def recorded(self, children: Children) -> s.Recorded:
        return s.Recorded(whole_span(children), opened(children[0]), children[1].type == "IS_NOT_RECORDED")

    def contains(self, children: Children) -> s.Contains:
        return s.Contains(whole_span(children), opened(children[0]), opened(children[2]))

    def matches(self, children: Children) -> s.Matches:
        return s.Matches(whole_span(children), opened(children[0]), opened(children[2]))

    def in_force(self, children: Children) -> s.InForce:
        return s.InForce(whole_span(children), opened(children[0]), opened(children[2]))

    def deadline(self, children: Children) -> s.Deadline:
        return s.Deadline(whole_span(children), opened(children[0]), children[2], opened(children[4]))

    def within(self, children: Children) -> s.Within:
        return s.Within(whole_span(children), opened(children[0]), children[2], str(children[3]), opened(children[4]))

    def reachable(self, children: Children) -> s.Reachable:
        direct = children[1].type == "IS_DIRECT_DEP_OF"
        return s.Reachable(whole_span(children), opened(children[0]), opened(children[2]), direct)

    def recur(self, children: Children) -> s.Recur:
        return s.Recur(whole_span(children), opened(children[0]), children[2], opened(children[4]), opened(children[6]))

    def no_gap(self, children: Children) -> s.NoGap:
        return s.NoGap(whole_span(children), children[1], opened(children[3]))

    # -- values and collections

    def addition(self, children: Children) -> s.Sum:
        return s.Sum(whole_span(children), str(children[1]), opened(children[0]), opened(children[2]))

    def parenthesised(self, children: Children) -> Parenthesised:
        return Parenthesised(whole_span(children), opened(children[1]))

    def date_of(self, children: Children) -> s.DateOf:
        return s.DateOf(whole_span(children), opened(children[2]))

    def count_or_share(self, children: Children) -> s.Aggregate:
        return s.Aggregate(whole_span(children), str(children[0]), None, opened(children[2]))

    def pick(self, children: Children) -> s.Aggregate:
        return s.Aggregate(whole_span(children), str(children[0]), children[1], opened(children[3]))

    def distinct(self, children: Children) -> s.Distinct:
        return s.Distinct(whole_span(children), children[1], opened(children[3]))

    def during(self, children: Children) -> s.During:
        return s.During(whole_span(children), children[0], opened(children[2]), opened(children[4]))

    def consecutive(self, children: Children) -> s.Consecutive:
        collection, by, *per = nodes_of(children)
        return s.Consecutive(whole_span(children), collection, by, tuple(per))

    def comprehension(self, children: Children) -> s.Comprehension:
        return s.Comprehension(whole_span(children), name_of(children[1]), opened(children[3]), following(children, "WHERE"))

    def call(self, children: Children) -> s.Call:
        return s.Call(whole_span(children), children[0], tuple(nodes_of(children[1:])))

    def path(self, children: Children) -> s.Path:
        return s.Path(whole_span(children), tuple(map(name_of, tokens_of(children, "NAME", "FIELD"))))

    def lookup(self, children: Children) -> s.Lookup:
        return s.Lookup(whole_span(children), children[0], children[2])

    def literal(self, children: Children) -> s.Literal:
        token = children[0]
        kind = LITERAL_KINDS[token.type]
        return s.Literal(whole_span(children), kind, unescaped(token) if kind == "text" else words(token).replace(" %", "%"))

    def negative(self, children: Children) -> s.Literal:
        return s.Literal(whole_span(children), LITERAL_KINDS[children[1].type], f"-{children[1]}")

    def list(self, children: Children) -> s.ListLiteral:
        return s.ListLiteral(whole_span(children), tuple(nodes_of(children)))

    def text(self, children: Children) -> s.Text:
        token = children[0]
        return s.Text(whole_span(children), folded(token) if token.type == "LONG_STRING" else unescaped(token))
