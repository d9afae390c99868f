"""Floor 6: takes a decision, gives the bytes of drafts and reports."""
