"""Floor 4: takes findings, profile and waivers, gives a decision, its statement, and the verification of one."""
