"""One self-contained page about a decision: for screen and paper, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import shown
from policyengine.outputs.reading import blocking, count_words, release_words, relaxation_words, verdict_word, why_words

_TEMPLATES = Path(__file__).parent / "templates"
_SUBJECTS_SHOWN = 25
_STATES = ("met", "supported", "not_met", "unknown", "not_yet_due", "waived", "not_applicable", "not_assessed")


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = lambda value: shown(str(value))
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    return environment.get_template("report.html.j2")


def render_html(decision: Mapping[str, Any], drafts: Sequence[Mapping[str, Any]], frameworks: Mapping[str, Any]) -> bytes:
    """UTF-8 HTML. ``frameworks`` maps an id to its title and the titles of its clauses."""
    digests = {each["name"]: each["digest"] for each in decision["evidence"]}
    rules = decision["rules"]
    page = _template().render(
        decision=decision, verdict=verdict_word(decision), release=release_words(decision), why=why_words(decision),
        relaxations=relaxation_words(decision), blockers=[(rule, count_words(rule)) for rule in blocking(decision)],
        failing=[r for r in rules if r["outcome"] in ("fail", "error")], waiting=[r for r in rules if r["outcome"] == "not_yet_due"],
        open_rules=[r for r in rules if r["outcome"] == "unknown"], passing=[r for r in rules if r["outcome"] in ("pass", "not_applicable", "waived")],
        count_words=count_words, drafts=drafts, digests=digests, limit=_SUBJECTS_SHOWN, frameworks=_frameworks(decision, frameworks), states=_STATES,
    )  # fmt: skip
    return str(page).encode("utf-8")


def _frameworks(decision: Mapping[str, Any], frameworks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each framework that the decision touches: how many clauses are in which state, and the clauses that rules speak to."""
    found = []
    for name in sorted({each["framework"] for each in decision["controls"]}):
        controls = [each for each in decision["controls"] if each["framework"] == name]
        titles = {control: said["title"] for control, said in frameworks.get(name, {}).get("controls", {}).items()}
        counts = {state: sum(each["state"] == state for each in controls) for state in _STATES}
        spoken = [{**each, "title": titles.get(each["control"], "")} for each in controls if each["state"] != "not_assessed"]
        found.append({"id": name, "title": frameworks.get(name, {}).get("title", name), "counts": counts, "controls": spoken, "total": len(controls)})
    return found
