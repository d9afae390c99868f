"""The guide for QA says what the product does: every field of a draft is explained, and its settings are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from sample_decision import sample_decision

from policyengine.outputs.capa import drafts
from policyengine.outputs.site import Site, read_site

GUIDE = (Path(__file__).parents[2] / "docs" / "qa-guide.md").read_text("utf-8")
PLAIN = {"schema_version", "record_type", "linked_record_types", "triage_row", "population", "category", "is_cyber", "is_data_integrity",
         "phase", "phase_stated", "phase_source", "notes", "source", "status", "history", "signatures", "occurrences", "eqms"}  # fmt: skip


def test_every_field_is_explained_or_needs_no_words():
    named = set(re.findall(r"`(\w+)`", GUIDE))
    for draft in drafts(sample_decision(), {}):
        assert set(draft) - named <= PLAIN


def test_the_settings_of_the_guide_are_all_of_them():
    settings = yaml.safe_load(re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1])["capa"]
    read_site(settings)
    assert set(settings) == set(Site.__slots__)
