"""What an author reads: each mistake has its code, its place and a way out; one mistake does not hide the next."""

from __future__ import annotations

import pytest

from policyengine.core.diagnostic import Diagnostic, Source
from policyengine.lang.parse import Parsed, parse

HEAD = 'policy p version 1.0.0\nrule r "t"\n  severity major\n'
TAIL = '\nrule healthy "t" require a.b\n'


def read(text: str) -> Parsed:
    return parse(Source("p.policy", text))


def only(clause: str) -> Diagnostic:
    """The one diagnostic of a rule with this clause; the rule after it stays healthy."""
    result = read(HEAD + clause + TAIL)
    assert result.policy is not None
    assert "healthy" in [rule.id.text for rule in result.policy.rules]
    (problem,) = result.diagnostics
    return problem


def marked(problem: Diagnostic) -> str:
    return problem.excerpt[problem.column - 1 : problem.column - 1 + problem.width]


CASES = [
    ("require a is 1 or b is 2 and c", "PE110", "and", "`(a is 1 or b is 2) and c`, or `a is 1 or (b is 2 and c)`"),
    ("require (a and b or c)", "PE110", "or", "`(a and b) or c`, or `a and (b or c)`"),
    ("require a.b is recorded and no out in c.d where out.e", "PE111", "no", "`and (no out in c.d where ..)`"),
    ("require some x in c where every y in d satisfies y.e", "PE111", "every", "`where (every y in d satisfies ..)`"),
    ("require not some x in c", "PE111", "some", "`not (some x in c)`"),
    ("require a and if b then c", "PE111", "if", "`and (if .. then ..)`"),
    ("require a and e.f is preceded by y in c", "PE111", "is preceded", "`(e.f is preceded by ..)`"),
    ("require a is “x”", "PE105", "“x”", '"x"'),
    ("require a is 'x'", "PE105", "'x'", '"x"'),
    ('require a is "x', "PE103", '"x', "quotation mark"),
    ('require a message """x', "PE103", '"""x', "three"),
    ("require a ≥ 3", "PE104", "≥", "is at least"),
    ("require \u0430.b is 3", "PE104", "\u0430", "U+0430"),
    ('require a is "\u202ex"', "PE106", "\u202e", "type the text again"),
    ("require a # \u200b", "PE106", "\u200b", "type the text again"),
    ("require a is \u2066b", "PE106", "\u2066", "type the text again"),
    ('require a is "x\u3164"', "PE106", "\u3164", "type the text again"),
    ('require a is "C:\\temp"', "PE108", "\\t", "write two"),
    ("severity minor require a", "PE109", "severity", "keep one"),
    ("require some before in c where a", "PE112", "before", "another name"),
    ("for each on in c require a", "PE112", "on", "another name"),
    ("require Abc.d is 1", "PE113", "Abc", "`abc`"),
    ("Require a", "PE113", "Require", "`require`"),
    ("require if a then b else c", "PE120", "else", "if not"),
    ("require a unless b", "PE121", "unless", "except when"),
    ("require a must be 3", "PE122", "must be", "`is`"),
    ("require a.b is between 1 and 3", "PE123", "is between", "is at least .. and x is at most"),
    ("require there is some x in c where x.a", "PE124", "there is some", "some x in"),
    ("require a is no later than b", "PE125", "no later than", "is on or before"),
    ("require a is greater than 3", "PE125", "greater than", "is more than"),
    ("require at least 2 x in c where x.y", "PE126", "at least 2", "count of (x in .. where ..) is at least 2"),
    ("require exactly 2 x in c", "PE126", "exactly 2", "count of"),
    ("require all x in c satisfy x.y", "PE127", "all x", "every x in .. satisfies"),
    ("require a within 30 days of b", "PE128", "within", "is within"),
    ("for each x in c, if there are none then pass\n require a", "PE129", "then", "drop it"),
    ('require a is "x" or "y"', "PE130", 'or "y"', 'is one of ["x", "y"]'),
    ('require a is not "x" and "y"', "PE130", 'and "y"', 'is not one of ["x", "y"]'),
    ("require (x in c) recur at least every day from a to b", "PE131", "day", "26 hours"),
    ("require every x in c, if any, satisfies x.y", "PE132", "if any", ", if there are any,"),
    ("require every x in c if any satisfies x.y", "PE132", "if any", ", if there are any,"),
    ('satisfies 21-cfr-part-11 "11.10(a)" require a', "PE133", "satisfies", "meets"),
    ("require a is recorded within 3 days of b", "PE134", "of", "after"),
    ("require a is recorded within 3 days", "PE134", "days", "after"),
    ("require length of a is 3", "PE135", "length of", "matches"),
    ("require a == 3", "PE136", "==", "`is`"),
    ("require a is not null", "PE137", "null", "is recorded"),
    ("requre a", "PE101", "requre", "did you mean `require`"),
    ("require a is 1 for each x in c", "PE101", "for", "order in a rule"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "code", "place", "way_out"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_has_its_code_its_place_and_a_way_out(clause: str, code: str, place: str, way_out: str):
    problem = only(clause) if clause != "for each on in c require a" else read(HEAD + clause + TAIL).diagnostics[0]
    assert (problem.code, marked(problem)) == (code, place)
    assert way_out in problem.hint


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("require a is", "something is missing between `is` and `rule`; expected a name or a value"),
        ("require (a is 1", "something is missing between `1` and `rule`; expected `)`, `and` or `or`"),
        ("severity high", "`high` does not belong here; expected critical, major, minor or observation"),
        ("meets", "something is missing between `meets` and `rule`; expected an id such as `my-rule`"),
    ],
)
def test_the_rest_is_told_in_human_words(clause: str, message: str):
    text = HEAD.replace("  severity major\n", "") + clause + TAIL if clause == "severity high" else HEAD + clause + TAIL
    assert [problem.message for problem in read(text).diagnostics] == [message]


