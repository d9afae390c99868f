"""Digests: one spelling and length for each algorithm, one content for each record, one comparison for everybody."""

from __future__ import annotations

import pytest

from policyengine.cli.pipeline import _digest_map
from policyengine.core.coerce import Mismatch, Reader, digest
from policyengine.core.diagnostic import Refusal
from policyengine.core.digests import STRONG_DIGESTS, WEAK_DIGESTS
from policyengine.core.model import Record
from policyengine.core.vocabulary import vocabulary
from policyengine.engine.relations import same_artifact
from policyengine.evidence.release import Subject, agree, release_of

GOOD, EVIL = "sha256:" + "a" * 64, "sha256:" + "e" * 64
SPELLED = {
    "SHA-1": "sha1", "sha224": "sha224", "SHA-224": "sha224", "SHA-256": "sha256", "sha256": "sha256", "SHA-384": "sha384",
    "sha384": "sha384", "SHA384": "sha384", "SHA-512": "sha512", "sha512_256": "sha512-256", "sha512_224": "sha512-224",
    "SHA3-256": "sha3-256", "sha3_256": "sha3-256", "SHA3-384": "sha3-384", "sha3_384": "sha3-384", "SHA3-512": "sha3-512",
    "sha3_512": "sha3-512", "sha3_224": "sha3-224", "BLAKE2b-256": "blake2b-256", "BLAKE2b-384": "blake2b-384",
    "blake2b": "blake2b-512", "BLAKE3": "blake3", "MD5": "md5", "gitCommit": "gitcommit",
}  # fmt: skip


@pytest.mark.parametrize(("spelling", "name"), SPELLED.items(), ids=list(SPELLED))
def test_every_spelling_of_an_algorithm_is_that_algorithm_with_its_length(spelling: str, name: str) -> None:
    length = {**STRONG_DIGESTS, **WEAK_DIGESTS}[name]
    assert digest(f"{spelling}:{'A' * length}") == f"{name}:{'a' * length}"
    with pytest.raises(Mismatch, match=f"is not a {name} digest"):
        digest(f"{spelling}:{'a' * (length - 2)}")


@pytest.mark.parametrize("name", ["sha3-84", "sha3-_384", "sha2", "sha", "SHA-999", "sha256sum", "sha--256"])
def test_a_sha_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(Mismatch, match="there is no digest algorithm"):
        digest(f"{name}:{'a' * 96}")


def test_other_unknown_algorithms_are_kept_and_prove_nothing() -> None:
    assert digest("gitTree:AB") == "gittree:ab"
    assert same_artifact(["gittree:ab"], ["gittree:ab"]) is not True


def test_sha384_can_be_compared() -> None:
    one, other = digest("sha384:" + "a" * 96), digest("SHA-384:" + "b" * 96)
    assert same_artifact([one], [digest("SHA-384:" + "A" * 96)]) is True
    assert same_artifact([one], [other]) is False


@pytest.mark.parametrize(
    "raw",
    [
        [GOOD, EVIL],
        [EVIL, GOOD],
        {"sha256": "a" * 64, "SHA-256": "e" * 64},
        [GOOD, "md5:" + "a" * 32, "md5:" + "b" * 32],
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_two_digests_of_one_algorithm_are_no_digests_of_a_record(raw: object, strict: bool) -> None:
    with pytest.raises(Mismatch, match="two different"):
        Reader(vocabulary(), strict).record("artifact", {"name": "mes", "digests": raw})


def test_the_same_digest_twice_is_one() -> None:
    record = Reader(vocabulary()).record("artifact", {"name": "mes", "digests": [GOOD, GOOD.upper().replace("SHA", "sha-")]})
    assert record.fields["digests"] == (GOOD,)


PAIRS = [
    ([GOOD], [GOOD], True),
    ([GOOD], [EVIL], False),
    ([GOOD, EVIL], [GOOD], None),
    ([GOOD, EVIL], [GOOD, EVIL], None),
    ([GOOD, EVIL], ["sha256:" + "c" * 64], False),
    ([GOOD, "md5:" + "a" * 32], [GOOD, "md5:" + "b" * 32], False),
    ([GOOD, "gittree:a"], [GOOD, "gittree:b"], None),
    (["md5:" + "a" * 32], ["md5:" + "a" * 32], None),
    ([], [GOOD], None),
]


@pytest.mark.parametrize(("left", "right", "said"), PAIRS)
def test_the_reader_and_the_engine_say_the_same(left: list[str], right: list[str], said: bool | None) -> None:
    for one, other in ((left, right), (right, left)):
        verdict = same_artifact(one, other)
        assert (verdict if isinstance(verdict, bool) else None) is said
        assert agree(one, other) is (said is True)


def test_an_artifact_that_contradicts_itself_is_refused_and_never_cut_down() -> None:
    stated = Record(
        "software_release", {"id": "mes", "artifacts": (Record("artifact", {"name": "a", "digests": (GOOD, EVIL)}),)}
    )
    for subjects in ((), (Subject("a", (EVIL,)),)):
        with pytest.raises(Refusal, match="PE430"):
            release_of(stated, subjects)
    with pytest.raises(Refusal, match="two different sha256 digests"):
        _digest_map("a", (GOOD, EVIL))
    assert _digest_map("a", (GOOD,)) == {"sha256": "a" * 64}
