"""What a target would cost, before anything is spent."""
