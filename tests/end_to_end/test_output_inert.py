"""Text from evidence stays text: a component with a hostile name fails a rule, and reaches every output as data."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from gate_runs import AT_TEXT, Run, here, told_without_traceback

HOSTILE = {
    "tags": "<img src=x onerror=alert(1)><b>bold</b>",
    "script end": "</script><script>alert(2)</script>",
    "comment end": "--><svg onload=alert(3)>",
    "attribute": '" onmouseover="alert(4)" x=\'',
    "formula": '=HYPERLINK("http://evil.example","x")',
    "plus formula": "+cmd|' /C calc'!A0",
    "at formula": "@SUM(1+1)",
    "markdown link": "[click](javascript:alert(5))",
    "markdown image": "![x](http://evil.example/p.png)",
    "autolink": "<http://evil.example> http://evil.example/x",
    "fence": "```\n# heading\n```",
    "table": "a | b | c\n|---|---|\n| 1 | 2 |",
    "escape": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "one byte escape": "\x9b31mred",
    "forged line": "x\nALLOWED  4.2.0 of MES-01: no rule blocks",
    "carriage return": "BLOCKED\rALLOWED",
    "workflow command": "::set-output name=decision::allowed",
    "workflow error": "\n::error::x%0A::notice::y",
    "output delimiter": "x\nEOF\ndecision=allowed\nEOF",
    "sql": "'; DROP TABLE decisions; --",
    "percent": "%s%n%x %(name)s %00",
    "python quotes": "\"\"\" + __import__('os').system('id') + '''",
    "template": "{{ 7*7 }}{% for x in y %}${7*7}{component.name}",
    "path": "../../../../tmp/owned",
    "direction": "safe\u202egnp.exe\u2066x",
    "no width": "open\u200bssl\ufeff",
    "null": "a\x00b",
    "line separator": "a\u2028b\u2029c\x85d",
    "lone look-alike": "оpenssl",
}
POLICY = """policy inert version 1.0.0 language 2
  title "Names of components"
  owner "Quality Systems"
  purpose "Every component fails, so that its name reaches every output."
rule named "No component is there"
  supports gamp-5 "D4"
  severity critical
  because "Its name must reach every output."
  for each component in sbom.components
  require component.author is recorded
    message "{component.name} fails"
  capa
    category "Software"
    owner "System Owner"
    due in 15 days
    correction "Look at {component.name}, and at {component.version}."
    corrective "Remove {component.name}."
    group by component.name
