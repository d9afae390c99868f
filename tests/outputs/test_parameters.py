"""Parameters in the report: durations and periods in words, maps worst first, and nothing else reinterpreted."""

from __future__ import annotations

import pytest
from sample_decision import sample_decision

from policyengine.outputs.html import render_html
from policyengine.outputs.parameters import parameter_words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("fix_limit", {"high": 2592000, "critical": 1209600}, "critical 14 days, high 30 days"),
        ("backup_interval", 93600, "26 hours"),
        ("scan_age", 86400, "1 day"),
        ("review_interval", 12, "12 months"),
        ("builder_level", 3, "3"),
        ("most_rows", 7200, "7200"),
        ("reasons", ["n/a", "x"], "n/a, x"),
        ("strict", True, "true"),
        ("ratio", None, "null"),
    ],
)
def test_words_of_a_parameter(name, value, words):
    assert parameter_words(name, value) == words


def test_the_page_shows_them_escaped_and_every_table_can_scroll():
    said = {"name": "fix_limit", "value": {"critical": 1209600, "<b>": 1}, "source": "policy", "policy": None}
    page = render_html(sample_decision() | {"parameters": [said]}, ()).decode()
    assert "critical 14 days, &lt;b&gt; 1" in page
    assert page.count("<table") == page.count('<div class="wide"><table')
