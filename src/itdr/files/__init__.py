"""Files: atomic writes, checksums, locks, resume state, progress."""
