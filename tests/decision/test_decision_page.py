"""What docs/decision.md shows is true: its code verifies our envelopes, its waiver loads, its tables are those in force."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from decision_runs import inputs, result

from policyengine.controls.gate import COLUMNS, DEFAULT_GATE
from policyengine.controls.waiver_files import waiver_from
from policyengine.core.outcome import Outcome
from policyengine.core.strict_yaml import load_yaml
from policyengine.decision.decide import decide
from policyengine.decision.inputs import Subject
from policyengine.decision.statement import PAYLOAD_TYPE, statement
from policyengine.decision.verify import TITLES
from policyengine.signing.envelope import sign
from policyengine.signing.keys import new_key

PAGE = (Path(__file__).parents[2] / "docs" / "decision.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ed25519"])
def test_the_code_on_the_page_verifies_and_refuses(tmp_path: Path, algorithm: str) -> None:
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - our own page
    read: Callable[..., dict[str, Any]] = names["read_decision"]
    key, other = new_key(algorithm), new_key(algorithm)
    artifact, envelope, public, wrong = (
        tmp_path / each for each in ("mes.tar", "decision.intoto.json", "key.pub", "other.pub")
    )
    artifact.write_bytes(b"release")
    digest = hashlib.sha256(b"release").hexdigest()
    decision = decide(inputs(results=(result(("a", Outcome.PASS)),), subjects=(Subject("mes.tar", {"sha256": digest}),)))
    envelope.write_bytes(sign(statement(decision), PAYLOAD_TYPE, key.private_pem, "key"))
    public.write_bytes(key.public_pem)
    wrong.write_bytes(other.public_pem)
    assert read(envelope, public, artifact) == decision
    with pytest.raises(InvalidSignature):
        read(envelope, wrong, artifact)
    artifact.write_bytes(b"another release")
    with pytest.raises(AssertionError):
        read(envelope, public, artifact)


def test_the_waiver_on_the_page_has_no_fault() -> None:
    assert waiver_from(load_yaml(block("yaml").encode(), "page"), "page").faults == ()


def test_the_gate_table_on_the_page_is_the_one_in_force() -> None:
    for row, cells in DEFAULT_GATE.items():
        assert f"| {row} | {' | '.join(cells[column] for column in COLUMNS)} |" in PAGE


def test_the_steps_have_the_same_numbers() -> None:
    assert [f"{number}. **{title}**" for number, title in enumerate(TITLES, 1)] == re.findall(
        r"^\d\. \*\*\w+\*\*", PAGE, re.MULTILINE
    )


def test_every_key_of_a_decision_is_on_the_page() -> None:
    decision = decide(inputs(results=(result(("a", Outcome.PASS)),)))
    assert {key for key in decision if f"`{key}`" not in PAGE} == set()
