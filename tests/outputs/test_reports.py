"""The terminal summary, the HTML and Markdown reports and the draft pages: what they say, in which order, and always the same."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import jsonschema
import pytest
from sample_decision import TITLES, decision_with, finding, rule, sample_decision

from policyengine.core.canonical import canonical_json
from policyengine.outputs.capa import drafts
from policyengine.outputs.capa_markdown import draft_markdown
from policyengine.outputs.html import render_html
from policyengine.outputs.markdown import decision_markdown
from policyengine.outputs.reading import relaxation_words
from policyengine.outputs.summary import one_line, summary_text

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "docs" / "decision.schema.json"


def test_the_sample_is_a_decision():
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(sample_decision())


@pytest.mark.parametrize("name", ["draft.json", "draft.md", "summary.txt"])
def test_golden(name):
    """Run with ``UPDATE_GOLDEN=1`` to write them anew, and read the difference like prose."""
    decision = sample_decision()
    made = drafts(decision, {}, TITLES)
    text = {
        "draft.json": lambda: json.dumps(made[0], indent=1, ensure_ascii=False) + "\n",
        "draft.md": lambda: draft_markdown(made[0]),
        "summary.txt": lambda: summary_text(decision, 120, False, ["out/decision.json"]) + "\n" + one_line(decision) + "\n",
    }[name]()
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def reordered(value):
    """The same data with every object's keys in another order."""
    if isinstance(value, dict):
        pairs = list(value.items())
        random.Random(7).shuffle(pairs)  # noqa: S311  # an order, not a secret
        return {key: reordered(each) for key, each in pairs}
    return [reordered(each) for each in value] if isinstance(value, list) else value


def test_same_decision_same_bytes():
    decision, other = sample_decision(), reordered(sample_decision())
    first, second = drafts(decision, {}, TITLES), drafts(other, {}, TITLES)
    assert [canonical_json(each) for each in first] == [canonical_json(each) for each in second]
    assert render_html(decision, first) == render_html(other, second)
    assert decision_markdown(decision, first) == decision_markdown(other, second)
    assert [draft_markdown(each) for each in first] == [draft_markdown(reordered(each)) for each in first]
    assert summary_text(decision, 80, True) == summary_text(other, 80, True)


def test_relaxations_come_before_the_verdict_everywhere():
    decision = sample_decision()
    for text in (
        summary_text(decision, 100, False),
        render_html(decision, ()).decode().split("<body>")[1],
    ):
        assert text.lower().index("relaxed") < text.upper().index("BLOCKED")


def test_the_verdict_line_is_never_cut_and_other_lines_fit():
    lines = summary_text(sample_decision(), 60, False).split("\n")
    assert lines[1] == "BLOCKED  4.2.0 of MES-01: 2 rules failed, 1 unknown (6 rules, 3 evidence files)"
    assert all(len(line) <= 60 for line in lines if not line.startswith("BLOCKED"))


def test_colour_only_where_asked():
    assert "\x1b[" not in summary_text(sample_decision(), 80, False)
    assert "\x1b[31;1mBLOCKED" in summary_text(sample_decision(), 80, True)


def test_an_allowed_release_says_that_nothing_blocks():
    allowed = decision_with(rule("r", "major", "pass", [], passed=3), decision="allowed")
    assert one_line(allowed) == "ALLOWED  4.2.0 of MES-01: no rule blocks (1 rule, 3 evidence files)"
    assert b"What blocks" not in render_html(allowed, ())


def test_a_long_list_of_blocking_rules_is_counted():
    many = decision_with(*(rule(f"r{i:02}", "major", "fail", [finding("A")]) for i in range(25)))
    assert "  and 5 more blocking rules" in summary_text(many, 80, False).split("\n")


def test_a_waived_failure_is_not_among_the_rules_that_hold():
    page = render_html(sample_decision(), ()).decode()
    waived, holding = page.index("Waived: did not hold"), page.index("Rules that hold")
    assert waived < page.index("P-0099 was not trained") < holding
    assert "Users are trained before they work" not in page[holding:]


def test_unknowns_and_open_deadlines_of_a_failing_rule_are_not_hidden():
    cause = {"kind": "absent", "what": "reviews", "evidence": None}
    due = {"kind": "not_yet_due", "what": "reply, due by 2026-05-01T00:00:00Z", "evidence": None}
    mixed = rule(
        "r", "major", "fail", [finding("A"), finding("B", "unknown", causes=[cause]), finding("C", "not_yet_due", causes=[due])]
    )
    decision = decision_with(mixed)
    page = render_html(decision, ()).decode()
    assert "evidence that provides reviews; none was delivered" in page
    assert "due by 2026-05-01T00:00:00Z" in page


