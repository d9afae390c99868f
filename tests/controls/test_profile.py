"""Site profiles: what they may set, and what they may never loosen."""

from __future__ import annotations

from itertools import product

import pytest

from policyengine.controls.gate import COLUMNS, DEFAULT_GATE, ROWS, Effect
from policyengine.controls.profile import Profile, default_profile, load_profile
from policyengine.core.diagnostic import Refusal

FULL = b"""\
id: site-basel
version: "3"
organisation: Example Pharma
completeness: strict
parameters: {max_delay: 2 hours, p11.limit: 5}
gate: {minor: {fail: block}}
never_waive: [at-complete]
waiver_roles: {critical: [head_of_quality]}
people:
  - {id: anna, name: Anna Muster, roles: [qa_approver], keys: [abc]}
  - {id: ben}
capa: {default_days: {major: 20}, phase: operation}
"""


def refused(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(Refusal) as caught:
        load_profile(b'id: a\nversion: "1"\n' + text.encode(), "site.yaml")
    return [(each.code, each.pointer, each.hint) for each in caught.value.diagnostics]


def test_a_full_profile() -> None:
    profile = load_profile(FULL, "site.yaml")
    assert (profile.id, profile.version, profile.organisation, profile.strict_completeness) == (
        "site-basel",
        "3",
        "Example Pharma",
        True,
    )
    assert profile.parameters == {"max_delay": "2 hours", "p11.limit": 5}
    assert profile.gate["minor"] == {**DEFAULT_GATE["minor"], "fail": Effect.BLOCK}
    assert profile.waiver_roles["critical"] == ("head_of_quality",)
    assert profile.waiver_roles["minor"] == ("qa_approver",)
    person = profile.person("ANNA ")
    assert person is not None
    assert person.keys == ("abc",)
    assert profile.forbids_waiving("p", "at-complete")
    assert profile.capa["phase"] == "operation"
    assert profile.digest.startswith("sha256:")


def test_the_built_in_profile_is_the_standard_and_knows_nobody() -> None:
    profile = default_profile()
    assert (profile.gate, profile.people, profile.completeness) == (DEFAULT_GATE, (), "stated")
    assert profile == default_profile()


@pytest.mark.parametrize(("row", "column", "word"), list(product(ROWS, COLUMNS, ("record", "warn", "block"))))
def test_cells_tighten_and_critical_or_error_never_loosen(row: str, column: str, word: str) -> None:
    text = f"gate: {{{row}: {{{column}: {word}}}}}\n"
    looser = Effect(word).strictness < DEFAULT_GATE[row][column].strictness
    if looser and (row == "critical" or column == "error"):
        assert [each[:2] for each in refused(text)] == [("PE810", f"/gate/{row}/{column}")]
    else:
        loaded: Profile = load_profile(b'id: a\nversion: "1"\n' + text.encode(), "site.yaml")
        assert loaded.gate[row][column] == word


@pytest.mark.parametrize(
    ("text", "code", "pointer", "hint"),
    [
        ("paramters: {}\n", "PE803", "/paramters", "did you mean `parameters`?"),
        ("gate: {critcal: {fail: block}}\n", "PE810", "/gate/critcal", "did you mean `critical`?"),
        ("gate: {major: {unkown: block}}\n", "PE810", "/gate/major/unkown", "did you mean `unknown`?"),
        ("gate: {major: {fail: none}}\n", "PE810", "/gate/major/fail", "write `record`, `warn` or `block`"),
        ("gate: {major: {pass: block}}\n", "PE810", "/gate/major/pass", "one of error, fail, unknown, not_yet_due, waived"),
        ("gate: [1]\n", "PE810", "/gate", "write `gate: {minor: {fail: block}}`"),
        ("gate: {major: block}\n", "PE810", "/gate/major", ""),
        ("completeness: lax\n", "PE802", "/completeness", "write `strict` or `stated`"),
        ("never_waive: all\n", "PE802", "/never_waive", ""),
        ("waiver_roles: {critical: []}\n", "PE802", "/waiver_roles/critical", "name at least one role, or list the rules under `never_waive`"),
        ("people: [{name: x}]\n", "PE802", "/people/0", ""),
        ("people: [{id: a, role: [x]}]\n", "PE803", "/people/0/role", "did you mean `roles`?"),
        ("people: [{id: anna}, {id: ANNA}]\n", "PE804", "/people/1/id", ""),
        ("people: [{id: a, keys: [k]}, {id: b, keys: [k]}]\n", "PE804", "/people/1/keys", "one key, one person"),
        ("parameters: [a]\n", "PE802", "/parameters", ""),
    ],
)  # fmt: skip
def test_refused(text: str, code: str, pointer: str, hint: str) -> None:
    assert refused(text) == [(code, pointer, hint)]


def test_all_problems_are_told_at_once() -> None:
    assert len(refused("x: 1\ny: 2\ngate: {critical: {fail: warn, unknown: warn}}\n")) == 4


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"id: a\n", b"version: '1'\n", b"id: a\nversion: 1.0\n", b"id: a\nid: b\nversion: '1'\n"]
)
def test_what_is_no_profile(raw: bytes) -> None:
    with pytest.raises(Refusal):
        load_profile(raw, "site.yaml")
