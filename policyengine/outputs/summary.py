"""The verdict on one screen, for terminals and CI logs.

Text of evidence never begins a line and is cut, not wrapped, so it cannot forge a line, a colour or a CI command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.core.diagnostic import shown
from policyengine.outputs.reading import (
    blocking,
    clauses_of,
    count_words,
    counted,
    relaxation_words,
    release_words,
    scope_words,
    verdict_word,
    warning,
    why_words,
    worst_finding,
)

NARROWEST = 40
MOST_LINES = 20
_COMMAND = re.compile(r"(?<!\S)::|##(?=\[|vso\[|teamcity\[)")
_COLOURS = {"blocked": "31;1", "allowed with warnings": "33;1", "allowed": "32;1"}


def summary_text(decision: Mapping[str, Any], width: int, colour: bool, files: Sequence[str] = ()) -> str:
    """Relaxations, the verdict line, one line for each blocking rule, the count of warnings, then where the files are.

    ``width`` in columns (at least 40 are used; the verdict line is never cut); ``files`` are paths as they should be shown.
    No final newline.
    """
    width = max(NARROWEST, width)
    word = verdict_word(decision)
    lines = [_cut(f"! relaxed: {each}", width) for each in relaxation_words(decision)]
    lines.append(_painted(inert(_verdict_line(decision)), _COLOURS.get(word, "31;1"), colour))
    rules = blocking(decision)
    lines += [_cut(_rule_line(rule), width) for rule in rules[:MOST_LINES]]
    if len(rules) > MOST_LINES:
        lines.append(f"  and {counted(len(rules) - MOST_LINES, 'more blocking rule')}")
    warned = warning(decision)
    if warned:
        named = ", ".join(rule["id"] for rule in warned)
        lines.append(_cut(f"  {counted(len(warned), 'warning')}: {named}", width))
    if drafted := decision.get("quality_drafts"):
        lines.append(f"  {counted(len(drafted), 'quality draft')}")
    lines += [f"  {inert(each)}" for each in files]
    return "\n".join(lines)


def one_line(decision: Mapping[str, Any]) -> str:
    """The verdict line and how much was relaxed, for a CI log. No newline in it."""
    relaxed = len(relaxation_words(decision))
    return inert(_verdict_line(decision)) + (f"; {counted(relaxed, 'relaxation')}" if relaxed else "")


def inert(text: str) -> str:
    """Control characters escaped, and nothing that a CI system reads as a command."""
    return _COMMAND.sub(lambda found: f"{found[0][0]}\\u{{{ord(found[0][1]):04x}}}", shown(text))


def _verdict_line(decision: Mapping[str, Any]) -> str:
    return f"{verdict_word(decision).upper()}  {release_words(decision)}: {why_words(decision)} ({scope_words(decision)})"


def _rule_line(rule: Mapping[str, Any]) -> str:
    finding = worst_finding(rule)
    message = finding["message"] if finding else rule["title"]
    clauses = clauses_of(rule)
    clause = f" [{clauses[0]}" + (f" +{len(clauses) - 1}" if len(clauses) > 1 else "") + "]" if clauses else ""
    outcome = "FAIL" if rule["outcome"] == "fail" else str(rule["outcome"]).replace("_", " ").upper()
    return f"  {outcome:<8}{rule['id']}{clause} {count_words(rule)}: {message}"


def _cut(text: str, width: int) -> str:
    safe = inert(text)
    return safe if len(safe) <= width else safe[: width - 1].rstrip() + "…"


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
