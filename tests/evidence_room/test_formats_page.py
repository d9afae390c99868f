"""The page on formats says what the program does."""

import re
from pathlib import Path

from policyengine.core import strict_json, strict_yaml
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence import attestation, cyclonedx, cyclonedx_components, files, predicates
from policyengine.evidence.cyclonedx_schema import MANY, VERSIONS
from policyengine.signing import envelope, verify

PAGE = (Path(__file__).parents[2] / "docs" / "evidence-formats.md").read_text()


def test_versions_are_those_that_are_read() -> None:
    assert f"| CycloneDX, JSON | {', '.join(VERSIONS)} |" in PAGE
    assert f"| Sigstore bundle, JSON | {', '.join(sorted(set(verify.MEDIA_TYPES.values())))} |" in PAGE


def test_predicate_types_are_those_that_feed_roots() -> None:
    told = {
        kind: row[2]
        for row in re.finditer(r"^\| (`(?:https|urn):.*`) \| `(\w+)` \|$", PAGE, re.MULTILINE)
        for kind in re.findall(r"`(.+?)`", row[1])
    }
    assert set(told) == set(predicates._READERS) - {predicates.GXP}
    assert set(told.values()) <= set(vocabulary().roots)


def test_limits_are_those_of_the_program() -> None:
    for words in (f"`JSON depth` | {strict_json.MAX_DEPTH} |", f"| {strict_json.MAX_EXPONENT}, {strict_json.MAX_DIGITS} |",
                  f"`component depth` | {cyclonedx_components.MAX_COMPONENT_DEPTH} |", f"| {attestation.MAX_ENVELOPES:,}, {envelope.MAX_SIGNATURES} |",
                  f"| {files.MAX_FILE_BYTES >> 30} GiB, {files.MAX_FILES:,} |",
                  f"| {strict_yaml.MAX_BYTES >> 20} MiB, {strict_yaml.MAX_DEPTH}, {strict_yaml.MAX_NODES:,} |", f"more than {MANY:,} components"):  # fmt: skip
        assert words in PAGE, words


def test_codes_are_those_that_are_raised() -> None:
    source = "".join(p.read_text() for p in Path(cyclonedx.__file__).parent.glob("*.py"))
    source += Path(strict_json.__file__).read_text()
    for code in re.findall(r"^\| (PE4\d\d) \|", PAGE, re.MULTILINE):
        assert f'"{code}"' in source, code
