"""Answers that no table holds: a teacher writes them."""
