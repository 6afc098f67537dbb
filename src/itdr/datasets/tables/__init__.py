"""The tables of a dataset: their schema, and writing them sorted within a limit of memory."""
