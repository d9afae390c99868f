"""The grammar itself: free of conflicts, every construct gives its node, spans are exact."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from policyengine.core.diagnostic import Source
from policyengine.lang import syntax as s
from policyengine.lang.parse import STARTS, parse
from policyengine.lang.stop import RESERVED

WORKED = sorted((Path(__file__).parent / "policies").glob("worked-*.policy"))
GRAMMAR = files("policyengine.lang").joinpath("grammar.lark").read_text("utf-8")
HEAD = "policy p version 1.0.0\n"


def condition(text: str) -> s.Expr:
    policy = parsed(f'{HEAD}rule r "t"\n  require {text}\n')
    return policy.rules[0].clauses[0].condition


def parsed(text: str) -> s.Policy:
    result = parse(Source("p.policy", text))
    assert result.diagnostics == ()
    assert result.policy is not None
    return result.policy


def strict(grammar: str) -> None:
    """Builds the grammar strictly. The collision check passes over `\\b`, so it gets the same said as a look-ahead."""
    pytest.importorskip("interegular")
    from lark import Lark

    Lark(grammar, parser="lalr", lexer="contextual", strict=True, start=STARTS)
    Lark(grammar.replace("\\b", "(?![A-Za-z0-9_])"), parser="lalr", lexer="contextual", strict=True, start=STARTS)


def test_the_grammar_has_no_conflict_and_no_two_words_that_collide():
    strict(GRAMMAR)


@pytest.mark.parametrize(
    ("healthy", "broken"),
    [("CONTAINS.6: /contains", "CONTAINS.6: /(contains|is)"), ("MATCHES.6: /matches", "MATCHES.6: /(matches|contains)"),
     ("ands: not_expr (AND not_expr)+", "ands: closed (AND not_expr)+")],
)  # fmt: skip
def test_strict_mode_would_find_a_collision_or_a_conflict(healthy: str, broken: str):
    from lark.exceptions import GrammarError, LexError

    assert healthy in GRAMMAR
    with pytest.raises((GrammarError, LexError)):
        strict(GRAMMAR.replace(healthy, broken))


def test_the_words_that_cannot_be_names_are_those_of_the_grammar():
    listed = re.search(r"NAME: /\(\?!\((.*?)\)\\b\)", GRAMMAR)
    assert listed is not None
    assert frozenset(listed[1].split("|")) == RESERVED


@pytest.mark.parametrize("path", WORKED, ids=lambda path: path.stem)
def test_worked_policies_are_read_whole(path: Path):
    text = path.read_text("utf-8")
    policy = parsed(text)
    bare = re.sub(r'"[^"\n]*"|#[^\n]*', lambda match: " " * len(match[0]), text)
    for word, nodes in (("rule", policy.rules), ("test", policy.tests), ("define", policy.defines), ("let", policy.lets)):
        assert len(nodes) == len(re.findall(rf"(?m)^{word} ", bare))
    assert len(policy.parameters) + len(policy.tables) == len(re.findall(r"(?m)^parameter ", bare))


def test_there_are_worked_policies():
    assert len(WORKED) == 6


CONDITIONS = {
    "a.b": s.Path,
    "a is 1 and b is 2 and c": s.And,
    "a or b": s.Or,
    "not a": s.Not,
    "if a then if b then c": s.If,
    "a.b is at least 3": s.Comparison,
    'a is one of ["x", "y"] ignoring case': s.OneOf,
    "a is not one of b": s.OneOf,
    "a is not recorded": s.Recorded,
    "a contains b": s.Contains,
    'a matches "x*"': s.Matches,
    "date of a.b is recorded within 1 day after date of c": s.Deadline,
    "a is within limit for b.c of d": s.Within,
    "a is in force at b": s.InForce,
    "a is a direct dependency of sbom.product": s.Reachable,
    "(x in c where x.a) recur at least every 7 days from a.b to d": s.Recur,
    "no gap in x.n of (x in c)": s.NoGap,
    "no x in c": s.Quantified,
    "the latest x in c where x.a, if there are any, satisfies x.b": s.Quantified,
    "a.b is followed within 5 days by x in c where x.d": s.Adjacent,
    "f(a, b.c)": s.Call,
    "gxp.f(date of a)": s.Call,
    "(x in c during a.b to (d + 1 day) where x.e) contains f": s.Contains,
    "count of distinct x.f of (x in c) is 1": s.Comparison,
    "every p in consecutive (e in c) by e.n per e.r.id per e.k satisfies p.later.n is 1": s.Quantified,
}


@pytest.mark.parametrize(("text", "node"), CONDITIONS.items())
def test_each_construct_gives_its_node_with_the_span_of_its_text(text: str, node: type):
    found = condition(text)
    assert isinstance(found, node)
    assert (found.span.start, found.span.end - found.span.start) == (len(HEAD) + len('rule r "t"\n  require '), len(text))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("=", "is"), ("!=", "is not"), ("is  not", "is not"), (">=", "at least"), ("<=", "at most"), ("<", "less than"),
     (">", "more than"), ("is\n on  or # x\n before", "on or before"), ("is after", "after"), ("is more than", "more than")],
)  # fmt: skip
def test_operators_have_one_spelling(written: str, meant: str):
    found = condition(f"a.b {written} 3")
    assert isinstance(found, s.Comparison)
    assert found.operator == meant


def test_parentheses_belong_to_the_outer_span_only():
    found = condition("(a or b) and c")
    assert isinstance(found, s.And)
    inner = found.operands[0]
    assert isinstance(inner, s.Or)
    assert inner.span.start == found.span.start + 1


def test_fields_and_keys_may_be_called_like_words_of_the_language():
    found = condition("version.version is a.date.of")
    assert isinstance(found, s.Comparison)
    policy = parsed(
        f'{HEAD}rule r "t" require a\ntest "t" given a is {{ is: 1, and: [{{ rule: "x" }}], "b-c": 2 days }} expect r pass'
    )
    value = policy.tests[0].given[0].value
    assert isinstance(value, s.RecordLiteral)
    assert [name.text for name, _ in value.pairs] == ["is", "and", "b-c"]


@pytest.mark.parametrize("glued", ["a andb", "a fortune", "a.b isrecorded", "nota"])
def test_words_do_not_run_together(glued: str):
    result = parse(Source("p", f'{HEAD}rule r "t" require {glued}'))
    if glued == "nota":
        assert isinstance(condition(glued), s.Path)
    else:
        assert result.diagnostics


def test_texts_are_unescaped_and_long_texts_folded():
    policy = parsed(
        HEAD + 'rule r "say \\"a\\\\b\\"\\n" because """\n   one\n     two  three\n\n   four "quoted"\n """ require a'
    )
    assert policy.rules[0].title.value == 'say "a\\b"\n'
    because = policy.rules[0].because
    assert because is not None
    assert because.value == 'one two three\n\nfour "quoted"'


def test_literals_hold_their_value():
    found = condition('a is one of [1, -2, 3.50, 40 %, 30   days, 2026-03-01, 2026-03-01T08:00:00.5+01:00, true, "x"]')
    assert isinstance(found, s.OneOf)
    assert isinstance(found.collection, s.ListLiteral)
    assert [(item.kind, item.text) for item in found.collection.items if isinstance(item, s.Literal)] == [
        ("int", "1"), ("int", "-2"), ("decimal", "3.50"), ("percent", "40%"), ("duration", "30 days"), ("date", "2026-03-01"),
        ("timestamp", "2026-03-01T08:00:00.5+01:00"), ("bool", "true"), ("text", "x"),
    ]  # fmt: skip


def test_a_comment_may_stand_anywhere_but_in_a_text():
    policy = parsed(f'{HEAD}rule r "a # b" require a.b is # one\n not # two\n recorded, # three\n if unknown, fail # four')
    clause = policy.rules[0].clauses[0]
    assert clause.if_unknown_fail
    assert isinstance(clause.condition, s.Recorded)
    assert clause.condition.negated
    assert policy.rules[0].title.value == "a # b"


def test_line_ends_of_other_systems_and_a_byte_order_mark_are_read():
    text = WORKED[1].read_text("utf-8")
    assert len(parsed("\ufeff" + text.replace("\n", "\r\n")).rules) == len(parsed(text).rules)


def examples(section: str) -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "language" / "grammar.md").read_text("utf-8")
    rows = page.split(f"## {section}\n")[1].split("\n## ")[0].splitlines()
    return [row.rsplit("| `", 1)[1].removesuffix("` |") for row in rows if row.endswith("` |")]


@pytest.mark.parametrize("example", examples("Conditions"))
def test_the_examples_of_the_page_about_the_grammar_can_be_read(example: str):
    assert condition(example)


def test_the_examples_of_declarations_can_be_read():
    found = examples("A file")
    assert len(found) == 6
    parsed("\n".join(found))
    rule = "\n".join(examples("A rule"))
    test = 'test "t"\n' + "\n".join(examples("A test"))
    parsed(f"{HEAD}{rule}\n{test}")
