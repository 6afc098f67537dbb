"""The names that the whole project shares."""

from enum import StrEnum

SEED = 42
"""The seed where none is given."""


class Part(StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Origin(StrEnum):
    """Where data come from, as files from the raw ones to the scores say it."""

    REAL = "real"
    """Raw files of a dataset, or of a user's own."""
    SIMULATED = "simulated"
    """Raw files that `itdr simulate` wrote."""
    RELEASED = "released"
    """Examples as the authors of a paper published them."""