def test_no_message_speaks_of_the_grammar():
    from policyengine.lang.parse import grammar

    terminals = {terminal.name for terminal in grammar().terminals if len(terminal.name) > 3}
    for clause, *_ in CASES:
        for problem in read(HEAD + clause + TAIL).diagnostics:
            assert not terminals.intersection(problem.render().replace("`", " ").split())


def test_curly_quotes_are_told_word_for_word():
    assert only("require a is “x”").message == ('curly quotation marks come from a word processor; use straight ones (")')


def test_all_mistakes_of_a_file_are_told_in_one_run():
    result = read(
        "policy p version 1.0.0\n  owner Quality\n"
        "parameter limit duration = 1 day\n"
        'rule one "t"\n  require a is is 1\n  require b unless c\n  require c.d is recorded\n'
        'rule two "t" require a is 1 or b and c\n'
        'test "x" given a is expect one pass\n'
        "define f(a) as b\n"
        'rule three "t" require x.y\n'
    )
    assert [problem.line for problem in result.diagnostics] == [2, 3, 5, 6, 8, 9, 10]
    assert result.policy is not None
    assert [rule.id.text for rule in result.policy.rules] == ["one", "two", "three"]
    assert len(result.policy.rules[0].clauses) == 1
    assert result.damaged == {"limit", "f"}


def test_a_rule_without_its_loop_is_not_judged_further():
    result = read(HEAD + "for each x on c require x.y" + TAIL)
    assert result.policy is not None
    assert [rule.id.text for rule in result.policy.rules] == ["healthy"]
    assert result.damaged == {"r"}


def test_a_damaged_version_leaves_the_rest_of_the_policy():
    result = read('policy my-rules version\n  title "x"\n' + TAIL)
    assert [problem.line for problem in result.diagnostics] == [1]
    assert result.policy is not None
    assert result.policy.header.id.text == "my-rules"
    assert len(result.policy.rules) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "PE102"), ("\n # only a comment\n", "PE102"), (TAIL, "PE101"), ("policy p version 1.0.0 rule r", "PE102"),
     ("policy", "PE102"), ("# \u202e", "PE106"), ("{}", "PE101")],
)  # fmt: skip
def test_a_file_without_a_policy_is_refused(text: str, code: str):
    result = read(text)
    assert code in [problem.code for problem in result.diagnostics]


NESTED = {
    "parentheses": "(" * 10_000 + "a" + ")" * 10_000,
    "open": "(" * 10_000,
    "not": "not " * 10_000 + "a",
    "then": "if a then " * 10_000 + "b",
    "sum": "a is b" + " + c" * 10_000,
    "date": "date of " * 10_000 + "a is b",
    "list": "a is one of " + "[" * 10_000 + "]" * 10_000,
    "distinct": "count of " + "distinct x.a of " * 10_000 + "c is 1",
    "quantifiers": "some x in c where (" * 5_000 + "x.a" + ")" * 5_000,
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED.keys())
def test_nesting_has_a_limit_with_a_name(text: str):
    (problem,) = read(HEAD + "require " + text).diagnostics
    assert problem.code == "PE107"
    assert "`max nesting`, 200" in problem.message


def test_long_chains_are_no_nesting():
    assert read(HEAD + "require " + " and ".join(["(not a.b or c)"] * 3_000)).diagnostics == ()
    assert read(HEAD + "require not a\n" * 3_000).diagnostics == ()


def test_names_and_files_have_limits_with_names():
    assert "`max name length` is 200" in read(HEAD + f"require {'a' * 201}").diagnostics[0].message
    assert "`max name length` is 200" in read(HEAD + f"require a is {'9' * 5_000}").diagnostics[0].message
    assert read(HEAD + f"require {'a' * 200}").diagnostics == ()
    large = read(HEAD + "#" * 1024 * 1024)
    assert "`max source size` is 1048576" in large.diagnostics[0].message
    assert large.policy is None


def test_mistakes_without_end_are_counted_to_a_limit():
    for text in ("“x”\n" * 10_000, "rule x require\n" * 10_000):
        result = read(HEAD + text)
        assert 501 <= len(result.diagnostics) <= 503
        assert "max problems" in result.diagnostics[-1].message
        assert result.policy is None
    assert "max problems" in read(HEAD + "require " + 'a is "x" or "y" and ' * 1_000 + "b").diagnostics[-1].message


def test_of_a_long_line_only_the_part_around_the_mistake_is_shown():
    problem = only("require " + "a and " * 2_000 + "is 3")
    assert problem.column > 12_000
    caret = next(line for line in problem.render().splitlines() if "^" in line)
    shown = problem.render().splitlines()[1]
    assert len(shown) < 220
    assert shown[caret.index("^") :].startswith("is")
