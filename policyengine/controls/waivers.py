"""Waivers: signed permission to accept one known outcome of one rule for exact subjects, for a short time.

YAML inside a DSSE envelope, signed by the approver (language standard 5). :func:`applies` is the only judge of a waiver;
what it turns down is ignored and reported with its reason, and whatever it accepts shows the verdict beneath.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from policyengine.controls.person import Person, could_be_look_alikes, same_person_key
from policyengine.controls.profile import Profile

PAYLOAD_TYPE = "application/vnd.policyengine.waiver+yaml"
WAIVABLE = ("fail", "unknown")
LONGEST = {"critical": timedelta(days=90)}
LONGEST_OTHERWISE = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Waiver:
    """What a waiver says. Times are aware and in UTC, None where the file gives no usable instant.

    ``policy`` is needed only where several policies have a rule of that id. ``faults`` are reasons why it can never apply.
    """

    id: str
    rule: str
    policy_versions: tuple[str, ...] = ()
    system: str = ""
    subjects: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    reason: str = ""
    risk_assessment: str = ""
    compensating_controls: str = ""
    requested_by: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    capa_ref: str = ""
    policy: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedWaiver:
    """A waiver file after reading. ``waiver`` is None where nothing in it may be believed; a ``problem`` keeps it from applying.

    ``signed_by`` are the verified signers: the person and roles that the trust file gives each key ("" for none), and the key.
    """

    file: str
    digest: str
    waiver: Waiver | None
    signer: str | None = None
    signed_by: tuple[Person, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WaivedRule:
    """What a waiver needs to know of the rule: where it stands and how severe it is."""

    policy: str
    id: str
    severity: str


def applies(loaded: LoadedWaiver, rule: WaivedRule, policy_version: str, system: str | None, subject: str, outcome: str,
            at: datetime, profile: Profile) -> tuple[bool, str]:  # fmt: skip
    """Whether a waiver turns this outcome of this subject into ``waived`` at an instant, and why or why not.

    ``outcome`` is the word beneath (``fail``, ``unknown`` ..). The reason is one phrase, without full stop.
    """
    if loaded.problem:
        return False, loaded.problem
    waiver = loaded.waiver
    if waiver is None:
        return False, "nothing in it could be read"
    refusal = (
        (waiver.faults[0] if waiver.faults else "")
        or _wrong_scope(waiver, rule, policy_version, system, subject, outcome, profile)
        or _not_in_force(waiver, rule, at)
        or _wrong_approver(waiver, loaded.signed_by, rule, profile)
    )
    if refusal or waiver.expires_at is None:
        return False, refusal or "it has no expiry"
    return True, f"in force until {rfc3339(waiver.expires_at)}"


def rfc3339(moment: datetime) -> str:
    """UTC with ``Z``; fractions of a second only where there are any."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _wrong_scope(waiver: Waiver, rule: WaivedRule, policy_version: str, system: str | None, subject: str, outcome: str,
                 profile: Profile) -> str:  # fmt: skip
    if waiver.rule != rule.id or waiver.policy not in ("", rule.policy):
        return f"it is for rule `{waiver.rule}`"
    if profile.forbids_waiving(rule.policy, rule.id):
        return f"the profile never waives rule `{rule.id}`"
    if policy_version not in waiver.policy_versions:
        return f"it is for version {', '.join(waiver.policy_versions) or 'none'} of the policy, not {policy_version}"
    if system is None or system != waiver.system:
        found = "the evidence names no system" if system is None else f"the system is `{system}`"
        return f"it is for system `{waiver.system}`, {found}"
    if subject not in waiver.subjects:
        return f"it does not list subject `{subject}`"
    if outcome not in WAIVABLE:
        return f"`{outcome}` cannot be waived"
    if outcome not in waiver.outcomes:
        return f"it does not list outcome `{outcome}`"
    return ""


def _not_in_force(waiver: Waiver, rule: WaivedRule, at: datetime) -> str:
    if waiver.approved_at is None:
        return "it has no time of approval"
    if waiver.expires_at is None:
        return "it has no expiry"
    longest = LONGEST.get(rule.severity, LONGEST_OTHERWISE)
    if waiver.expires_at - waiver.approved_at > longest:
        return f"it lasts longer than {longest.days} days after approval, the most for severity {rule.severity}"
    start = max(waiver.approved_at, waiver.valid_from or waiver.approved_at)
    if waiver.expires_at <= start:
        return "it ends before it begins"
    if at < start:
        return f"not in force before {rfc3339(start)}"
    if at >= waiver.expires_at:
        return f"expired at {rfc3339(waiver.expires_at)}"
    return ""


def _wrong_approver(waiver: Waiver, signed_by: tuple[Person, ...], rule: WaivedRule, profile: Profile) -> str:
    if not waiver.requested_by or not waiver.approved_by:
        return "it names no requester" if waiver.approved_by else "it names no approver"
    if same_person_key(waiver.requested_by) == same_person_key(waiver.approved_by):
        return f"`{waiver.approved_by}` asked for it and approved it; a second person is needed"
    if profile.person(waiver.requested_by) is None and could_be_look_alikes(waiver.requested_by, waiver.approved_by):
        return f"requester `{waiver.requested_by}` is no person of the profile and may only look unlike the approver"
    approver = profile.person(waiver.approved_by)
    keys = approver.keys if approver else ()
    signer = next((each for each in signed_by if _is_signature_of(each, waiver.approved_by, keys)), None)
    if signer is None:
        return f"no signature of it is by approver `{waiver.approved_by}`"
    roles = {*(approver.roles if approver else ()), *(signer.roles if signer.id else ())}
    needed = profile.waiver_roles[rule.severity]
    if not roles & set(needed):
        return (
            f"approver `{waiver.approved_by}` does not hold the role {' or '.join(needed)} that severity {rule.severity} needs"
        )
    return ""


def _is_signature_of(signer: Person, approver: str, keys: tuple[str, ...]) -> bool:
    """The trust file or the profile says whose key it is; where the trust file names a person, the profile cannot name another."""
    if signer.id:
        return same_person_key(signer.id) == same_person_key(approver)
    return any(key in keys for key in signer.keys if key)
