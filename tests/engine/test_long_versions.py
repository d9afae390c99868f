"""A version text of any length and shape is compared or not comparable, and never stops a run."""

import pytest

from policyengine.core.model import Version
from policyengine.core.outcome import CauseKind, Truth, Unknown
from policyengine.engine.relations import MAX_VERSION, compare_versions, version_in_range


def not_comparable(found: Truth) -> bool:
    return isinstance(found, Unknown) and {cause.kind for cause in found.causes} == {CauseKind.NOT_COMPARABLE}


@pytest.mark.parametrize("unit", ["1.", "1-", "a."])
def test_a_version_of_thousands_of_parts_is_not_comparable(unit: str) -> None:
    long, short = Version(unit * 8000 + "1", "maven"), Version("2", "maven")
    assert not_comparable(compare_versions("lt", long, short))
    assert not_comparable(compare_versions("lt", short, long))
    assert not_comparable(version_in_range(long, "vers:maven/>=1.0"))


def test_a_version_up_to_the_limit_is_compared() -> None:
    longest = "1." * (MAX_VERSION // 2 - 1) + "10"
    assert len(longest) == MAX_VERSION
    assert compare_versions("lt", Version(longest, "maven"), Version("2", "maven")) is True


@pytest.mark.parametrize(("scheme", "text"), [("nuget", ""), ("nuget", "a.a"), ("intdot", "v17~aa749.")])
def test_a_version_that_a_library_chokes_on_is_not_comparable(scheme: str, text: str) -> None:
    assert not_comparable(compare_versions("lt", Version(text, scheme), Version("1.0.0", scheme)))
