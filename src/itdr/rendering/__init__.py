"""Texts from Jinja2 templates that come from outside, bounded in work and size."""
