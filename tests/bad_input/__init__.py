"""Every reader of bytes from outside, for the property tests and for fuzzing."""
