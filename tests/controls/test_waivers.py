"""Odd waivers: what is in force, how wide it may be, who may approve it, and what is no waiver at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policyengine.controls.person import Person
from policyengine.controls.profile import Profile, default_profile
from policyengine.controls.waiver_files import load_waivers, waiver_from
from policyengine.controls.waivers import PAYLOAD_TYPE, LoadedWaiver, WaivedRule, applies
from policyengine.core.diagnostic import Refusal
from policyengine.signing.envelope import parse_envelope, sign
from policyengine.signing.keys import new_key
from policyengine.signing.trust import Trust, TrustedSigner
from policyengine.signing.verify import State, Verification, verify_dsse

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULE = WaivedRule("p11", "sig-manifest", "critical")
GOOD: dict[str, Any] = {
    "id": "W-1", "rule": "sig-manifest", "policy_versions": ["1.0.0"], "system": "MES-01", "subjects": ["B-1042"], "outcomes": ["fail"],
    "reason": "legacy printer", "risk_assessment": "RA-7", "compensating_controls": "second reader", "requested_by": "ben",
    "approved_by": "anna", "approved_at": "2026-03-01T08:00:00Z", "expires_at": "2026-04-01T08:00:00+02:00", "capa_ref": "CAPA-3",
}  # fmt: skip
SITE = Profile(
    "site", "1", "sha256:00", people=(Person("anna", "Anna", ("qa_approver",), ("key-a",)), Person("ben", keys=("key-b",)))
)
BY_ANNA = (Person("", "anna's key", (), ("key-a",)),)


def judge(change: dict[str, Any] | None = None, *, signed_by: tuple[Person, ...] = BY_ANNA, profile: Profile = SITE, rule: WaivedRule = RULE,
          version: str = "1.0.0", system: str | None = "MES-01", subject: str = "B-1042", outcome: str = "fail",
          at: datetime = AT) -> tuple[bool, str]:  # fmt: skip
    data = {key: value for key, value in {**GOOD, **(change or {})}.items() if value is not None}
    loaded = LoadedWaiver("w.json", "sha256:00", waiver_from(data, "w.json"), "anna's key", signed_by)
    return applies(loaded, rule, version, system, subject, outcome, at, profile)


def test_a_good_waiver_applies() -> None:
    assert judge() == (True, "in force until 2026-04-01T06:00:00Z")


EXPIRY = datetime(2026, 4, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "applied"),
    [
        (datetime(2026, 3, 1, 8, tzinfo=UTC), True),
        (datetime(2026, 3, 1, 7, 59, 59, tzinfo=UTC), False),
        (EXPIRY - timedelta(microseconds=1), True),
        (EXPIRY, False),
        (EXPIRY + timedelta(seconds=1), False),
    ],
)
def test_in_force_is_half_open(at: datetime, applied: bool) -> None:
    assert judge(at=at)[0] is applied


ODD_TIMES = [
    ({"expires_at": None}, "it has no expiry"),
    ({"expires_at": "2026-04-01"}, "RFC 3339"),
    ({"expires_at": "2026-04-01T08:00:00"}, "RFC 3339"),
    ({"expires_at": "2026-02-30T08:00:00Z"}, "not a time that exists"),
    ({"expires_at": 1775023200}, "text expected"),
    ({"expires_at": "never"}, "RFC 3339"),
    ({"expires_at": "2026-03-10T13:59:00+02:00"}, "expired at 2026-03-10T11:59:00Z"),
    ({"expires_at": "2026-05-30T08:00:01Z"}, "longer than 90 days"),
    ({"expires_at": "2026-03-01T08:00:00Z"}, "ends before it begins"),
    ({"approved_at": None}, "no `approved_at`"),
    ({"approved_at": "2026-03-01"}, "RFC 3339"),
    ({"approved_at": "2026-03-11T00:00:00Z"}, "not in force before"),
    ({"valid_from": "2026-03-11T00:00:00Z"}, "not in force before"),
    ({"valid_from": "2026-03-11"}, "RFC 3339"),
]


@pytest.mark.parametrize(("change", "reason"), ODD_TIMES)
def test_odd_times(change: dict[str, Any], reason: str) -> None:
    applied, why = judge(change)
    assert not applied
    assert reason in why


def test_valid_from_never_reaches_back_before_the_approval() -> None:
    early = {"valid_from": "2026-02-01T00:00:00Z"}
    assert judge(early, at=datetime(2026, 2, 20, tzinfo=UTC))[0] is False
    assert judge(early)[0] is True


@pytest.mark.parametrize(
    ("severity", "days", "applied"),
    [("critical", 90, True), ("critical", 91, False), ("major", 91, True), ("major", 180, True), ("minor", 181, False)],
)
def test_longest_life_depends_on_the_severity(severity: str, days: int, applied: bool) -> None:
    end = datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(days=days)
    assert judge({"expires_at": end.isoformat()}, rule=replace(RULE, severity=severity))[0] is applied


ODD_SCOPES = [
    ({}, {"version": "1.0.1"}, "version 1.0.0"),
    ({"policy_versions": ["1.0"]}, {}, "version 1.0 "),
    ({"policy_versions": ["*"]}, {}, "version *"),
    ({"policy": "other"}, {}, "it is for rule"),
    ({"rule": "sig-manifes\u0442"}, {}, "it is for rule"),
    ({"rule": "SIG-MANIFEST"}, {}, "it is for rule"),
    ({"rule": "*"}, {}, "it is for rule"),
    ({}, {"system": "MES-02"}, "it is for system"),
    ({}, {"system": None}, "names no system"),
    ({"system": "mes-01"}, {}, "it is for system"),
    ({"system": "*"}, {}, "it is for system"),
    ({}, {"subject": "B-1043"}, "does not list subject"),
    ({}, {"subject": "B-10422"}, "does not list subject"),
    ({}, {"subject": "b-1042"}, "does not list subject"),
    ({"subjects": ["B-*"]}, {}, "wildcard"),
    ({"subjects": ["*"]}, {"subject": "*"}, "wildcard"),
    ({"subjects": []}, {}, "no `subjects`"),
    ({}, {"outcome": "unknown"}, "does not list outcome `unknown`"),
    ({}, {"outcome": "error"}, "cannot be waived"),
    ({"outcomes": ["fail", "error"]}, {"outcome": "error"}, "cannot be waived"),
    ({"outcomes": ["pass"]}, {}, "cannot be waived"),
    ({"outcomes": None}, {}, "no `outcomes`"),
    ({"reason": " "}, {}, "no `reason`"),
    ({"risk_assessment": None}, {}, "no `risk_assessment`"),
]


@pytest.mark.parametrize(("change", "question", "reason"), ODD_SCOPES)
def test_odd_scopes(change: dict[str, Any], question: dict[str, Any], reason: str) -> None:
    applied, why = judge(change, **question)
    assert not applied
    assert reason in why


def test_unknown_is_waived_only_where_listed() -> None:
    assert judge({"outcomes": ["fail", "unknown"]}, outcome="unknown")[0]


@pytest.mark.parametrize("never", ["sig-manifest", "p11/sig-manifest"])
def test_some_rules_are_never_waived(never: str) -> None:
    assert judge(profile=replace(SITE, never_waive=(never,))) == (False, "the profile never waives rule `sig-manifest`")


MALLORY = (Person("mallory", "mallory's key", ("qa_approver",), ("key-a",)),)
ODD_PEOPLE = [
    ({"requested_by": "anna"}, {}, "second person"),
    ({"requested_by": "ANNA "}, {}, "second person"),
    ({"requested_by": "\u0430nna"}, {}, "may only look unlike"),
    ({"requested_by": "ann\u200ba"}, {}, "hidden character"),
    ({"requested_by": None}, {}, "no `requested_by`"),
    ({"approved_by": None}, {}, "no `approved_by`"),
    ({"approved_by": "\u0430nna"}, {}, "no signature of it is by approver"),
    ({"approved_by": "zoe"}, {}, "no signature of it is by approver"),
    (
        {"approved_by": "ben", "requested_by": "anna"},
        {"signed_by": (Person("", "", (), ("key-b",)),)},
        "does not hold the role",
    ),
    ({}, {"signed_by": ()}, "no signature of it is by approver"),
    ({}, {"signed_by": (Person("", "", (), ("key-b",)),)}, "no signature of it is by approver"),
    ({}, {"signed_by": (Person("", "", (), ("",)),)}, "no signature of it is by approver"),
    ({}, {"signed_by": MALLORY}, "no signature of it is by approver"),
    ({}, {"profile": default_profile()}, "no signature of it is by approver"),
    ({}, {"profile": replace(SITE, waiver_roles={**SITE.waiver_roles, "critical": ("head of quality",)})}, "head of quality"),
]


@pytest.mark.parametrize(("change", "question", "reason"), ODD_PEOPLE)
def test_odd_people(change: dict[str, Any], question: dict[str, Any], reason: str) -> None:
    applied, why = judge(change, **question)
    assert not applied
    assert reason in why


def test_case_and_composition_of_the_approvers_id_make_no_difference() -> None:
    people = (Person("Andr\u00e9", "", ("qa_approver",), ("key-a",)),)
    assert judge({"approved_by": "andre\u0301"}, profile=replace(SITE, people=people))[0]


def test_the_trust_file_may_name_person_and_role() -> None:
    by_trust = (Person("anna", "Anna's card", ("qa_approver",), ("key-z",)),)
    assert judge(signed_by=by_trust, profile=default_profile())[0]
    assert not judge(signed_by=(replace(by_trust[0], roles=()),), profile=default_profile())[0]


# files

KEY, OTHER = new_key("ed25519"), new_key("ed25519")


def yaml_of(data: dict[str, Any]) -> bytes:
    import json

    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in data.items()).encode()


def trust(*predicate_types: str, pem: bytes = KEY.public_pem, key_id: str = KEY.key_id) -> Trust:
    signer = TrustedSigner("Anna", "person", predicate_types, pem, key_id, person_id="anna", roles=("qa_approver",))
    return Trust("sha256:00", (signer,))


def load(raw: bytes, trusted: Trust | None = None) -> LoadedWaiver:
    def verify(envelope: bytes) -> Verification:
        return verify_dsse(parse_envelope(envelope, "w.json"), trusted or trust(PAYLOAD_TYPE), AT)

    (loaded,) = load_waivers([("w.json", raw)], verify)
    return loaded


def asked(loaded: LoadedWaiver) -> tuple[bool, str]:
    return applies(loaded, RULE, "1.0.0", "MES-01", "B-1042", "fail", AT, default_profile())


def test_a_signed_file_applies_end_to_end() -> None:
    assert asked(load(sign(yaml_of(GOOD), PAYLOAD_TYPE, KEY.private_pem, "k")))[0]


def test_files_that_are_ignored_and_reported() -> None:
    good = sign(yaml_of(GOOD), PAYLOAD_TYPE, KEY.private_pem, "k")
    cases = {
        "not signed": load(yaml_of(GOOD)),
        "not accepted": load(sign(yaml_of(GOOD), PAYLOAD_TYPE, OTHER.private_pem, "k")),
        "not a waiver": load(sign(yaml_of(GOOD), "application/vnd.in-toto+json", KEY.private_pem, "k")),
        "may not sign waivers": load(good, trust("urn:else")),
        "no signatures": load(good[: good.index(b'"signatures"')] + b'"signatures":[]}'),
    }
    for reason, loaded in cases.items():
        applied, why = asked(loaded)
        assert not applied
        assert reason in why


def test_the_payload_is_not_read_before_its_signature_holds() -> None:
    forged = sign(b"- not a waiver at all: [", PAYLOAD_TYPE, OTHER.private_pem, "k")
    assert load(forged).waiver is None


@pytest.mark.parametrize(
    ("data", "pointer", "hint"),
    [
        ({**GOOD, "expire_at": "2026-04-01T00:00:00Z"}, "/expire_at", "did you mean `expires_at`?"),
        ({**GOOD, "subjects": "*"}, "/subjects", "write `subjects:"),
        ({**GOOD, "policy_versions": [1]}, "/policy_versions", "write `policy_versions:"),
        ({**GOOD, "reason": 7}, "/reason", "put it in quotes"),
        ({k: v for k, v in GOOD.items() if k != "rule"}, "/rule", ""),
        ({**GOOD, "id": ""}, "/id", ""),
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_what_is_no_waiver_stops_the_run(data: dict[str, Any], pointer: str, hint: str, signed: bool) -> None:
    raw = yaml_of(data)
    with pytest.raises(Refusal) as refused:
        load(sign(raw, PAYLOAD_TYPE, KEY.private_pem, "k") if signed else raw)
    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.code, diagnostic.pointer, diagnostic.file) == ("PE820", pointer, "w.json")
    assert diagnostic.hint.startswith(hint)


@pytest.mark.parametrize(
    "raw", [b"", b"- a\n- b\n", b"id: a\nid: b\n", b"{", b"\xff\xfe", b"id: !!python/object:os.system x\n"]
)
def test_unreadable_files_stop_the_run(raw: bytes) -> None:
    with pytest.raises(Refusal):
        load(raw)


def test_the_same_bytes_count_once_and_all_faulty_files_are_named() -> None:
    def verify(_: bytes) -> Verification:
        return Verification(State.INVALID, "no")

    raw = yaml_of(GOOD)
    assert len(load_waivers([("b.yaml", raw), ("a.yaml", raw)], verify)) == 1
    with pytest.raises(Refusal) as refused:
        load_waivers([("b.yaml", b"x: 1\nid: a\nrule: r\n"), ("a.yaml", b"[]")], verify)
    assert [each.file for each in refused.value.diagnostics] == ["a.yaml", "b.yaml"]