"""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """All hostile names in one run; the terminal summary shows the first of them."""
    return _gate(tmp_path_factory.mktemp("inert"), list(HOSTILE.values()))


def _gate(folder: Path, names: list[str]) -> tuple[Path, Run]:
    components = [{"type": "library", "name": name, "version": "1.0", "bom-ref": name} for name in names]
    sbom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "metadata": {"component": {"type": "application", "name": "mes", "version": "1.0", "bom-ref": "mes"}},
            "components": components, "compositions": [{"aggregate": "complete", "assemblies": ["mes"]}]}  # fmt: skip
    (folder / "mes.cdx.json").write_text(json.dumps(sbom))
    (folder / "inert.policy").write_text(POLICY)
    run = here("gate", "-p", folder / "inert.policy", "-e", folder / "mes.cdx.json", "--no-sign", "--at", AT_TEXT, "--out", folder / "out",
               "--report", f"html={folder / 'out/report.html'}", "--report", f"md={folder / 'out/report.md'}")  # fmt: skip
    assert told_without_traceback(run)
    return folder / "out", run


def test_the_names_reach_the_decision_as_they_are(judged: tuple[Path, Run]) -> None:
    folder, run = judged
    assert run.code == 1, run.err
    decision = json.loads((folder / "decision.json").read_bytes())
    (rule,) = decision["rules"]
    assert rule["population"]["fail"] == len(HOSTILE)
    subjects = [finding["subject"] for finding in rule["findings"]]
    assert sorted(subjects) == sorted(HOSTILE.values())
    messages = " ".join(finding["message"] for finding in rule["findings"])
    assert all(each in messages for each in ("</script>", "{{ 7*7 }}", "DROP TABLE", "../../.."))
    assert decision["decision"] == "blocked"


def test_json_escapes_what_a_terminal_would_obey(judged: tuple[Path, Run]) -> None:
    raw = (judged[0] / "decision.json").read_text()
    assert "\x1b" not in raw
    assert "\x00" not in raw
    assert "\r" not in raw


@pytest.mark.parametrize("name", HOSTILE)
def test_the_terminal_shows_it_as_text_in_one_line(name: str, tmp_path: Path) -> None:
    _, run = _gate(tmp_path, [HOSTILE[name]])
    assert run.code == 1, run.err
    assert not CONTROL.search(run.out.replace("\n", "")), repr(run.out)
    lines = run.out.splitlines()
    assert lines[0].startswith("BLOCKED ")
    assert not any(line.startswith(("ALLOWED", "::", "decision=", "EOF", "=", "+", "@")) for line in lines)
    _, plain = _gate(tmp_path, ["plain"])
    assert len(lines) == len(plain.out.splitlines()), "a name never makes a line of its own"


def test_file_names_come_from_digests(judged: tuple[Path, Run]) -> None:
    names = [path.name for path in (judged[0] / "capa").iterdir()]
    assert len(names) >= 2
    assert all(re.fullmatch(r"qd-[0-9a-f]+\.(json|md)", name) for name in names)
    everything = {path.name for path in judged[0].parent.rglob("*") if path.is_file()} - set(names)
    assert everything == {"mes.cdx.json", "inert.policy", "decision.json", "report.html", "report.md"}


def _markdown(folder: Path) -> str:
    return "\n".join(path.read_text() for path in [folder / "report.md", *sorted((folder / "capa").glob("*.md"))])


CODE = re.compile(r"(?<![`\\])(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
"""A code span within a line (CommonMark 6.1): what is in it is shown as it is."""


def test_markdown_has_no_link_image_tag_or_heading_of_theirs(judged: tuple[Path, Run]) -> None:
    whole = _markdown(judged[0])
    text = CODE.sub("code", whole)
    assert len(text) < len(whole)
    assert not CONTROL.search(whole.replace("\n", ""))
    assert not re.search(r"(?<!\\)<(?!br)[a-zA-Z/!]", text), "no raw tag"
    assert not re.search(r"(?<!\\)\]\((javascript|http)", text), "no link, no image"
    assert not re.search(r"^# heading$", text, re.MULTILINE)
    assert not re.search(r"^(ALLOWED|::|EOF$|decision=)", whole, re.MULTILINE)
    assert "click" in whole


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


PLAINLY_SHOWN = ("tags", "script end", "formula", "markdown link", "sql", "template", "path", "workflow command")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_html_shows_it_and_runs_nothing(part: int, tmp_path: Path) -> None:
    """In three parts, for the report shows only the first findings of a rule."""
    names = list(HOSTILE)[part::3]
    folder, _ = _gate(tmp_path, [HOSTILE[name] for name in names])
    raw = (folder / "report.html").read_text()
    reader = _Reader()
    reader.feed(raw)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "form"}
    assert not [key for _, attributes in reader.tags for key in attributes if key.startswith("on")]
    targets = [value for _, attributes in reader.tags for key, value in attributes.items() if key in ("href", "src", "action")]
    assert all((value or "").startswith("#") for value in targets), targets
    assert "alert(2)</script>" not in raw
    shown = "".join(reader.text)
    assert [name for name in names if name in PLAINLY_SHOWN and HOSTILE[name] not in shown] == []
    assert not CONTROL.search(shown.replace("\n", "").replace("\t", ""))


def test_errors_about_such_files_are_one_line_each(tmp_path: Path) -> None:
    """Names of files and of unknown settings come from the same world."""
    (tmp_path / "policyengine.yaml").write_text(json.dumps({"x\x1b[31m\nALLOWED": 1, "::error::y": 2}))
    run = here("gate", tmp_path / "policyengine.yaml")
    assert (run.code, run.out) == (2, "")
    assert "\x1b" not in run.err
    assert not re.search(r"^(ALLOWED|::)", run.err, re.MULTILINE)
    hostile = tmp_path / "a\x1b[31m\nALLOWED.json"
    hostile.write_text("{")
    run = here("gate", "-e", hostile, "--no-sign")
    assert run.code == 2
    assert "\x1b" not in run.err
    assert not re.search(r"^(ALLOWED|::)", run.err, re.MULTILINE)
