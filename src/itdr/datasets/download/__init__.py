"""Bringing files here and making sure that they are what was asked for."""
