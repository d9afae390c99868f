"""Whatever happens to a text, reading it ends with a tree or a diagnostic, never with an exception or in silence."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.core.diagnostic import Severity, Source
from policyengine.lang.parse import Parsed, parse
from policyengine.lang.scan import scan

WORKED = sorted((Path(__file__).parent / "policies").glob("worked-*.policy"))
TEXTS = {path.stem: path.read_text("utf-8") for path in WORKED}


def read(text: str) -> Parsed:
    result = parse(Source("p.policy", text))
    for problem in result.diagnostics:
        assert problem.code.startswith("PE1")
        assert problem.severity is Severity.ERROR
        assert problem.message
        problem.render()
    assert result.policy is not None or result.diagnostics
    return result


def declarations(result: Parsed) -> int:
    policy = result.policy
    if policy is None:
        return 0
    lists = (policy.uses, policy.parameters, policy.tables, policy.lets, policy.defines, policy.rules, policy.tests)
    return sum(map(len, lists))


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_cut_anywhere_is_refused_or_ends_at_a_whole_clause(name: str):
    text = TEXTS[name]
    for end in random.Random(name).sample(range(len(text)), 250):  # noqa: S311
        result = read(text[:end])
        if not result.diagnostics:
            rest = read(text[:end] + '\nrule added-at-the-end "t" require a.b')
            assert not rest.diagnostics, f"cut at {end}: what is left is not whole"


@pytest.mark.parametrize("name", TEXTS)
def test_one_word_removed_doubled_or_replaced(name: str):
    text = TEXTS[name]
    words = scan(Source("p", text)).words
    others = ["rule", "require", "is", "(", ")", "and", '"', '"x"', "1", ",", "some", "{", "for each", "\u202e", "]", "if", "."]
    choice = random.Random(name)  # noqa: S311
    for word in choice.sample(words, min(150, len(words))):
        before, after = text[: word.start], text[word.end :]
        read(before + after)
        read(f"{before}{word.text} {word.text}{after}")
        read(before + choice.choice(others) + after)


def test_one_damaged_rule_loses_no_other():
    text = TEXTS["worked-3"]
    whole = declarations(read(text))
    for match in re.finditer(r"(?m)^  require ", text):
        damaged = read(text[: match.end()] + "is is " + text[match.end() :])
        assert len(damaged.diagnostics) == 1
        assert declarations(damaged) == whole


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all(text: str):
    read(text)
    read('policy p version 1.0.0\nrule r "t" require ' + text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted({w.text for t in TEXTS.values() for w in scan(Source("p", t)).words})), max_size=40))
def test_any_words_of_the_language(words: list[str]):
    read(" ".join(['policy p version 1.0.0 rule r "t"', *words]))


def test_bytes_that_are_no_characters_are_refused():
    text = b"policy p version 1.0.0 # \xff".decode("utf-8", "surrogateescape")
    assert [problem.code for problem in read(text).diagnostics] == ["PE106"]


def test_reading_takes_linear_time():
    import time

    def seconds(rules: int) -> float:
        text = "policy p version 1.0.0\n" + "".join(f'rule r-{n} "t"\n require a.b is is {n} and c\n' for n in range(rules))
        start = time.perf_counter()
        read(text)
        return time.perf_counter() - start

    seconds(10)
    assert seconds(400) < 40 * max(seconds(40), 0.01)
