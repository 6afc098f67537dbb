"""The names that the whole project shares."""

from enum import StrEnum


class Dataset(StrEnum):
    """The 13 source datasets."""

    MOVIELENS_32M = "movielens-32m"
    MOVIELENS_1M = "movielens-1m"
    BOOKCROSSING = "bookcrossing"
    ANIME_2023 = "anime-2023"
    YELP = "yelp"
    AMAZON_2023 = "amazon-2023"
    AMAZON_BOOKS = "amazon-books"
    MICROLENS = "microlens"
    PIXELREC = "pixelrec"
    MIND = "mind"
    STEAM = "steam"
    LASTFM_1K = "lastfm-1k"
    LASTFM_360K = "lastfm-360k"


class Part(StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