def test_many_findings_of_one_rule_are_cut_and_counted_without_hiding_another_rule():
    many = rule("many", "minor", "fail", [finding(f"S{i:03}") for i in range(120)])
    one = rule("one", "critical", "fail", [finding("THE-ONE")])
    decision = decision_with(many, one)
    page = render_html(decision, ()).decode()
    assert page.index("THE-ONE") < page.index("S000")
    assert "and 70 more; all of them are in the decision" in page
    assert "120 of 120 failed" in page


def test_controls_are_counted_and_never_a_percentage():
    page = render_html(sample_decision(), ()).decode().split("</style>")[1]
    assert "%" not in page
    assert "not met" in page


def test_tables_name_their_heads():
    page = render_html(sample_decision(), drafts(sample_decision(), {})).decode()
    assert page.count("<th") == page.count("<th scope=") + page.count("<thead")


def test_evidence_that_did_not_verify_says_so_with_its_reason():
    page = render_html(sample_decision(), ()).decode()
    assert "not verified" in page
    assert "no trusted key signed it" in page
    assert "carries no signature" in page


def test_many_rules_that_were_left_out_are_one_relaxation():
    left_out = [{"kind": "rule_not_selected", "what": f"p/r{n}", "detail": "not judged in this run"} for n in range(37)]
    loosened = {"kind": "gate_loosened", "what": "major/fail", "detail": "the profile turns `block` into `warn`"}
    assert relaxation_words({"relaxations": [loosened, *left_out]}) == [
        "gate loosened, major/fail: the profile turns `block` into `warn`",
        "37 rules not selected, p/r0, p/r1, p/r2 and others: not judged in this run",
    ]
    assert len(relaxation_words({"relaxations": left_out[:3]})) == 3


def test_markdown_says_what_was_relaxed_before_the_verdict():
    loosened = {"kind": "gate_loosened", "what": "major/fail", "detail": "the profile turns `block` into `warn`"}
    page = decision_markdown({**sample_decision(), "relaxations": [loosened]}, ())
    assert page.index("gate loosened") < page.index("# BLOCKED")


LATE = "expired 2026-03-01T00:00:00Z"


def refused_waiver(**more):
    return {"id": "W-9", "rule": "r", "subjects": ["A"], "applied": False, "reason": LATE, "file": "W-9.dsse",
            "digest": "sha256:" + "9" * 64, "signer": None, "applied_to": []} | more  # fmt: skip


def test_a_waiver_that_does_not_count_is_said_everywhere():
    decision = sample_decision()
    decision["waivers"] += [refused_waiver(), refused_waiver(id=None, reason="it is not signed ::error::x")]
    text = summary_text(decision, None, False)
    assert f"\n  waiver W-9 not applied: {LATE}\n" in text
    assert "waiver W-9.dsse not applied: it is not signed :\\u{003a}error" in text
    assert f"Waiver W-9 not applied: {LATE}" in render_html(decision, ()).decode()
    assert "Waivers that did not count" in decision_markdown(decision, ())


def test_nothing_of_a_reason_is_cut():
    words = "the reason " * 60 + "ends here"
    decision = decision_with(rule("r", "major", "fail", [finding("A", message=words)]))
    assert words in summary_text(decision, None, False)
    wrapped = summary_text(decision, 60, False).split("\n")
    assert all(len(line) <= 60 for line in wrapped if not line.startswith("BLOCKED"))
    assert words in " ".join(" ".join(wrapped).split())


def test_a_broken_word_is_no_command_of_a_ci_system():
    decision = decision_with(rule("r", "major", "fail", [finding("A", message="x")]))
    for length in range(40):
        decision["rules"][0]["findings"][0]["message"] = "x" * (40 + length) + "::error::boom"
        for line in summary_text(decision, 40, False).split("\n"):
            assert not line.lstrip().startswith("::")
            assert len(line) <= 40 or line.startswith("BLOCKED")


def test_rows_that_could_not_be_read_have_a_line_of_their_own():
    decision = sample_decision()
    decision["evidence"][0] |= {
        "verified": None,
        "reason": "1 of 20 rows could not be read (line 3: no id)",
        "warnings": ["column 2 could not be read", "w"],
    }
    name = decision["evidence"][0]["name"]
    text = summary_text(decision, None, False)
    assert (
        f"\n  evidence {name}: 1 of 20 rows could not be read (line 3: no id)\n  evidence {name}: column 2 could not be read\n"
        in text
    )
    assert "rows could not be read" in render_html(decision, ()).decode().split("What blocks")[0]
