"""Floor 2: takes policy text, gives a plan, its test cases and diagnostics. Reads no file and no clock."""
