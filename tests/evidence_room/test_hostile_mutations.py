"""Real files with pieces taken out, exchanged or flipped: judged or refused with a place, never an exception, never a new pass."""

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.core.diagnostic import Refusal
from policyengine.evidence.assemble import Context, assemble
from policyengine.evidence.files import SourceFile
from policyengine.evidence.load import Reading, load
from policyengine.signing.envelope import IN_TOTO, sign
from policyengine.signing.keys import new_key
from policyengine.signing.trust import Trust, TrustedSigner

DATA = Path(__file__).parents[1] / "evidence"
FILES = sorted(p for s in ("json", "jsonl", "attestation", "link") for p in DATA.rglob(f"*.{s}") if p.stat().st_size < 30_000)
ROOT = (DATA / "attestations/trust/public-good-trusted_root.json").read_bytes()
AT = datetime(2026, 11, 1, tzinfo=UTC)
KEY = new_key()
TRUST = Trust("d", (TrustedSigner("lab", "service", ("*",), KEY.public_pem, KEY.key_id),), sigstore_root=ROOT)
GONE = object()
JUNK: list[Any] = [
    GONE,
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "\n",
    "\x00",
    [],
    {},
    [None],
    [[]],
    {"a": 1},
    "9" * 5000,
    ["x"],
]


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(min(len(value), 6)) if isinstance(value, list) else ()
    for key in keys:
        yield (*at, key)
        yield from paths(value[key], (*at, key))


def exchanged(value: Any, chance: random.Random) -> Any:
    changed = copy.deepcopy(value)
    *above, last = chance.choice(list(paths(value)))
    holder = changed
    for key in above:
        holder = holder[key]
    piece = chance.choice(JUNK)
    if piece is GONE:
        holder.pop(last)
    else:
        holder[last] = piece
    return changed


def judge(raw: bytes) -> list[bool | None]:
    try:
        documents = load([SourceFile("f.json", raw)], [], Reading(AT, TRUST))
        assemble(documents, Context(AT))
    except Refusal:
        return []
    return [document.item.verified for document in documents]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_piece_taken_out_or_exchanged(path: Path) -> None:
    chance = random.Random(path.name)  # noqa: S311
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        pytest.skip("several documents")
    for _ in range(12):
        judge(json.dumps(exchanged(value, chance)).encode())


@pytest.mark.parametrize("path", FILES[::3], ids=lambda path: path.name)
def test_bytes_flipped_or_cut(path: Path) -> None:
    chance, raw = random.Random(path.name), path.read_bytes()  # noqa: S311
    for _ in range(6):
        place = chance.randrange(len(raw))
        judge(raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :])
        judge(raw[:place])


def test_nothing_changed_in_what_is_signed_stays_verified() -> None:
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a", "digest": {"sha256": "ab" * 32}}],
                 "predicateType": "https://in-toto.io/attestation/test-result/v0.1", "predicate": {"result": "PASSED"}}  # fmt: skip
    raw = sign(json.dumps(statement).encode(), IN_TOTO, KEY.private_pem, "k")
    envelope, chance = json.loads(raw), random.Random(7)  # noqa: S311
    assert judge(raw) == [True]
    for _ in range(150):
        changed = exchanged(envelope, chance)
        same = (changed.get("payload"), changed.get("payloadType")) == (envelope["payload"], envelope["payloadType"])
        listed = changed.get("signatures")
        signatures = [each.get("sig") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        kept = envelope["signatures"][0]["sig"] in signatures
        assert (judge(json.dumps(changed).encode()) == [True]) is (same and kept)
