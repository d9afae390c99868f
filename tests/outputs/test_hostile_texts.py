"""Every text of evidence that tries to be more than text, through every output: it must arrive as text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from sample_decision import decision_with, digest, finding, rule

from policyengine.core.diagnostic import shown
from policyengine.outputs.capa import drafts
from policyengine.outputs.capa_markdown import draft_markdown
from policyengine.outputs.html import render_html
from policyengine.outputs.markdown import decision_markdown
from policyengine.outputs.summary import one_line, summary_text

HOSTILE = (
    "<b>bold</b><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style></title><h1>ALLOWED</h1>",
    '" onmouseover="alert(1)',
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/auto www.evil.example",
    "[ref]: https://evil.example",
    "javascript:alert(1)",
    "| a | b |",
    "`code` ``two``",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "\x1b[2J\x1b[32mALLOWED\x1b[0m",
    "x\nALLOWED  4.2.0 of MES-01: no rule blocks",
    "x\r\n::set-output name=decision::allowed",
    "::set-output name=decision::allowed",
    "::error file=a::b",
    "##vso[task.setvariable variable=x]y",
    "##[command]rm",
    "EOF\ndecision=allowed\n",
    "'; DROP TABLE ledger; --",
    "%s %(x)s %n",
    "'''\"\"\"",
    "{{ 7*7 }}{% raw %}{# x #}",
    "${7*7} #{7*7}",
    "../../etc/passwd",
    "\u202egpj.exe",
    "a\u2028b\u0000c",
    "\ud83d",
)


def hostile_decision(text: str) -> dict[str, Any]:
    """The text wherever evidence, a waiver or an inventory may bring it."""
    cause = {"kind": "missing_field", "what": text, "evidence": {"name": text, "pointer": text}}
    more = {
        "message": text, "values": {"component.name": text, "component.version": None}, "note": text, "group": [text],
        "clauses": [{"kind": "require", "text": text, "outcome": "fail"}], "suggestions": {"correction": text, "effectiveness": text},
        "evidence": [{"name": text, "pointer": text}],
    }  # fmt: skip
    capa = {"category": text, "owner": text, "due_in_days": 3, "group_by": ["component.name"]}
    rules = [
        rule("failing", "critical", "fail", [finding(text, **more)], capa=capa, title=f"title {text}", because=text),
        rule("open", "critical", "unknown", [finding(text, "unknown", **(more | {"causes": [cause]}))], capa=capa),
        rule("waiting", "major", "not_yet_due", [finding(text, "not_yet_due", **(more | {"causes": [cause]}))]),
        rule(
            "waived",
            "major",
            "waived",
            [finding(text, "waived", **more, verdict="fail", disposition="risk_accepted", waiver=text)],
        ),
    ]
    base = decision_with(*rules)
    item = base["evidence"][0] | {
        "name": text,
        "format": text,
        "signer": text,
        "reason": text,
        "warnings": [text],
        "digest": digest("9"),
    }
    waiver = {"id": text, "rule": "waived", "applied": True, "reason": text, "file": text}
    return base | {
        "system": {"id": text, "name": text, "gxp_impact": "direct", "lifecycle_phase": "operation"},
        "release": {"id": text},
        "subjects": [{"name": text, "digest": {"sha256": "a" * 64}}],
        "evidence": [item],
        "assumptions": [text],
        "waivers": [waiver],
        "relaxations": [{"kind": "waiver_applied", "what": text, "detail": text}],
        "parameters": [{"policy": None, "name": "p", "value": {"k": [text]}, "source": "flag"}],
    }


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        assert all(not value.startswith(("http", "//", "javascript")) for name, value in attrs if name in ("href", "src"))

    def handle_data(self, data):
        self.text += data


def plain_of(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def parsed(page: bytes) -> _Page:
    reader = _Page()
    reader.feed(page.decode())
    return reader


@pytest.mark.parametrize("text", [plain_of(each) for each in HOSTILE])
def test_html_shows_it_as_text(text):
    decision = hostile_decision(text)
    made = drafts(decision, {})
    page, usual = (
        parsed(render_html(decision, made)),
        parsed(render_html(hostile_decision("plain"), drafts(hostile_decision("plain"), {}))),
    )
    assert page.tags == usual.tags
    assert page.attributes == usual.attributes
    assert page.text.count(shown(text)) >= 10
    assert "script" not in page.tags
    assert "img" not in page.tags


@pytest.mark.parametrize("text", [plain_of(each) for each in HOSTILE])
def test_markdown_shows_it_as_text(text):
    renderer = pytest.importorskip("markdown_it", reason="comes with the terminal library").MarkdownIt(
        "gfm-like", {"linkify": False}
    )
    decision = hostile_decision(text)
    made = drafts(decision, {})
    for page in (decision_markdown(decision, made), *(draft_markdown(each) for each in made)):
        seen = parsed(renderer.render(page).encode())
        assert not seen.tags & {"a", "img", "script", "b", "style", "ol"}
        assert seen.tags <= {
            "h1",
            "h2",
            "p",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "li",
            "code",
            "strong",
            "blockquote",
        }
        assert all(line.count("\n") == 0 and shown(line) == line for line in page.split("\n"))
        assert "\x1b" not in page
        assert not any(line.startswith(("::", "##vso[", "##[", "=", "ALLOWED", "EOF")) for line in page.split("\n"))


def test_markdown_tables_keep_their_columns():
    decision = hostile_decision("a | b `c|d` \\| e")
    for page in (decision_markdown(decision, ()), *(draft_markdown(each) for each in drafts(decision, {}))):
        rows = [line for line in page.split("\n") if line.startswith("|")]
        widths = [line.replace("\\\\", "").replace("\\|", "").count("|") for line in rows]
        heads = [width for line, width in zip(rows, widths, strict=True) if set(line) <= set("|-")]
        assert set(widths) == set(heads)


@pytest.mark.parametrize("text", [plain_of(each) for each in HOSTILE])
def test_terminal_and_log_lines_stay_their_own(text):
    decision = hostile_decision(text)
    usual = summary_text(hostile_decision("plain"), 200, False, ["out/decision.json"]).split("\n")
    lines = summary_text(decision, 200, False, ["out/decision.json"]).split("\n")
    assert len(lines) == len(usual)
    assert lines[1].startswith("BLOCKED  ")
    for line in [*lines, one_line(decision)]:
        assert shown(line) == line
        assert len(line.splitlines()) == 1
        assert not line.lstrip().startswith("::")
        assert "##vso[" not in line
        assert "##[" not in line


@pytest.mark.parametrize("text", [plain_of(each) for each in HOSTILE])
def test_json_keeps_it_whole_and_file_names_come_from_digests(text):
    made = drafts(hostile_decision(text), {})
    assert len(made) == 2
    for draft in made:
        assert json.loads(json.dumps(draft)) == draft
        assert draft["external_id"].removeprefix("qd-").isalnum()
        assert draft["observations"][0]["subject"] == text


def test_html_loads_nothing_and_runs_nothing():
    page = render_html(hostile_decision("x"), ()).decode()
    assert "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">" in page
    assert not parsed(page.encode()).tags & {"script", "link", "img", "iframe", "object", "embed", "form", "svg", "base"}
    assert "url(" not in page
    assert "@import" not in page
