"""The names that the whole project shares."""

from enum import StrEnum

SEED = 42
"""The seed where none is given."""


class Part(StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
