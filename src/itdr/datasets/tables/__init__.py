"""The tables of a dataset: their schema, and writing them sorted within a limit of memory."""

QUALITY = "quality.json"
"""The file beside the tables that counts their rows and says where they come from."""
