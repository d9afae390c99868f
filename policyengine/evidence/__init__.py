"""Floor 2: takes files as bytes and a trust configuration, gives an EvidenceSet."""
