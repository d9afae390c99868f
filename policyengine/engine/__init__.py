"""Floor 3: takes a plan and an EvidenceSet, gives findings. Reads no file and no clock."""
