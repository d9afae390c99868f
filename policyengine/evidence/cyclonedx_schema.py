"""CycloneDX JSON against its published schema, with the copies that ``cyclonedx-python-lib`` ships.

The one place that knows where that library keeps them; the library itself is not imported (its model is slow to load).
Formats of addresses are told as warnings, because real tools write ``${project.url}``; other formats are asserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest
from policyengine.evidence.declaration import pointer_part
from policyengine.evidence.notes import LISTED

VERSIONS = {
    "1.2": "bom-1.2-strict",
    "1.3": "bom-1.3-strict",
    "1.4": "bom-1.4",
    "1.5": "bom-1.5",
    "1.6": "bom-1.6",
    "1.7": "bom-1.7",
}
ADDRESS_FORMATS = frozenset({"iri-reference", "idn-email"})
_SHARED = ("spdx", "jsf-0.82", "cryptography-defs")
_PREFIX = "http://cyclonedx.org/schema/"
_WIDEST_VALUE = 60
MANY = 5_000
_TYPE_WORDS = {"object": "an object", "array": "a list", "string": "text", "number": "a number", "integer": "a whole number",
               "boolean": "true or false", "null": "null"}  # fmt: skip


def check_schema(document: Any, version: str, name: str) -> tuple[str, ...]:
    """Warnings of a document that its schema accepts, addresses apart. Others are refused: PE411, each place with its pointer.

    ``version`` is a key of :data:`VERSIONS`. At most twenty places are told one by one.
    """
    if _validator(version, addresses=True).is_valid(document):
        return ()
    problems: list[Diagnostic] = []
    for error in _faults(_validator(version, addresses=False), document):
        problems += _diagnostics(error, version, name)
        if len(problems) > LISTED:
            problems[LISTED:] = [Diagnostic("PE411", f"and more places that do not fit CycloneDX {version}", file=name)]
            break
    if problems:
        raise Refusal(*problems)
    faults = (_plainest(error) for error in _validator(version, addresses=True).iter_errors(document))
    return tuple(f"{_pointer(fault)}: {_message(fault)}" for fault in faults)


def _faults(validator: Any, document: Any) -> Iterable[Any]:
    """All faults; of a large document only the first, because the library collects all of them before it gives one."""
    import jsonschema_rs

    components = document.get("components")
    if not isinstance(components, list) or len(components) <= MANY:
        collected: Iterable[Any] = validator.iter_errors(document)
        return collected
    try:
        validator.validate(document)
    except jsonschema_rs.ValidationError as first:
        return (first,)
    return ()


@cache
def _validator(version: str, addresses: bool) -> Any:
    import jsonschema_rs

    schemas = {each: _schema(each) for each in (VERSIONS[version], *_SHARED)}
    if not addresses:
        for schema in schemas.values():
            _forget_address_formats(schema)
    registry = jsonschema_rs.Registry([(f"{_PREFIX}{each}.SNAPSHOT.schema.json", schemas[each]) for each in _SHARED])
    return jsonschema_rs.Draft7Validator(schemas[VERSIONS[version]], registry=registry, validate_formats=True)


def _schema(name: str) -> Any:
    import json

    found = find_spec("cyclonedx")
    places = found.submodule_search_locations if found is not None else None
    path = Path(next(iter(places or ()), "")) / "schema" / "_res" / f"{name}.SNAPSHOT.schema.json"
    try:
        return json.loads(path.read_bytes())
    except OSError:
        raise Refusal(Diagnostic("PE411", f"the schema `{name}` of CycloneDX is not installed",
                                 hint="install cyclonedx-python-lib again")) from None  # fmt: skip


def _forget_address_formats(schema: Any) -> None:
    todo = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if isinstance(form := node.get("format"), str) and form in ADDRESS_FORMATS:
                del node["format"]
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _diagnostics(error: Any, version: str, name: str) -> Iterator[Diagnostic]:
    fault = _plainest(error)
    pointer = _pointer(fault)
    if fault.kind.name != "additionalProperties":
        yield Diagnostic("PE411", _message(fault), file=name, pointer=pointer, hint=f"see the schema of CycloneDX {version}")
        return
    known = _names_at(fault, version)
    for unknown in sorted(fault.kind.unexpected):
        close = nearest(unknown, known)
        hint = f"did you mean `{close}`?" if close else "remove it, or put it under `properties`"
        message = f"there is no field `{_short(unknown)}` here in CycloneDX {version}"
        yield Diagnostic("PE411", message, file=name, pointer=f"{pointer}/{pointer_part(_short(unknown))}", hint=hint)


def _plainest(error: Any) -> Any:
    """Of alternatives that all failed, the fault of the one that came closest."""
    while error.kind.name in ("oneOf", "anyOf"):
        branches = [branch for branch in getattr(error.kind, "context", ()) if branch]
        if not branches:
            return error
        error = max(branches, key=lambda branch: (len(branch[0].instance_path), -len(branch)))[0]
    return error


def _message(fault: Any) -> str:
    kind, value = fault.kind, _short(fault.instance)
    if kind.name == "required":
        return f"`{kind.property}` is missing"
    if kind.name == "type":
        return f"{_word_for(fault.instance)} found, {' or '.join(_TYPE_WORDS.get(each, each) for each in kind.types)} expected"
    if kind.name == "enum":
        options = [str(each) for each in kind.options]
        close = nearest(value, options) if isinstance(fault.instance, str) else None
        few = f"one of {', '.join(options)} expected" if len(options) <= 16 else "it is not in the list of the specification"
        return f"`{value}` found, {few}" + (f"; did you mean `{close}`?" if close else "")
    if kind.name == "format":
        return f"`{value}` is not of the format {kind.format}"
    if kind.name == "pattern":
        return f"`{value}` does not have the form {kind.pattern}"
    if kind.name == "uniqueItems":
        return "an entry of the list is there twice"
    if kind.name == "minLength":
        return "an empty text found"
    words = str(fault.message)
    return f"`{value}` does not fit ({kind.name})" if len(words) > 2 * _WIDEST_VALUE else words[:1].lower() + words[1:]


def _names_at(fault: Any, version: str) -> list[str]:
    """The field names that the schema knows where a fault is; ``schema_path`` has its references resolved."""
    at: Any = _schema(VERSIONS[version])
    for part in list(fault.schema_path)[:-1]:
        at = at.get(str(part), {}) if isinstance(at, Mapping) else at[part] if isinstance(at, list) else {}
    return list(at.get("properties", ())) if isinstance(at, Mapping) else []


def _pointer(fault: Any) -> str:
    return "".join(f"/{pointer_part(str(part))}" for part in fault.instance_path)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else _word_for(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= _WIDEST_VALUE else text[:_WIDEST_VALUE] + ".."


def _word_for(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else "a number"
