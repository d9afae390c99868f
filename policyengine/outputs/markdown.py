"""A decision as Markdown, for a merge request or a wiki: verdict, what blocks with every finding, clauses counted, evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policyengine.outputs.markdown_escape import code, escaped
from policyengine.outputs.reading import (
    blocking,
    clauses_of,
    count_words,
    relaxation_words,
    release_words,
    verdict_word,
    why_words,
)

_FINDINGS = 20


def decision_markdown(decision: Mapping[str, Any], drafts: Sequence[Mapping[str, Any]]) -> str:
    """One page; every text of the evidence is escaped."""
    return "\n".join(_lines(decision, drafts)) + "\n"


def _lines(decision: Mapping[str, Any], drafts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"# {escaped(verdict_word(decision).upper())}: {escaped(release_words(decision))}"
    yield ""
    for each in relaxation_words(decision):
        yield f"- relaxed: {escaped(each)}"
    yield f"{escaped(why_words(decision))}. Decision {code(decision['id'])}, evaluated at {escaped(decision['evaluated_at'])}."
    for rule in blocking(decision):
        yield ""
        yield f"## {escaped(rule['outcome']).replace('_', ' ')}: {escaped(rule['title'])}"
        yield f"{code(rule['id'])}, {escaped(rule['severity'])}, {escaped(', '.join(clauses_of(rule)))}; {escaped(count_words(rule))}"
        yield ""
        for finding in rule["findings"][:_FINDINGS]:
            yield f"- {code(finding['subject'])}: {escaped(finding['message'])}"
        if len(rule["findings"]) > _FINDINGS:
            yield f"- and {len(rule['findings']) - _FINDINGS} more"
    yield ""
    yield "## Evidence"
    yield ""
    yield "| name | format | digest | verified |"
    yield "|---|---|---|---|"
    for item in decision["evidence"]:
        verified = {True: "yes", False: "no", None: "not signed"}[item["verified"]]
        yield f"| {escaped(item['name'])} | {escaped(item['format'])} | {code(item['digest'])} | {verified} |"
    if drafts:
        yield ""
        yield "## Quality drafts"
        yield ""
        for draft in drafts:
            yield f"- {code(draft['external_id'])} {escaped(draft['title'])}"
