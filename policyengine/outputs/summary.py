"""The verdict on one screen, for terminals and CI logs.

Text of evidence never begins a line: it is wrapped with an indent where a terminal has a width, and made inert, so it cannot
forge a line, a colour or a CI command.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.core.diagnostic import shown
from policyengine.outputs.reading import (
    blocking,
    clauses_of,
    count_words,
    counted,
    reading_troubles,
    refused_waivers,
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
INDENT = " " * 6
ESCAPE = 7
_COMMAND = re.compile(r"(?<!\S)::|##(?=\[|vso\[|teamcity\[)")
_COLOURS = {"blocked": "31;1", "allowed with warnings": "33;1", "allowed": "32;1"}


def summary_text(decision: Mapping[str, Any], width: int | None, colour: bool, files: Sequence[str] = ()) -> str:
    """Relaxations, the verdict line, one line for each blocking rule, waivers that did not count, evidence that could not be
    read, the count of warnings, then where the files are.

    ``width`` in columns to wrap at (at least 40 are used; the verdict line is never broken); None or 0, as for a pipe, wraps
    nothing. Nothing is cut. ``files`` are paths as they should be shown. No final newline.
    """
    width = max(NARROWEST, width) if width else 0
    word = verdict_word(decision)
    lines = [_wrapped(f"! relaxed: {each}", width) for each in relaxation_words(decision)]
    lines.append(_painted(inert(_verdict_line(decision)), _COLOURS.get(word, "31;1"), colour))
    rules = blocking(decision)
    lines += [_wrapped(_rule_line(rule), width) for rule in rules[:MOST_LINES]]
    if len(rules) > MOST_LINES:
        lines.append(f"  and {counted(len(rules) - MOST_LINES, 'more blocking rule')}")
    lines += _some([f"waiver {name} not applied: {why}" for name, why in refused_waivers(decision)], "waiver not applied",
                   "waivers not applied", width)  # fmt: skip
    troubles = [f"evidence {each}" for each in reading_troubles(decision)]
    lines += _some(troubles, "remark on evidence", "remarks on evidence", width)
    warned = warning(decision)
    if warned:
        named = ", ".join(rule["id"] for rule in warned)
        lines.append(_wrapped(f"  {counted(len(warned), 'warning')}: {named}", width))
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
    return _without_commands(shown(text))


def _without_commands(text: str) -> str:
    return _COMMAND.sub(lambda found: f"{found[0][0]}\\u{{{ord(found[0][1]):04x}}}", text)


def _verdict_line(decision: Mapping[str, Any]) -> str:
    return f"{verdict_word(decision).upper()}  {release_words(decision)}: {why_words(decision)} ({scope_words(decision)})"


def _rule_line(rule: Mapping[str, Any]) -> str:
    finding = worst_finding(rule)
    message = finding["message"] if finding else rule["title"]
    clauses = clauses_of(rule)
    clause = f" [{clauses[0]}" + (f" +{len(clauses) - 1}" if len(clauses) > 1 else "") + "]" if clauses else ""
    outcome = "FAIL" if rule["outcome"] == "fail" else str(rule["outcome"]).replace("_", " ").upper()
    return f"  {outcome:<8}{rule['id']}{clause} {count_words(rule)}: {message}"


def _some(texts: Sequence[str], one: str, many: str, width: int) -> list[str]:
    lines = [_wrapped(f"  {each}", width) for each in texts[:MOST_LINES]]
    more = len(texts) - MOST_LINES
    return [*lines, f"  and {more} more {one if more == 1 else many}"] if more > 0 else lines


def _wrapped(text: str, width: int) -> str:
    """Inert, in lines of at most this many columns (0: one line). A word too long is broken, and its parts are inert again."""
    safe = inert(text)
    if not width or len(safe) <= width:
        return safe
    lines = textwrap.wrap(safe, width - ESCAPE, subsequent_indent=INDENT, break_on_hyphens=False)
    return "\n".join(_without_commands(line) for line in lines)


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
