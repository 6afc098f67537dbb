"""The names that the whole project shares."""

from enum import StrEnum


class Part(StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
