"""What the documentation shows is true: every policy in it compiles and holds, every YAML in it can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from policyengine.core.diagnostic import Severity
from policyengine.core.strict_yaml import load_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.packs.cases import run_cases
from policyengine.packs.library import PolicyFile, compile_all, find_policies, shipped

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT).as_posix()
    found = []
    for each in FENCE.finditer(text):
        body = "\n".join(line.removeprefix(each["indent"]) for line in each["text"].split("\n"))
        found.append(Block(name, text.count("\n", 0, each.start()) + 2, each["kind"], body))
    return found


BLOCKS = [block for page in PAGES if page.is_file() for block in blocks(page)]
POLICIES = [block for block in BLOCKS if block.kind == "policy"]
YAML = [block for block in BLOCKS if block.kind in ("yaml", "yml")]


def test_there_is_something_to_check() -> None:
    assert len(POLICIES) >= 8
    assert {block.page for block in POLICIES} >= {"docs/language/evaluation.md"}


@pytest.mark.parametrize("block", POLICIES, ids=[block.place for block in POLICIES])
def test_a_policy_that_is_shown_compiles_and_holds(block: Block) -> None:
    library = find_policies([shipped("policies")])
    compiled = compile_all([*library, PolicyFile(block.place, block.text.encode())])[-1]
    errors = [each.render() for each in compiled.diagnostics if each.severity is Severity.ERROR]
    assert compiled.plan is not None, "\n".join(errors)
    assert compiled.tests, "a policy in the documentation shows its tests"
    wrong = [
        f"{result.title}: {each.rule} {each.subject or ''} expected {each.expected}, got {each.got} {each.why}"
        for result in run_cases(compiled.plan, compiled.tests, vocabulary())
        for each in result.differences
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("block", YAML, ids=[block.place for block in YAML])
def test_yaml_that_is_shown_is_read(block: Block) -> None:
    assert load_yaml(block.text.encode(), block.place) is not None


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_fence_is_closed_and_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) % 2 == 0
    broken = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert not broken
