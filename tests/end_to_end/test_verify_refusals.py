"""`policyengine verify` accepts the demo's decision, and refuses each change at the step that it belongs to."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_runs import Run, here, told_without_traceback

from policyengine.decision.verify import TITLES
from policyengine.packs.library import shipped
from policyengine.signing.keys import new_key

Change = Callable[[Path, Path], None]
POLICIES = ("21-cfr-part-11", "dscsa", "eu-annex-11", "gamp-5", "gxp-common", "ich-q10")


@pytest.fixture
def made(demo: tuple[Path, Run], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the demo's folder, and a copy of the policies that it was judged by."""
    folder, policies = tmp_path / "demo", tmp_path / "policies"
    shutil.copytree(demo[0], folder)
    for name in POLICIES:
        shutil.copytree(shipped("policies") / name, policies / name)
    return folder, policies


def _verify(folder: Path, policies: Path, *more: str | Path) -> Run:
    run = here("verify", folder / "result/decision.intoto.json", "--key", folder / "keys/decision.pub.pem", "--evidence", folder / "evidence",
               "--evidence", folder / "exports", "--policy", policies, *more)  # fmt: skip
    assert told_without_traceback(run)
    return run


def _steps(run: Run) -> dict[str, str]:
    """Title to what was said of it: ok, REFUSED or not checked."""
    found = re.findall(r"^(\d) (\w+) +(ok|REFUSED|not checked)", run.out, re.MULTILINE)
    assert [title for _, title, _ in found] == list(TITLES)
    return {title: said for _, title, said in found}


def test_the_demos_decision_is_accepted_in_every_step(made: tuple[Path, Path]) -> None:
    folder, policies = made
    subjects = [word for path in sorted((folder / "release").iterdir()) for word in ("--subject", path)]
    run = _verify(folder, policies, *subjects)
    assert (run.code, run.err) == (0, "")
    assert set(_steps(run).values()) == {"ok"}
    assert "verified: the decision is `blocked`" in run.out


def _payload_byte(folder: Path, _: Path) -> None:
    path = folder / "result/decision.intoto.json"
    envelope = json.loads(path.read_bytes())
    payload = base64.b64decode(envelope["payload"])
    assert payload.count(b'"decision":"blocked"') == 1
    envelope["payload"] = base64.b64encode(payload.replace(b'"decision":"blocked"', b'"decision":"allowed"')).decode()
    path.write_text(json.dumps(envelope))


