"""One self-contained page about a decision: for screen and paper, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import shown
from policyengine.outputs.parameters import parameter_words
from policyengine.outputs.reading import (
    blocking,
    count_words,
    open_findings,
    reading_troubles,
    refused_waivers,
    relaxation_words,
    release_words,
    scope_words,
    verdict_word,
    waived_findings,
    why_words,
    worst_finding,
    worst_first,
)
from policyengine.outputs.wording import settled_by

_TEMPLATES = Path(__file__).parent / "templates"
_DRAWN_IN_FULL = 3
_SUBJECTS_SHOWN = 50
_STATES = ("met", "supported", "not_met", "unknown", "not_yet_due", "waived", "not_applicable", "not_assessed")
_FAILED = ("error", "fail")


def render_html(
    decision: Mapping[str, Any], drafts: Sequence[Mapping[str, Any]], frameworks: Mapping[str, Any] | None = None
) -> bytes:
    """UTF-8 HTML of a decision in the shape of ``docs/decision.md``. Texts of evidence are data: escaped, and without hidden characters.

    ``drafts`` are those of :func:`policyengine.outputs.capa.drafts`; ``frameworks`` maps an id to its title and the titles of its
    clauses, and may be left out, since a decision names the clauses that it touches.
    """
    rules = decision["rules"]
    page = _template().render(
        decision=decision,
        verdict=verdict_word(decision),
        release=release_words(decision),
        why=why_words(decision),
        scope=scope_words(decision),
        relaxations=relaxation_words(decision),
        blockers=[(rule, count_words(rule), worst_finding(rule)) for rule in blocking(decision)],
        failing=[_drawn(rule, _FAILED) for rule in worst_first(rules) if _has(rule, _FAILED)],
        unknown=[_drawn(rule, ("unknown",)) for rule in worst_first(rules) if _has(rule, ("unknown",))],
        waiting=open_findings(decision, "not_yet_due"),
        waived=waived_findings(decision),
        not_applied=refused_waivers(decision),
        troubles=reading_troubles(decision),
        holding=[rule for rule in rules if rule["outcome"] in ("pass", "not_applicable")],
        frameworks=_frameworks(decision, frameworks or {}),
        states=_STATES,
        drafts=drafts,
        digests={each["name"]: each["digest"] for each in decision["evidence"]},
        count_words=count_words,
        settled_by=settled_by,
    )
    return str(page).encode("utf-8")


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = lambda value: shown(str(value))
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    environment.filters["parameter"] = lambda value, name: shown(parameter_words(str(name), value))
    return environment.get_template("report.html.j2")


def _has(rule: Mapping[str, Any], outcomes: tuple[str, ...]) -> bool:
    return rule["outcome"] in outcomes or any(each["outcome"] in outcomes for each in rule["findings"])


def _drawn(rule: Mapping[str, Any], outcomes: tuple[str, ...]) -> dict[str, Any]:
    """A rule with its findings of these outcomes: the first few in full, the others as rows, and how many are left out."""
    found = [each for each in rule["findings"] if each["outcome"] in outcomes]
    rows = found[_DRAWN_IN_FULL:_SUBJECTS_SHOWN]
    return {"rule": rule, "full": found[:_DRAWN_IN_FULL], "rows": rows, "left_out": max(0, len(found) - _SUBJECTS_SHOWN)}


def _frameworks(decision: Mapping[str, Any], frameworks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each framework that the decision touches: how many clauses are in which state, and the clauses that rules speak to."""
    found = []
    for name in sorted({each["framework"] for each in decision["controls"]}):
        catalogue = frameworks.get(name, {})
        controls = [each for each in decision["controls"] if each["framework"] == name]
        titles = {control: said["title"] for control, said in catalogue.get("controls", {}).items()}
        spoken = [
            {**each, "title": titles.get(each["control"]) or each.get("title") or ""}
            for each in controls
            if each["state"] != "not_assessed"
        ]
        counts = {state: sum(each["state"] == state for each in controls) for state in _STATES}
        title = str(catalogue.get("title") or name)
        found.append({"id": name, "title": title, "status": catalogue.get("status"), "counts": counts, "controls": spoken})
    return found
