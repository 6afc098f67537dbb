"""Which module knows which dataset."""

from importlib import import_module

from itdr.datasets.adapters.adapter import Source
from itdr.errors import SettingsError, nearest
from itdr.vocabulary import Dataset

_PLACES = {
    Dataset.MOVIELENS_32M: ("movielens", "MOVIELENS_32M"),
    Dataset.MOVIELENS_1M: ("movielens", "MOVIELENS_1M"),
    Dataset.BOOKCROSSING: ("bookcrossing", "BOOKCROSSING"),
    Dataset.ANIME_2023: ("anime", "ANIME_2023"),
    Dataset.AMAZON_BOOKS: ("amazon_books", "AMAZON_BOOKS"),
    Dataset.MICROLENS: ("microlens", "MICROLENS"),
    Dataset.LASTFM_1K: ("lastfm", "LASTFM_1K"),
    Dataset.LASTFM_360K: ("lastfm", "LASTFM_360K"),
    Dataset.MIND: ("mind", "MIND"),
    Dataset.PIXELREC: ("pixelrec", "PIXELREC"),
    Dataset.AMAZON_2023: ("amazon_2023", "AMAZON_2023"),
    Dataset.YELP: ("yelp", "YELP"),
    Dataset.STEAM: ("steam", "STEAM"),
}
"""Module in this package and name in it; the module is imported when it is asked for."""


def source_of(dataset: str) -> Source:
    """Return the source of a dataset.

    Raises:
        SettingsError: there is no such dataset, or no source for it yet.
    """
    if dataset not in list(Dataset):
        raise SettingsError(
            f"unknown dataset {dataset!r}.{nearest(dataset, Dataset)} "
            f"Allowed: {', '.join(_PLACES)}."
        )
    place = _PLACES.get(Dataset(dataset))
    if place is None:
        raise SettingsError(
            f"no source reads the dataset {dataset!r} yet. Allowed: {', '.join(_PLACES)}."
        )
    module, name = place
    return getattr(import_module(f"itdr.datasets.adapters.{module}"), name)
