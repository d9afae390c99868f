"""A month of production: batches, their records and versions, the audit trail of every change, signatures, reviews."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from policyengine.demo.people import ADMINISTRATORS, OPERATORS, QUALITY, SECOND_ACCOUNT, SERVICE, SUPERVISORS, Employee
from policyengine.demo.story import PERIOD_FROM, SYSTEM, day, z

BATCHES = 24
STEPS = ("dispensing", "mixing", "granulation", "compression", "coating")
PRODUCTS = ("Seeburgin 5 mg tablets", "Seeburgin 10 mg tablets")
REASONS = ("Transcription error corrected after second reading", "Balance print re-read, digit corrected per SOP-MES-012",
           "Value entered for the wrong vessel, moved per SOP-MES-012")  # fmt: skip


@dataclass
class Month:
    """What a month leaves behind, in the order it happened; ``events`` are sealed into a hash chain when written."""

    events: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    signatures: list[dict[str, Any]] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)


def month(random: Random, defects: bool = True) -> Month:
    """The month of one seed; without ``defects`` a month in which nothing went wrong, with the same batches."""
    made = Month()
    for number in range(1, BATCHES + 1):
        _batch(made, number, random, defects)
    _log_in_and_out(made)
    made.events.sort(key=lambda event: (event["time"], event["id"]))
    if defects:
        _spoil(made)
    return made


def _digest(*parts: object) -> str:
    return "sha256:" + hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _batch(made: Month, number: int, random: Random, defects: bool) -> None:
    batch_id = f"B-{1040 + number}"
    started = PERIOD_FROM + timedelta(days=number, hours=5, minutes=random.randrange(50))
    moment = started
    author = OPERATORS[number % len(OPERATORS)]
    approver: Employee = SUPERVISORS[number % 2]
    record_ids = []
    for position, step in enumerate(STEPS):
        record_id = f"{batch_id}-{position + 1}"
        record_ids.append(record_id)
        moment += timedelta(minutes=30 + random.randrange(20))
        moment = _record(made, record_id, batch_id, step, author, approver, moment, random)
    ended = moment + timedelta(minutes=15)
    review_at, released_at = ended + timedelta(hours=3), ended + timedelta(hours=6)
    if number == 9 and defects:  # Defect: the batch is released before anybody reviewed its audit trail.
        review_at, released_at = ended + timedelta(hours=9), ended + timedelta(hours=6)
    _review(made, batch_id, record_ids, started, max(ended, review_at - timedelta(minutes=5)), review_at)
    person = QUALITY[2]
    _event(made, released_at, "batch.release", person.actor, {"id": batch_id, "type": "batch", "gxp": True},
           new_value="released", old_value="certified", reason="Batch record complete, review satisfactory")  # fmt: skip
    made.batches.append({
        "id": batch_id, "system_id": SYSTEM, "started_at": z(started), "ended_at": z(ended), "product": PRODUCTS[number % 2],
        "release_state": "released", "released_at": z(released_at), "record_ids": record_ids,
    })  # fmt: skip


def _record(made: Month, record_id: str, batch_id: str, step: str, author: Employee, approver: Employee, moment: datetime,
            random: Random) -> datetime:  # fmt: skip
    """One record: created, sometimes corrected, reviewed by the author's supervisor, signed on its last version."""
    value = f"{random.uniform(5.8, 7.4):.2f}"
    thing = {"id": record_id, "type": step, "gxp": True}
    _event(
        made,
        moment,
        "record.create",
        author.actor,
        thing,
        new_value=value,
        field="ph",
        reason="First entry of the step",
    )
    digest = _digest(record_id, 1, value)
    _version(made, record_id, "1", step, digest, "create", author, moment)
    for correction in range(2, 2 + (random.random() < 0.55) + (random.random() < 0.2)):
        moment += timedelta(minutes=4 + random.randrange(6))
        new = f"{float(value) + random.choice((-1, 1)) * random.uniform(0.05, 0.4):.2f}"
        _event(made, moment, "record.modify", author.actor, thing, old_value=value, new_value=new, field="ph",
               reason=random.choice(REASONS))  # fmt: skip
        value, digest = new, _digest(record_id, correction, new)
        made.versions[-1]["state"] = "superseded"
        _version(made, record_id, str(correction), step, digest, "modify", author, moment)
    latest = made.versions[-1]
    made.records.append({
        "id": record_id, "type": step, "version": latest["version"], "digest": digest, "gxp": True, "created_by": author.user_id,
        "created_at": z(moment), "final": True, "batch_id": batch_id,
    })  # fmt: skip
    moment += timedelta(minutes=12)
    _sign(made, record_id, latest, step, approver, moment, "approval")
    return moment


