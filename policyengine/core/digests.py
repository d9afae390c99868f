"""Digest algorithms: how they are spelled, how long they are, and when two lists of digests are of one artifact.

One comparison serves the reader of evidence, the engine and the verifier, so that they cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable

STRONG_DIGESTS = {
    "sha256": 64, "sha384": 96, "sha512": 128, "sha512-256": 64, "sha3-256": 64, "sha3-384": 96, "sha3-512": 128,
    "blake2b-256": 64, "blake2b-384": 96, "blake2b-512": 128, "blake3": 64,
}  # fmt: skip
WEAK_DIGESTS = {"md5": 32, "sha1": 40, "gitcommit": 40, "sha224": 56, "sha512-224": 56, "sha3-224": 56}
# Spellings of CycloneDX, SPDX, in-toto and hashlib, in lower case, beside the names above.
_SPELLINGS = {
    "sha-1": "sha1", "sha-224": "sha224", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512",
    "sha_1": "sha1", "sha_224": "sha224", "sha_256": "sha256", "sha_384": "sha384", "sha_512": "sha512",
    "sha512_224": "sha512-224", "sha-512-224": "sha512-224", "sha512_256": "sha512-256", "sha-512-256": "sha512-256",
    "sha3_224": "sha3-224", "sha3_256": "sha3-256", "sha3_384": "sha3-384", "sha3_512": "sha3-512",
    "sha-3-224": "sha3-224", "sha-3-256": "sha3-256", "sha-3-384": "sha3-384", "sha-3-512": "sha3-512",
    "blake2b": "blake2b-512", "blake2b_256": "blake2b-256", "blake2b_384": "blake2b-384", "blake2b_512": "blake2b-512",
    "blake-3": "blake3", "md-5": "md5",
}  # fmt: skip


def algorithm_named(name: str) -> str | None:
    """The one spelling used here. None for a SHA that does not exist; another unknown name stays: it proves nothing."""
    lower = name.lower()
    known = _SPELLINGS.get(lower, lower)
    if known in STRONG_DIGESTS or known in WEAK_DIGESTS:
        return known
    return None if known.startswith("sha") and not known.startswith("shake") else known


def by_algorithm(digests: Iterable[str]) -> dict[str, frozenset[str]]:
    """What a list states for each algorithm. More than one content means that the list contradicts itself."""
    found: dict[str, frozenset[str]] = {}
    for digest in digests:
        algorithm, _, content = digest.partition(":")
        found[algorithm] = found.get(algorithm, frozenset()) | {content.lower()}
    return found


def stated_twice(digests: Iterable[str]) -> str:
    """An algorithm for which a list has two different digests; "" if there is none."""
    return next((name for name, contents in by_algorithm(digests).items() if len(contents) > 1), "")


def same_content(left: Iterable[str], right: Iterable[str]) -> bool | None:
    """Whether two lists of digests are of one artifact; None where they do not say.

    True takes a strong algorithm in common, and no common one that differs. Two contents of one algorithm on one side
    never agree with anything: one of them is of something else. An algorithm that is unknown here can only raise doubt.
    """
    ours, theirs = by_algorithm(left), by_algorithm(right)
    common = ours.keys() & theirs.keys()
    known = {name for name in common if name in STRONG_DIGESTS or name in WEAK_DIGESTS}
    if any(not ours[name] & theirs[name] for name in known):
        return False
    if any(ours[name] != theirs[name] or len(ours[name]) > 1 for name in common):
        return None
    return True if known & STRONG_DIGESTS.keys() else None
