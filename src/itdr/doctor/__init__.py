"""What is missing on this machine for a target, found out before anything is spent."""