def _version(made: Month, record_id: str, version: str, kind: str, digest: str, change: str, author: Employee,
             moment: datetime) -> None:  # fmt: skip
    made.versions.append({
        "record_id": record_id, "version": version, "type": kind, "digest": digest, "change": change, "author": author.actor,
        "time": z(moment), "state": "current", "content_retrievable": True,
    })  # fmt: skip


def _sign(made: Month, record_id: str, version: dict[str, Any], kind: str, signer: Employee, moment: datetime, meaning: str) -> None:  # fmt: skip
    signature_id = f"SIG-{len(made.signatures) + 1:04d}"
    made.signatures.append({
        "id": signature_id, "record_id": record_id, "record_version": version["version"], "record_digest": version["digest"],
        "signer_id": signer.user_id, "printed_name": signer.name, "meaning": meaning, "signed_at": z(moment), "method": "password",
        "valid": True, "kind": "electronic", "record_type": kind, "signer": signer.actor, "trusted_time": z(moment),
        "meaning_source": "chosen", "session_id": f"S-{signer.user_id}-{moment:%d}",
        "components": [{"kind": "knowledge", "user_action": True}, {"kind": "possession", "user_action": True}],
    })  # fmt: skip
    _event(made, moment, "record.sign", signer.actor, {"id": record_id, "type": kind, "gxp": True},
           new_value=meaning, old_value="(empty)", reason=f"Signed as {meaning}", session_id=f"S-{signer.user_id}-{moment:%d}")  # fmt: skip


def _review(made: Month, batch_id: str, record_ids: list[str], begin: datetime, until: datetime, moment: datetime) -> None:
    made.reviews.append({
        "kind": "audit_trail", "system_id": SYSTEM, "subject_id": batch_id, "time": z(moment), "reviewer_id": QUALITY[0].user_id,
        "reviewer": QUALITY[0].actor, "outcome": "satisfactory", "covers_from": z(begin), "covers_until": z(until),
        "covered_ids": record_ids, "open_questions": 0,
    })  # fmt: skip


def _event(made: Month, moment: datetime, kind: str, actor: dict[str, object], record: dict[str, object],
           **more: object) -> None:  # fmt: skip
    made.events.append({
        "id": f"EV-{len(made.events) + 1:06d}", "time": z(moment), "recorded_time": z(moment + timedelta(seconds=1)),
        "system_id": SYSTEM, "stream_id": "mes-main", "kind": kind, "actor": actor, "recorder": SERVICE, "record": record,
        "status": "success", "environment": "production", **more,
    })  # fmt: skip


def _log_in_and_out(made: Month) -> None:
    """Shifts: each person logs in and out once a working day."""
    for number in range(1, 32):
        if day(number).weekday() >= 6:
            continue
        for offset, person in enumerate((*OPERATORS, *SUPERVISORS, *QUALITY, *ADMINISTRATORS)):
            thing = {"id": f"terminal-{offset + 1}", "type": "terminal", "gxp": False}
            _event(
                made,
                day(number, 4, offset),
                "auth.login",
                person.actor,
                thing,
                session_id=f"S-{person.user_id}-{number:02d}",
            )
            _event(
                made,
                day(number, 22, offset),
                "auth.logout",
                person.actor,
                thing,
                session_id=f"S-{person.user_id}-{number:02d}",
            )


def _spoil(made: Month) -> None:
    """The defects of this month that are not part of the course of a batch; see the list in ``defects``."""
    corrected = next(e for e in made.events if e["kind"] == "record.modify" and e["record"]["id"].startswith("B-1052"))
    corrected.pop("reason")
    unmeant = next(s for s in made.signatures if s["record_id"].startswith("B-1055"))
    unmeant.pop("meaning")
    own = next(s for s in made.signatures if s["record_id"].startswith("B-1047"))
    author = SUPERVISORS[1]
    for version in made.versions:
        if version["record_id"] == own["record_id"]:
            version["author"] = author.actor
    own.update(signer_id=SECOND_ACCOUNT, printed_name=author.name, signer={**author.actor, "user_id": SECOND_ACCOUNT})