def _one_bit(folder: Path, _: Path) -> None:
    path = folder / "result/decision.intoto.json"
    envelope = json.loads(path.read_bytes())
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[len(payload) // 2] ^= 1
    envelope["payload"] = base64.b64encode(payload).decode()
    path.write_text(json.dumps(envelope))


def _signature_byte(folder: Path, _: Path) -> None:
    path = folder / "result/decision.intoto.json"
    envelope = json.loads(path.read_bytes())
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[-1] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    path.write_text(json.dumps(envelope))


def _payload_type(folder: Path, _: Path) -> None:
    path = folder / "result/decision.intoto.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "payloadType": "application/json"}))


def _cut_envelope(folder: Path, _: Path) -> None:
    path = folder / "result/decision.intoto.json"
    path.write_bytes(path.read_bytes()[:-20])


def _another_key(folder: Path, _: Path) -> None:
    (folder / "keys/decision.pub.pem").write_bytes(new_key().public_pem)


def _another_signers_key(folder: Path, _: Path) -> None:
    shutil.copy(folder / "keys/builder.pub.pem", folder / "keys/decision.pub.pem")


def _policy_meaning(_: Path, policies: Path) -> None:
    path = next(policies.rglob("operation.policy"))
    text = path.read_text()
    assert "within 1 day after date of leaving.time" in text
    path.write_text(text.replace("within 1 day after date of leaving.time", "within 9 days after date of leaving.time"))


def _policy_missing(_: Path, policies: Path) -> None:
    shutil.rmtree(policies / "dscsa")


def _policy_besides(_: Path, policies: Path) -> None:
    (policies / "extra.policy").write_text(
        next(policies.rglob("signatures.policy")).read_text().replace("p11-signatures", "extra")
    )


def _evidence_byte(folder: Path, _: Path) -> None:
    path = folder / "exports/accounts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"active": true', b'"active":  true', 1))


def _evidence_missing(folder: Path, _: Path) -> None:
    (folder / "evidence/epcis.json").unlink()


def _evidence_besides(folder: Path, _: Path) -> None:
    (folder / "exports/more.jsonl").write_text('{"id": "x"}\n')


def _evidence_exchanged(folder: Path, _: Path) -> None:
    one, other = folder / "exports/patches.csv", folder / "exports/suppliers.csv"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _evidence_changed_beside_its_copy(folder: Path, policies: Path) -> None:
    shutil.copy(folder / "exports/accounts.jsonl", folder / "exports/copy.jsonl")
    _evidence_byte(folder, policies)


CHANGES: list[tuple[Change, str, str]] = [
    (_payload_byte, "signature", ""),
    (_one_bit, "signature", ""),
    (_signature_byte, "signature", ""),
    (_payload_type, "signature", ""),
    (_cut_envelope, "envelope", ""),
    (_another_key, "signature", ""),
    (_another_signers_key, "signature", ""),
    (_policy_meaning, "policies", "a11-operation"),
    (_policy_missing, "policies", "dscsa-outbound"),
    (_policy_besides, "policies", "extra"),
    (_evidence_byte, "evidence", "accounts.jsonl"),
    (_evidence_missing, "evidence", "epcis.json"),
    (_evidence_besides, "evidence", "more.jsonl"),
    (_evidence_exchanged, "evidence", "patches.csv"),
    (_evidence_changed_beside_its_copy, "evidence", "accounts.jsonl"),
]


@pytest.mark.parametrize(("change", "step", "named"), CHANGES, ids=[change.__name__.strip("_") for change, _, _ in CHANGES])
def test_a_change_is_refused_at_its_step(made: tuple[Path, Path], change: Change, step: str, named: str) -> None:
    folder, policies = made
    change(folder, policies)
    run = _verify(folder, policies)
    assert run.code == 1
    steps = _steps(run)
    assert [title for title, said in steps.items() if said == "REFUSED"] == [step]
    last = run.out.splitlines()[-1]
    assert last.startswith(f"NOT VERIFIED: refused at step {TITLES.index(step) + 1} ({step})")
    assert named in last
    after = [steps[title] for title in TITLES[TITLES.index(step) + 1 :]]
    if step in ("envelope", "signature"):
        assert set(after) == {"not checked"}, "what hangs on the signature is never said to hold"


@pytest.mark.parametrize("subject", ["sha256:" + "0" * 64, "aurora-mes-4.2.0.tar@sha256:" + "1" * 64])
def test_another_subject_is_refused(made: tuple[Path, Path], subject: str) -> None:
    run = _verify(*made, "--subject", subject)
    assert run.code == 1
    assert [title for title, said in _steps(run).items() if said == "REFUSED"] == ["subject"]
    assert subject.rpartition(":")[2][:12] in run.out.splitlines()[-1]


def test_a_changed_artifact_is_another_subject(made: tuple[Path, Path]) -> None:
    folder, policies = made
    artifact = folder / "release/aurora-mes-4.2.0.tar"
    artifact.write_bytes(artifact.read_bytes() + b"\0")
    run = _verify(folder, policies, "--subject", artifact)
    assert run.code == 1
    assert _steps(run)["subject"] == "REFUSED"


def test_evidence_under_a_new_name_is_the_same_evidence(made: tuple[Path, Path]) -> None:
    folder, policies = made
    (folder / "exports/accounts.jsonl").rename(folder / "exports/accounts-2026-03.jsonl")
    assert _verify(folder, policies).code == 0


def test_without_a_key_nothing_is_verified(made: tuple[Path, Path]) -> None:
    run = here("verify", made[0] / "result/decision.intoto.json")
    assert run.code == 1
    assert run.out.splitlines()[-1] == "NOT VERIFIED: no signature was checked; give --key or --trust"


def test_json_says_the_same(made: tuple[Path, Path]) -> None:
    folder, policies = made
    good = json.loads(_verify(folder, policies, "--format", "json").out)
    assert good["ok"] is True
    _evidence_byte(folder, policies)
    bad = json.loads(_verify(folder, policies, "--format", "json").out)
    assert bad["ok"] is False
    assert [step["title"] for step in bad["steps"] if step["ok"] is False] == ["evidence"]
