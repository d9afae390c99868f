"""References: one match sets a field, none or several leave it unrecorded; accounts and records complete what they name."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.core.coerce import Reader
from policyengine.core.model import Collection, Origin, Record
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.links import resolve

READER = Reader(vocabulary())


def rows(kind: str, *raw: dict[str, Any]) -> Collection:
    return Collection(tuple(READER.record(kind, each, Origin(f"{kind}.csv", f"line {i + 2}")) for i, each in enumerate(raw)))


def resolved(**roots: Record | Collection) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    return resolve(roots, vocabulary(), lambda record, phrase: said.append(f"{record.origin}: {phrase}")), said


def test_one_match_none_and_several() -> None:
    roots, _ = resolved(
        deployments=rows("deployment", *({"id": i, "system_id": "mes", "digests": "sha256:" + "0" * 64, "change_id": c}
                                         for i, c in (("d1", "C1"), ("d2", "C9"), ("d3", "C2")))),
        changes=rows("change", {"id": "C1", "status": "approved"}, {"id": "C2"}, {"id": "C2"}),
    )  # fmt: skip
    linked = [row.fields.get("change") for row in roots["deployments"].items]
    assert linked == [roots["changes"].items[0], None, None]


def trail(*events: dict[str, Any]) -> Record:
    return Record("audit_trail", {"events": rows("audit_event", *events)})


def fields_of(roots: dict[str, Any], name: str) -> list[Any]:
    """What the field holds in each event."""
    events = roots["audit_trail"].fields["events"].items
    return [event.fields[name].fields if name in event.fields else None for event in events]


def test_what_is_given_inline_stays_where_no_register_was_delivered() -> None:
    event = {"id": "E1", "change_id": "C1", "change": {"id": "C1", "status": "draft"}}
    roots, said = resolved(audit_trail=trail(event))
    assert fields_of(roots, "change") == [{"id": "C1", "status": "draft"}]
    assert not said


def test_the_register_wins_over_a_record_that_a_row_brings_along() -> None:
    inline = {"id": "C1", "status": "closed", "approver": {"person_id": "P1"}, "objective_met": True, "emergency": False}
    register = rows("change", {"id": "C1", "status": "draft", "approver": {"person_id": "P1", "name": "A"}},
                    {"id": "C2", "emergency": True})  # fmt: skip
    roots, said = resolved(audit_trail=trail({"id": "E1", "change_id": "C1", "change": inline}), changes=register)
    (change,) = fields_of(roots, "change")
    assert change["status"] == "draft"
    assert change["approver"].fields == {"person_id": "P1", "name": "A"}
    assert "emergency" not in change
    assert change["objective_met"] is True
    assert [each.partition("`")[2] for each in said] == [
        "change.status` is not what changes records for `C1`: the register is taken",
        "change.emergency` is not what changes records for `C1`: the register is taken",
    ]


@pytest.mark.parametrize(
    ("stated", "own", "why"),
    [
        ("C9", "C9", "`C9` is not in changes"),
        (None, "C9", "`C9` is not in changes"),
        ("C9", "C1", "`change` is `C1`, `change_id` is `C9`"),
        ("C1", "C9", "`change` is `C9`, `change_id` is `C1`"),
        ("C2", "C2", "`C2` is more than once in changes"),
    ],
)
def test_an_embedded_record_that_the_register_does_not_know_is_not_recorded(stated: str | None, own: str, why: str) -> None:
    event = {"id": "E1", "change_id": stated, "change": {"id": own, "status": "closed"}}
    register = rows("change", {"id": "C1", "status": "closed"}, {"id": "C2"}, {"id": "C2"})
    roots, said = resolved(audit_trail=trail(event), changes=register)
    assert fields_of(roots, "change") == [None]
    assert len(said) == 1
    assert why in said[0]


def test_the_register_of_records_wins_over_what_an_event_says_of_its_record() -> None:
    register = rows("record", {"id": "R1", "gxp": True, "version": "7"})
    events = ({"id": "E1", "record": {"id": "R1", "gxp": False, "version": "1", "type": "batch"}},
              {"id": "E2", "record": {"id": "R9", "gxp": False, "version": "1"}}, {"id": "E3", "record": {"id": "R9"}},
              {"id": "E4", "kind": "login", "record": {"id": "terminal-1", "gxp": False}},
              {"id": "E5", "kind": "record.modify", "record": {"id": "R8", "gxp": False}})  # fmt: skip
    roots, said = resolved(audit_trail=trail(*events), records=register)
    assert fields_of(roots, "record") == [
        {"id": "R1", "gxp": True, "version": "1", "type": "batch"}, {"id": "R9", "version": "1"}, {"id": "R9"},
        {"id": "terminal-1", "gxp": False}, {"id": "R8"}]  # fmt: skip
    assert [each.partition("`")[2] for each in said] == [
        "record.gxp` is not what records records for `R1`: the register is taken",
        "record.gxp`: `R9` is not in records: taken as not recorded",
        "record.gxp`: `R8` is not in records: taken as not recorded",
    ]


def test_the_key_beside_a_field_need_not_be_an_id_and_chains_are_followed() -> None:
    roots, _ = resolved(
        transactions=rows("transaction", {"id": "T", "buyer_gln": "0614141000005"}),
        trading_partners=rows("trading_partner", {"gln": "0614141000005", "name": "W"}),
        inferences=rows("inference", {"id": "I", "model_name": "m"}),
        deployed_models=rows("model", {"name": "m", "change_id": "C"}),
        changes=rows("change", {"id": "C", "approver": {"user_id": "ann"}}),
        accounts=rows("account", {"user_id": "ann", "person_id": "P1"}),
    )
    assert roots["transactions"].items[0].fields["buyer"].fields["name"] == "W"
    change = roots["inferences"].items[0].fields["model"].fields["change"]
    assert change.fields["approver"].fields["person_id"] == "P1"
    assert roots["changes"].items[0] is change


def test_actors_are_completed_from_their_account() -> None:
    events = rows("audit_event", {"id": "E1", "actor": {"user_id": "ann"}}, {"id": "E2", "actor": {"user_id": "eve", "kind": "person"}},
                  {"id": "E3", "actor": {"user_id": "two"}}, {"id": "E4", "actor": {"user_id": "ANN"}})  # fmt: skip
    roots, said = resolved(
        audit_trail=Record("audit_trail", {"events": events}),
        accounts=rows("account", {"user_id": "ann", "person_id": "P1", "kind": "person", "person_name": "Ann A.", "roles": ["qa"]},
                      {"user_id": "eve", "person_id": "P2", "kind": "service"}, {"user_id": "two"}, {"user_id": "two", "person_id": "P3"}),
    )  # fmt: skip
    actors = [row.fields["actor"].fields for row in roots["audit_trail"].fields["events"].items]
    assert actors[0] == {"user_id": "ann", "person_id": "P1", "kind": "person", "name": "Ann A.", "role": "qa"}
    assert actors[1] == {"user_id": "eve", "person_id": "P2"}
    assert actors[2:] == [{"user_id": "two"}, {"user_id": "ANN"}]
    assert len(said) == 1
    assert "`person` in the row, `service` in accounts" in said[0]


def test_a_record_known_by_id_is_completed_but_not_with_its_state_of_now() -> None:
    events = rows("audit_event", {"id": "E1", "record": {"id": "R1"}}, {"id": "E2", "record": {"id": "R1", "version": "1"}})
    roots, _ = resolved(
        audit_trail=Record("audit_trail", {"events": events}),
        records=rows("record", {"id": "R1", "type": "batch", "version": "7", "gxp": True, "digest": "sha256:" + "0" * 64}),
    )
    first, second = (row.fields["record"].fields for row in roots["audit_trail"].fields["events"].items)
    assert first == {"id": "R1", "type": "batch", "gxp": True}
    assert second == {"id": "R1", "version": "1", "type": "batch", "gxp": True}


@pytest.mark.parametrize(("user", "why"), [("two", "`two` is more than once in accounts"), ("ANN", "`ANN` is not in accounts")])
def test_an_actor_without_one_account_is_nobody_in_particular(user: str, why: str) -> None:
    actor = {"user_id": user, "name": "Ann A.", "person_id": "P7", "kind": "person"}
    accounts = rows("account", *({"user_id": each, "person_id": each} for each in ("ann", "two", "two")))
    roots, said = resolved(audit_trail=trail({"id": "E1", "actor": actor}), accounts=accounts)
    assert fields_of(roots, "actor") == [{"user_id": user, "name": "Ann A."}]
    assert len(said) == 1
    assert f"`person_id` and `kind` of an actor: {why}: taken as not recorded" in said[0]


def test_an_actor_is_believed_where_no_accounts_were_delivered_or_it_is_no_user() -> None:
    user, signer = {"user_id": "ann", "person_id": "P7"}, {"person_id": "P7", "name": "from the trust file"}
    assert fields_of(resolved(audit_trail=trail({"id": "E1", "actor": user}))[0], "actor") == [user]
    roots, said = resolved(audit_trail=trail({"id": "E1", "actor": signer}), accounts=rows("account", {"user_id": "ann"}))
    assert fields_of(roots, "actor") == [signer]
    assert not said


def test_untouched_records_are_the_same_objects() -> None:
    sbom = Record("sbom", {"components": rows("component", {"bom_ref": "a", "name": "a"})})
    accounts = rows("account", {"user_id": "ann"})
    roots, _ = resolved(sbom=sbom, accounts=accounts)
    assert roots["sbom"] is sbom
    assert roots["accounts"] is accounts
