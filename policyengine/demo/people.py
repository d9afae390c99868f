"""Who works at the plant: persons, accounts, grants, and who left."""

from __future__ import annotations

from dataclasses import dataclass

from policyengine.demo.story import SYSTEM, day, z


@dataclass(frozen=True, slots=True)
class Employee:
    person_id: str
    user_id: str
    name: str
    role: str

    @property
    def actor(self) -> dict[str, object]:
        return {"user_id": self.user_id, "name": self.name, "role": self.role, "kind": "person", "person_id": self.person_id}


OPERATORS = tuple(
    Employee(f"P{number:03d}", user, name, "Operator")
    for number, (user, name) in enumerate(
        (("a.keller", "Anna Keller"), ("b.moser", "Beat Moser"), ("c.frei", "Claudia Frei"), ("d.vogt", "Daniel Vogt"),
         ("e.lang", "Elena Lang"), ("f.suter", "Fabio Suter"), ("g.huber", "Gian Huber"), ("h.wyss", "Hanna Wyss")), 1)
)  # fmt: skip
SUPERVISORS = (
    Employee("P020", "i.brunner", "Ines Brunner", "Supervisor"),
    Employee("P021", "j.roth", "Jonas Roth", "Supervisor"),
)
QUALITY = (
    Employee("P030", "k.meier", "Karin Meier", "Quality Assurance"),
    Employee("P031", "l.graf", "Lukas Graf", "Quality Assurance"),
    Employee("P032", "m.iten", "Mara Iten", "Qualified Person"),
)
ENGINEERS = (
    Employee("P040", "n.arnold", "Nils Arnold", "Engineer"),
    Employee("P041", "o.bucher", "Olga Bucher", "Engineer"),
)
ADMINISTRATORS = (Employee("P050", "p.zaugg", "Petra Zaugg", "Administrator"),)
LEAVERS = (
    Employee("P060", "q.steiner", "Quirin Steiner", "Operator"),
    Employee("P061", "r.ammann", "Rahel Ammann", "Operator"),
)
SECOND_ACCOUNT = "j.roth2"
EVERYBODY = OPERATORS + SUPERVISORS + QUALITY + ENGINEERS + ADMINISTRATORS
SERVICE = {"user_id": "svc-mes", "name": "MES recorder", "kind": "service", "role": "Recorder"}
ROLES = {
    "Operator": ("operator", "data"), "Supervisor": ("approver", "data"), "Quality Assurance": ("qa_reviewer", "data"),
    "Qualified Person": ("qualified_person", "data"), "Engineer": ("engineer", "read"), "Administrator": ("administrator", "administrator"),
}  # fmt: skip


def accounts(defects: bool = True) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for person in EVERYBODY:
        writes = ROLES[person.role][1] == "data"
        rows.append(_account(person, active=True, can_write=writes, can_sign=writes))
    rows.append({**_account(SUPERVISORS[1], active=True, can_write=True, can_sign=True), "user_id": SECOND_ACCOUNT})
    first, second = LEAVERS
    rows.append(
        {
            **_account(first, active=False, can_write=True, can_sign=False),
            "disabled_at": z(day(10, 16)),
            "left_on": "2026-03-10",
        }
    )
    # Defect: the account of a leaver stays open for eight days.
    rows.append(
        {
            **_account(second, active=False, can_write=True, can_sign=False),
            "disabled_at": z(day(20, 9) if defects else day(12, 16)),
            "left_on": "2026-03-12",
        }
    )
    rows.append({"user_id": "svc-mes", "person_name": "MES recorder", "kind": "service", "shared": False, "roles": ["recorder"],
                 "active": True, "mfa": True, "created_at": "2024-05-02T08:00:00Z", "can_write": True, "can_sign": False,
                 "last_used_at": z(day(31, 23))})  # fmt: skip
    return rows


def _account(person: Employee, active: bool, can_write: bool, can_sign: bool) -> dict[str, object]:
    return {
        "user_id": person.user_id, "person_name": person.name, "kind": "person", "shared": False, "roles": [ROLES[person.role][0]],
        "active": active, "mfa": True, "created_at": "2024-05-02T08:00:00Z", "person_id": person.person_id,
        "can_write": can_write, "can_sign": can_sign, "last_used_at": z(day(31, 15)) if active else z(day(9, 15)),
    }  # fmt: skip


def grants() -> list[dict[str, object]]:
    """One grant for each account, requested by the supervisor, approved by quality assurance."""
    holders = [(p.user_id, p) for p in (*EVERYBODY, *LEAVERS)] + [(SECOND_ACCOUNT, SUPERVISORS[1])]
    return [
        {"user_id": user, "person_id": p.person_id, "role": ROLES[p.role][0], "role_kind": ROLES[p.role][1], "system_id": SYSTEM,
         "valid_from": "2024-05-02T08:00:00Z", "valid_until": "2026-12-31T23:00:00Z", "open_ended": False,
         "requested_by": SUPERVISORS[0].actor, "approved_by": QUALITY[1].actor, "time": "2024-05-02T08:00:00Z"}
        for user, p in holders
    ]  # fmt: skip


def staff_changes() -> list[dict[str, object]]:
    return [
        {"person_id": LEAVERS[0].person_id, "kind": "leave", "time": z(day(10, 15))},
        {"person_id": LEAVERS[1].person_id, "kind": "leave", "time": z(day(12, 15))},
    ]
