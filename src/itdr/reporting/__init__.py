"""Tables and figures, ours beside the published values."""
