"""Text from anywhere as inert Markdown (CommonMark and GFM): no link, image, HTML, table cell, list, formula or template in it."""

from __future__ import annotations

import re

from policyengine.core.diagnostic import shown

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&!$^])")
_SCHEME = re.compile(r"([A-Za-z][0-9A-Za-z+.-]*):(?=//)|\b(mailto|xmpp|javascript|data):", re.IGNORECASE)
_LINE_START = re.compile(r"^(\s*)([-+=:%]|\d+[.)](?=\s|$))")


def escaped(text: object) -> str:
    """One line of prose. Control characters, line ends among them, are shown as ``\\u{000a}``."""
    safe = _SPECIAL.sub(r"\\\1", shown(str(text)))
    safe = _SCHEME.sub(lambda found: f"{found[1] or found[2]}\\:", safe)
    safe = re.sub(r"\bwww\.", r"www\\.", safe, flags=re.IGNORECASE).replace("@", "&#64;")
    return _LINE_START.sub(_guarded, safe)


def code(text: object) -> str:
    """A code span for ids and values: longer backticks outside than inside, safe in a table cell, never empty."""
    safe = shown(str(text)) or " "
    # A table ends its cell at a pipe after two backslashes, and a code span cannot escape the first of them.
    safe = safe.replace("|", r"\u{007c}" if "\\" in safe else r"\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", safe)), default=0) + 1)
    padding = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{fence}{padding}{safe}{padding}{fence}"


def _guarded(found: re.Match[str]) -> str:
    mark = found[2]
    return found[1] + (f"{mark[:-1]}\\{mark[-1]}" if mark[-1] in ".)" else f"\\{mark}")
