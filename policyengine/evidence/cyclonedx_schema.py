"""CycloneDX JSON against its published schema, with the copies that ``cyclonedx-python-lib`` ships.

The one place that knows where that library keeps them. URL formats are told as warnings: real tools write ``${project.url}``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest

VERSIONS = {
    "1.2": "bom-1.2-strict",
    "1.3": "bom-1.3-strict",
    "1.4": "bom-1.4",
    "1.5": "bom-1.5",
    "1.6": "bom-1.6",
    "1.7": "bom-1.7",
}
_SHARED = ("spdx", "jsf-0.82", "cryptography-defs")
_PREFIX = "http://cyclonedx.org/schema/"
_LISTED = 20
MANY = 5_000
_LENIENT_FORMATS = ("iri-reference", "idn-email", "uri", "iri", "email")


@cache
def _validator(version: str) -> Any:
    import jsonschema_rs

    shared = [(f"{_PREFIX}{name}.SNAPSHOT.schema.json", _schema(name)) for name in _SHARED]
    registry = jsonschema_rs.Registry([(uri, schema) for uri, schema in shared if schema is not None])
    return jsonschema_rs.Draft7Validator(_schema(VERSIONS[version]), registry=registry, validate_formats=True)


def _schema(name: str) -> Any:
    import json

    found = find_spec("cyclonedx")
    if found is None or not found.submodule_search_locations:
        raise Refusal(Diagnostic("PE411", "cyclonedx-python-lib is not installed", hint="install policyengine-gxp again"))
    path = Path(found.submodule_search_locations[0]) / "schema" / "_res" / f"{name}.SNAPSHOT.schema.json"
    return json.loads(path.read_bytes()) if path.is_file() else None


def check_schema(document: Any, version: str, name: str) -> tuple[str, ...]:
    """Warnings of a document that its schema accepts but for URL formats. Others are refused: PE411, up to twenty at once."""
    validator = _validator(version)
    if validator.is_valid(document):
        return ()
    warnings: list[str] = []
    problems: list[Diagnostic] = []
    for error in _errors(validator, document):
        pointer = "".join(f"/{part}" for part in error.instance_path)
        words = str(error.message)
        if len(words) > 200:
            words = words[:200] + " ..."
        if any(f'"{form}"' in words for form in _LENIENT_FORMATS):
            warnings.append(f"{pointer}: {words}")
        else:
            problems.append(Diagnostic("PE411", words, file=name, pointer=pointer, hint=_hint(words, error)))
        if len(problems) > _LISTED:
            break
    if not problems:
        return tuple(warnings[:_LISTED])
    shown = problems[:_LISTED]
    if len(problems) > _LISTED:
        shown.append(Diagnostic("PE411", f"more than {_LISTED} places do not fit the schema of CycloneDX {version}", file=name))
    raise Refusal(*shown)


def _errors(validator: Any, document: Any) -> Iterable[Any]:
    """All faults; of a large document only the first, if it is one that counts: to collect them takes the time of all."""
    import jsonschema_rs

    components = document.get("components") if isinstance(document, dict) else None
    if isinstance(components, list) and len(components) > MANY:
        try:
            validator.validate(document)
        except jsonschema_rs.ValidationError as first:
            if not any(f'"{form}"' in str(first.message) for form in _LENIENT_FORMATS):
                return [first]
    found: Iterable[Any] = validator.iter_errors(document)
    return found


def _hint(words: str, error: Any) -> str:
    if "Additional properties" not in words:
        return "the published schema of CycloneDX was not met here"
    at: Any = _validator_properties(error)
    unknown = words.split("'")[1] if "'" in words else ""
    close = nearest(unknown, at) if unknown and at else None
    return f"did you mean `{close}`?" if close else "remove it, or put it under `properties`"


def _validator_properties(error: Any) -> list[str]:
    """The names that the schema knows at the place of an error."""
    schema = _schema(VERSIONS["1.6"]) or {}
    at: Any = schema
    for part in list(error.schema_path)[:-1]:
        if isinstance(at, dict) and "$ref" in at and str(at["$ref"]).startswith("#/definitions/"):
            at = schema["definitions"].get(str(at["$ref"]).rsplit("/", 1)[-1], {})
        at = at.get(str(part), {}) if isinstance(at, dict) else {}
    return list(at.get("properties", ())) if isinstance(at, dict) else []
