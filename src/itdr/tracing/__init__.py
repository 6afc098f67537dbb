"""From an example back to the raw files and lines that it was built from."""
