"""A simulated world that stands in for downloads."""
