"""Typed configuration: what the files in config/ say."""
