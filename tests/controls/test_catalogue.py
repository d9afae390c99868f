"""The shipped catalogues are whole, and a catalogue with any fault is refused as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyengine.controls.catalogue import Automation, Catalogue, Status, load_catalogue
from policyengine.core.canonical import sha256_of
from policyengine.core.diagnostic import Refusal

FRAMEWORKS = Path(__file__).parents[2] / "frameworks"
COUNTS = {
    "21-cfr-part-11": (18, 16, 4),
    "eu-annex-11-2011": (15, 18, 0),
    "gamp-5": (21, 26, 4),
    "ich-q10": (1, 17, 8),
    "dscsa": (23, 14, 0),
    "eu-annex-22-2025-draft": (12, 12, 0),
}
SMALL = """
catalogue: 1
framework:
  id: site-standard
  title: Site standard
  long_title: Site standard for systems
  issuer: Site quality
  jurisdiction: site
  status: guidance
  effective: "2026-01"
  edition: first
  as_of: "2026-02-01"
  currency: current
  licence: own
  scope: null
  notes: []
  sources: {S: Site standard}
controls:
  - id: "1"
    key: SITE-1
    title: Records
    kind: requirement
    requirement: Records are kept.
    automation: partial
    evidence: [record-store]
    severity: minor
    severity_reason: Small effect.
    citations: [S 1]
    verified: source
"""


def shipped() -> list[Catalogue]:
    files = sorted(FRAMEWORKS.glob("*/catalogue.yaml"))
    return [load_catalogue(file.read_bytes(), f"{file.parent.name}/catalogue.yaml") for file in files]


def codes(text: str) -> list[str]:
    with pytest.raises(Refusal) as refused:
        load_catalogue(text.encode(), "site.yaml")
    assert all(d.file == "site.yaml" for d in refused.value.diagnostics)
    return [d.code for d in refused.value.diagnostics]


def test_every_shipped_catalogue_loads_with_its_number_of_clauses() -> None:
    found = {
        catalogue.id: tuple(sum(c.automation is a for c in catalogue.controls.values()) for a in Automation)
        for catalogue in shipped()
    }
    assert found == COUNTS


@pytest.mark.parametrize("folder", sorted(COUNTS))
def test_a_catalogue_stands_in_the_folder_of_its_id_and_carries_the_digest_of_its_bytes(folder: str) -> None:
    raw = (FRAMEWORKS / folder / "catalogue.yaml").read_bytes()
    catalogue = load_catalogue(raw, "x")
    assert catalogue.id == folder
    assert catalogue.digest == sha256_of(raw)


def test_ids_are_the_keys_and_keys_are_unique_over_all_frameworks() -> None:
    catalogues = shipped()
    assert all(control_id == control.id for c in catalogues for control_id, control in c.controls.items())
    keys = [control.key for c in catalogues for control in c.controls.values()]
    assert len(keys) == len(set(keys)) == 209


def test_every_citation_names_a_source_of_its_framework() -> None:
    for catalogue in shipped():
        for control in catalogue.controls.values():
            for citation in control.citations:
                assert citation.split()[0].rstrip(",") in catalogue.sources, (catalogue.id, control.id, citation)


def test_drafts_are_observations_and_nothing_else_is_a_draft() -> None:
    drafts = [c for c in shipped() if c.status is Status.DRAFT]
    assert [c.id for c in drafts] == ["eu-annex-22-2025-draft"]
    assert {control.severity for c in drafts for control in c.controls.values()} == {"observation"}
    assert drafts[0].effective is None


def test_own_words_in_the_words_of_this_product() -> None:
    for catalogue in shipped():
        for control in catalogue.controls.values():
            words = f"{control.title} {control.requirement} {control.severity_reason}".lower()
            assert "indeterminate" not in words
            assert "risk_accepted" not in words
            assert control.requirement.endswith("."), control.id


def test_the_readme_counts_what_the_files_hold() -> None:
    readme = (FRAMEWORKS / "README.md").read_text("utf-8")
    for catalogue in shipped():
        read = sum(control.verified == "source" for control in catalogue.controls.values())
        full, partial, procedural = COUNTS[catalogue.id]
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{catalogue.id}` |"))
        assert row.endswith(f"| {full + partial + procedural} | {full} / {partial} / {procedural} "
                            f"| {read} / {len(catalogue.controls) - read} |")  # fmt: skip


def test_a_small_catalogue_of_a_site() -> None:
    catalogue = load_catalogue(SMALL.encode(), "site.yaml")
    control = catalogue.controls["1"]
    assert (catalogue.status, catalogue.effective, catalogue.scope) == (Status.GUIDANCE, "2026-01", None)
    assert (control.automation.words, control.severity, control.evidence) == ("partly automated", "minor", ("record-store",))
    with pytest.raises(TypeError):
        catalogue.controls["2"] = control  # type: ignore[index]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("    automation: partial\n", "", ["PE711"]),
        ("automation: partial", "automation: null", ["PE711"]),
        ("automation: partial", "automation: semi", ["PE712"]),
        ("automation: partial", "automaton: partial", ["PE711", "PE711"]),
        ("severity: minor", "severity: info", ["PE712"]),
        ("status: guidance", "status: law", ["PE712"]),
        ('effective: "2026-01"', "effective: null", ["PE711"]),
        ('effective: "2026-01"', 'effective: "soon"', ["PE712"]),
        ("catalogue: 1", "catalogue: 2", ["PE712"]),
        ("catalogue: 1", "catalogue: true", ["PE712"]),
        ('  - id: "1"', "  - id: 1", ["PE711"]),
        ("evidence: [record-store]", "evidence: []", ["PE711"]),
        ("citations: [S 1]", "citations: S 1", ["PE711"]),
        ("id: site-standard", "id: Site Standard", ["PE712"]),
    ],
)
def test_a_fault_refuses_the_whole_catalogue(before: str, after: str, expected: list[str]) -> None:
    assert before in SMALL
    assert codes(SMALL.replace(before, after)) == expected


def test_an_id_that_stands_twice_is_refused_also_beside_other_faults() -> None:
    control = SMALL[SMALL.index('  - id: "1"') :]
    assert codes(SMALL + control) == ["PE713", "PE713"]
    assert codes(SMALL.replace("kind: requirement", "kind: rule") + control) == ["PE712", "PE713", "PE713"]


@pytest.mark.parametrize("raw", ["", "[]", "text", "controls: []", SMALL.split("controls:")[0] + "controls: []\n", "a: &x 1\n"])
def test_what_is_no_catalogue_is_refused(raw: str) -> None:
    assert codes(raw)


def test_a_misspelt_key_gets_its_hint() -> None:
    with pytest.raises(Refusal) as refused:
        load_catalogue(SMALL.replace("automation: partial", "automaton: partial").encode(), "site.yaml")
    assert [(d.pointer, d.hint) for d in refused.value.diagnostics] == [
        ("/controls/0/automaton", "did you mean `automation`?"),
        ("/controls/0", ""),
    ]
