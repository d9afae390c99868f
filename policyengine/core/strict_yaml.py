"""The one reader of YAML: plain data only. No tags, anchors, aliases, duplicate keys, tabs; bounded size, depth and number of nodes.

Scalars: ``true`` and ``false``, ``null`` or nothing, whole numbers and decimals (exact) where unquoted; everything else,
dates and times included, stays text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal, Source, Span

MAX_BYTES = 4 << 20
MAX_DEPTH = 50
MAX_NODES = 200_000
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d{0,17})\.\d{1,18}")
_QUOTED = ('"', "'", "|", ">")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}


def load_yaml(raw: bytes, name: str) -> object:
    """Plain data: dict, list, str, int, Decimal, bool, None. Raises :class:`Refusal` PE403 with line and column."""
    import yaml

    if len(raw) > MAX_BYTES:
        message = f"{len(raw)} bytes; the limit `YAML size` is {MAX_BYTES}"
        raise Refusal(Diagnostic("PE403", message, file=name, hint="split the file, or use JSON Lines for rows"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        message = f"byte {problem.start} is not UTF-8"
        raise Refusal(Diagnostic("PE402", message, file=name, hint="save the file as UTF-8")) from None
    source = Source(name, text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_extras(yaml.parse(text, Loader=loader), source)
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as problem:
        raise Refusal(
            _fault(source, problem.problem_mark, problem.problem or "not YAML", "see the line above it too")
        ) from None
    except yaml.YAMLError as problem:
        raise Refusal(Diagnostic("PE403", f"not YAML: {problem}".split("\n")[0], file=name)) from None
    return None if node is None else _data(node, source)


def _refuse_extras(events: Any, source: Source) -> None:
    import yaml

    depth = documents = nodes = 0
    for event in events:
        mark = event.start_mark
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MAX_NODES:
            message = f"more values than the limit `YAML nodes` of {MAX_NODES}"
            raise Refusal(_fault(source, mark, message, "split the file, or use JSON Lines for rows"))
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Refusal(_fault(source, mark, "a second document begins", "keep one document in a file"))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refusal(_fault(source, mark, "anchors and aliases are not read", "write the value out"))
        if getattr(event, "tag", None) is not None and getattr(event, "tag", "") != "!":
            raise Refusal(_fault(source, mark, f"the tag `{event.tag}` is not read", "remove the tag"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise Refusal(_fault(source, mark, f"nested deeper than the limit `YAML depth` of {MAX_DEPTH}", "flatten it"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _data(node: Any, source: Source) -> object:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_data(each, source) for each in node.value]
    found: dict[str, object] = {}
    for key_node, value in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise Refusal(_fault(source, key_node.start_mark, "a key is not text", "use a plain word as key"))
        key = key_node.value
        if key in found:
            raise Refusal(_fault(source, key_node.start_mark, f"the key `{key}` is there twice", "keep one of them"))
        found[key] = _data(value, source)
    return found


def _scalar(node: Any) -> object:
    text: str = node.value
    if node.style in _QUOTED:
        return text
    if text.lower() in _WORDS and text in (text.lower(), text.capitalize(), text.upper()):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _fault(source: Source, mark: Any, message: str, hint: str) -> Diagnostic:
    start = mark.index if mark is not None and mark.index is not None else 0
    start = min(start, len(source.text))
    return Diagnostic.at(source, Span(start, start + 1), "PE403", message, hint=hint)
