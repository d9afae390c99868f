"""Floor 1: bytes and keys to signed bytes, and back to who signed them, or why that cannot be said."""
