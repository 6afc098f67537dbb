"""Writing the simulated world as raw files, in the format and with the quirks of each dataset."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from itdr.demo.world import World
from itdr.errors import SettingsError, nearest
from itdr.vocabulary import Dataset

_PLACES = {
    Dataset.MOVIELENS_32M: ("movielens", "write_32m"),
    Dataset.MOVIELENS_1M: ("movielens", "write_1m"),
    Dataset.BOOKCROSSING: ("bookcrossing", "write_bookcrossing"),
    Dataset.ANIME_2023: ("anime", "write_anime"),
    Dataset.AMAZON_BOOKS: ("amazon_books", "write_amazon_books"),
    Dataset.MICROLENS: ("microlens", "write_microlens"),
    Dataset.LASTFM_1K: ("lastfm", "write_1k"),
    Dataset.LASTFM_360K: ("lastfm", "write_360k"),
    Dataset.MIND: ("mind", "write_mind"),
    Dataset.PIXELREC: ("pixelrec", "write_pixelrec"),
    Dataset.AMAZON_2023: ("amazon_2023", "write_files"),
    Dataset.YELP: ("yelp", "write_files"),
    Dataset.STEAM: ("steam", "write_files"),
}
"""Module below itdr.demo.raw_files and its function."""


def write_raw_files(world: World, dataset: str, out: Path, seed: int) -> None:
    """Write the world into the folder `out` as the raw files of a dataset.

    The same world, dataset and seed give the same bytes.

    Raises:
        SettingsError: there is no such dataset, or it cannot be simulated yet.
    """
    place = _PLACES.get(Dataset(dataset)) if dataset in list(Dataset) else None
    if place is None:
        raise SettingsError(
            f"no raw files can be simulated for the dataset {dataset!r}."
            f"{nearest(dataset, _PLACES)} Allowed: {', '.join(_PLACES)}."
        )
    module, name = place
    write: Callable[[World, Path, int], None] = getattr(
        import_module(f"itdr.demo.raw_files.{module}"), name
    )
    out.mkdir(parents=True, exist_ok=True)
    write(world, out, seed)
