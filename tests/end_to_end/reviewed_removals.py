"""The removals that leave a rule as good as it was, each looked at by a person. Everything else must take the verdict away.

A line is (rule, what is taken away, how). A rule that is new or changed may need a new line: say why it may stay as it is,
under the reason that fits, or mend the rule.
"""

from __future__ import annotations

Line = tuple[str, str, str]

EITHER_WAY = "the loop's `where` becomes open, and the requirements hold for every possible member"
OTHER_SIDE = "the other side of an `or`, an `and` under `no`, an `if` or a `not recorded or` already decides"
WITNESS = "`some`, `recur` or `preceded` already has what it asks for; what may be missing could only add to it"
NOBODY = "it is asked only about subjects that the evidence shows not to exist"
NOT_DONE = "what is not recorded has not been done, and another rule asks for it to be done in time"
STATEMENT = (
    "an empty list inside a record is what its source says (none failed, never absent); a missing one makes the rule unknown"
)
STILL_OPEN = "its time is not over: not yet due, which is shown as a warning"

REVIEWED: dict[str, tuple[Line, ...]] = {
    EITHER_WAY: (
        ("acc-leavers", "account.kind", "removed"),
        ("acc-leavers", "account.person_id", "removed"),
        ("acc-leavers", "staff_change.kind", "removed"),
        ("acc-leavers", "staff_change.person_id", "removed"),
        ("acc-personal", "account.can_write", "removed"),
        ("at-current", "field_value.critical", "removed"),
        ("at-deletion", "audit_event.kind", "removed"),
        ("at-deletion", "record.gxp", "removed"),
        ("at-kept", "record_class.part11_scope", "removed"),
        ("at-reconfigured", "audit_event.kind", "removed"),
        ("at-values", "audit_event.kind", "removed"),
        ("at-values", "audit_event.record", "removed"),
        ("at-values", "record.gxp", "removed"),
        ("batch-trail", "batch.release_state", "removed"),
        ("capa-complete", "quality_event.kind", "removed"),
        ("capa-on-time", "quality_event.kind", "removed"),
        ("cfg-controlled", "audit_event.kind", "removed"),
        ("cfg-controlled", "audit_event.record", "removed"),
        ("cfg-controlled", "record.gxp", "removed"),
        ("change-evaluated", "change.status", "removed"),
        ("code-reviewed", "commit.merged_at", "removed"),
        ("code-reviewed", "software_release.previous_released_at", "removed"),
        ("dev-closed", "quality_event.kind", "removed"),
        ("dev-investigated", "quality_event.kind", "removed"),
        ("dev-investigated", "quality_event.severity", "removed"),
        ("grants-used", "audit_event.kind", "removed"),
        ("incidents-assessed", "quality_event.kind", "removed"),
        ("information-complete", "transaction.kind", "removed"),
        ("loss-revoked", "quality_event.category", "removed"),
        ("loss-revoked", "quality_event.kind", "removed"),
        ("rtm-verified", "requirement.gxp_relevant", "removed"),
        ("rtm-verified", "requirement.status", "removed"),
        ("sig-hybrid", "signature.kind", "removed"),
        ("sig-invalidated", "audit_event.kind", "removed"),
        ("sig-invalidated", "record.version", "removed"),
        ("sig-invalidated", "signature.record_id", "removed"),
        ("sig-invalidated", "signature.record_version", "removed"),
        ("sig-invalidated", "signature.signed_at", "removed"),
        ("sig-owner-only", "signature.kind", "removed"),
        ("vuln-open", "vulnerability.severity", "removed"),
    ),
    OTHER_SIDE: (
        ("change-evaluated", "change.emergency", "removed"),
        ("deploy-controlled", "change.emergency", "removed"),
        ("duties-split", "grant.system_id", "removed"),
        ("duties-split", "grant.valid_from", "removed"),
        ("illegitimate-notified", "case.high_risk", "removed"),
        ("illegitimate-notified", "case.status", "removed"),
        ("incidents-assessed", "quality_event.root_cause", "removed"),
        ("loss-revoked", "audit_event.credential_id", "removed"),
        ("loss-revoked", "audit_event.kind", "removed"),
        ("patch-timely", "patch.applied_on", "removed"),
        ("patch-timely", "patch.deferral_approved_by", "removed"),
        ("patch-timely", "patch.deferred_on", "removed"),
        ("sig-owner-only", "session.ended_at", "removed"),
        ("sig-owner-only", "session.started_at", "removed"),
        ("verify-answered", "reply.verified", "removed"),
        ("vuln-fixed", "vulnerability.analysis_state", "removed"),
        ("vuln-open", "sbom.product", "removed"),
        ("vuln-open", "vulnerability.component", "removed"),
    ),
    WITNESS: (
        ("backups-run", "backups", "incomplete"),
        ("batch-trail", "reviews", "incomplete"),
        ("cfg-controlled", "reviews", "incomplete"),
        ("dev-investigated", "investigations", "incomplete"),
        ("grants-used", "grants", "incomplete"),
        ("identity-proofed", "identity_proofings", "incomplete"),
        ("loss-revoked", "identity_proofings", "incomplete"),
        ("prov-builder", "provenances", "incomplete"),
        ("rtm-verified", "software_release.artifacts", "incomplete"),
        ("ship-traced", "trading_partners", "incomplete"),
        ("sig-linked", "record_versions", "incomplete"),
        ("sig-permitted", "signing_rules", "incomplete"),
    ),
    NOBODY: (
        ("at-reconfigured", "actor.person_id", "removed"),
        ("at-reconfigured", "audit_event.actor", "removed"),
        ("at-reconfigured", "audit_event.time", "removed"),
        ("at-reconfigured", "grant.person_id", "removed"),
        ("at-reconfigured", "grant.role_kind", "removed"),
        ("at-reconfigured", "grants", "empty"),
        ("at-reconfigured", "grants", "empty, incomplete"),
        ("at-reconfigured", "grants", "incomplete"),
        ("at-reconfigured", "grants", "removed"),
        ("cfg-controlled", "audit_event.sequence", "removed"),
        ("cfg-controlled", "audit_event.time", "removed"),
        ("cfg-controlled", "review.kind", "removed"),
        ("cfg-controlled", "review.subject_id", "removed"),
        ("cfg-controlled", "reviews", "empty"),
        ("cfg-controlled", "reviews", "empty, incomplete"),
        ("cfg-controlled", "reviews", "removed"),
        ("dev-investigated", "investigations", "empty"),
        ("dev-investigated", "investigations", "empty, incomplete"),
        ("dev-investigated", "investigations", "removed"),
    ),
    NOT_DONE: (
        ("capa-complete", "quality_event.closed_at", "removed"),
        ("capa-complete", "quality_event.completed_on", "removed"),
        ("dev-investigated", "quality_event.closed_at", "removed"),
    ),
    STATEMENT: (
        ("rtm-verified", "test_result.failed_tests", "empty"),
        ("sig-owner-only", "person.absences", "empty"),
    ),
    STILL_OPEN: (("vuln-fixed", "vulnerability.resolved_at", "removed"),),
}

TURNS_INTO_A_PASS: dict[str, tuple[Line, ...]] = {
    NOT_DONE: REVIEWED[NOT_DONE],
    STATEMENT: REVIEWED[STATEMENT],
}
"""The few that can make a pass of a fail: one defect is no longer visible, and the other rule that shows it does not pass."""


def lines(table: dict[str, tuple[Line, ...]]) -> set[Line]:
    every = [line for listed in table.values() for line in listed]
    assert len(every) == len(set(every)), "a removal is listed twice"
    return set(every)
