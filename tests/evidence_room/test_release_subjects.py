"""The release and the subjects given are the same artifacts: evidence about anything else counts for nothing."""

from __future__ import annotations

import pytest

from policyengine.core.coerce import Reader
from policyengine.core.diagnostic import Refusal
from policyengine.core.model import Record
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.release import Subject, release_of

GIVEN, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def stated(*old: str) -> Record:
    artifacts = [{"name": "mes.tgz", "digests": [GIVEN]}, {"name": "old", "digests": list(old)}]
    return Reader(vocabulary()).record("software_release", {"id": "mes-4.2.0", "artifacts": artifacts})


@pytest.mark.parametrize("old", [(OLD,), (), ("sha512:" + "a" * 128,)])
def test_an_artifact_that_nobody_gave_as_a_subject_is_refused(old: tuple[str, ...]) -> None:
    with pytest.raises(Refusal, match="PE431") as caught:
        release_of(stated(*old), (Subject("mes.tgz", (GIVEN,)),))
    (problem,) = caught.value.diagnostics
    assert "artifact `old`" in problem.message
    assert problem.hint == "give it as a subject, or take it out of the release"


def test_a_release_of_just_the_subjects_given_is_taken() -> None:
    found = release_of(stated(OLD), (Subject("mes.tgz", (GIVEN,)), Subject("old", (OLD,))))
    assert found is not None
    assert found.record.fields["id"] == "mes-4.2.0"


def test_without_subjects_the_release_says_what_it_is() -> None:
    found = release_of(stated(OLD), ())
    assert found is not None
    assert found.stated


def test_a_digest_that_only_the_release_states_falls_away() -> None:
    """With it, a signed statement about other bytes would count for this artifact."""
    foreign = "sha512:" + "e" * 128
    both = Reader(vocabulary()).record(
        "software_release", {"id": "mes", "artifacts": [{"name": "mes.tgz", "digests": [GIVEN, foreign]}]}
    )
    found = release_of(both, (Subject("mes.tgz", (GIVEN,)),))
    assert found is not None
    (artifact,) = found.record.fields["artifacts"]  # type: ignore[misc]
    assert artifact.fields["digests"] == (GIVEN,)
