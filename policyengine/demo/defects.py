"""What is wrong in the demo's release, and where it is found. The demo finds these, and nothing else."""

from __future__ import annotations

from policyengine.demo.serialisation import ENDED_LICENCE_CASE, NEVER_COMMISSIONED, packs_of
from policyengine.demo.story import Defect

DEFECTS: tuple[Defect, ...] = (
    Defect(1, "a change of a batch record without a reason", "at-complete", ("EV-000169",)),
    Defect(2, "a step approved by its own author, under a second account", "sig-duties", ("SIG-0031",)),
    Defect(3, "a signature without a meaning", "sig-shows", ("SIG-0071",)),
    Defect(4, "the account of a leaver open for eight days", "acc-leavers", ("P061 / r.ammann",)),
    Defect(5, "a batch released before its audit trail was reviewed", "batch-trail", ("B-1049",)),
    Defect(6, "a critical vulnerability set to not affected without a reason", "vuln-open", ("CVE-2026-10413",)),
    Defect(7, "a requirement whose test was never run on this release", "rtm-verified", ("URS-012",)),
    Defect(8, "a change approved after it was implemented", "change-evaluated", ("CHG-2026-023",)),
    Defect(9, "a pack shipped that was never commissioned", "ship-traced", (NEVER_COMMISSIONED,)),
    Defect(10, "a case sent to a partner whose licence had ended", "ship-traced", tuple(packs_of(ENDED_LICENCE_CASE))),
    Defect(11, "a verification request answered after 28 hours", "verify-answered", ("VRS-002",)),
)
NOT_YET_DUE: tuple[tuple[str, str], ...] = (("dev-closed", "DEV-2026-017"), ("verify-answered", "VRS-003"))
"""Rule and subject of what is still open and inside its limit; these block nothing."""
