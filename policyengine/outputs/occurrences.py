"""A draft that is kept, met again by a later run: an occurrence is added, and nothing that QA reads is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.outputs.capa import content_digest


def seen_again(kept: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """The kept draft with the occurrence of the later one, whatever its status. The same decision adds nothing.

    The occurrence lists which of the later draft's affected items were not in the kept one (``new_items``). ``ValueError`` if they
    are not the same draft, or if the kept text no longer has the digest that it was given.
    """
    if kept["external_id"] != later["external_id"]:
        raise ValueError("two different drafts")
    if not unchanged(kept):
        raise ValueError("the kept draft was changed after it was made")
    met = later["occurrences"][0]
    if any(each["decision"] == met["decision"] for each in kept["occurrences"]):
        return dict(kept)
    known = {each["id"] for each in kept["affected_items"]}
    new = [each["id"] for each in later["affected_items"] if each["id"] not in known]
    return {**kept, "occurrences": [*kept["occurrences"], {**met, "new_items": new}]}


def unchanged(draft: Mapping[str, Any]) -> bool:
    """Whether the content still has the digest that a signature on it would name."""
    return bool(draft["content_digest"] == content_digest(draft))
