"""Writing the simulated world as raw files, in the format and with the quirks of each dataset."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from itdr.demo.world import World
from itdr.errors import SettingsError, nearest

_PLACES = {
    "movielens-32m": ("movielens", "write_32m"),
    "movielens-1m": ("movielens", "write_1m"),
    "movielens-100k": ("movielens_100k", "write_100k"),
    "bookcrossing": ("bookcrossing", "write_bookcrossing"),
    "anime-2023": ("anime", "write_anime"),
    "amazon-books": ("amazon_books", "write_amazon_books"),
    "microlens": ("microlens", "write_microlens"),
    "lastfm-1k": ("lastfm", "write_1k"),
    "lastfm-360k": ("lastfm", "write_360k"),
    "mind": ("mind", "write_mind"),
    "pixelrec": ("pixelrec", "write_pixelrec"),
    "amazon-2023": ("amazon_2023", "write_files"),
    "yelp": ("yelp", "write_files"),
    "steam": ("steam", "write_files"),
}
"""Reader to module below itdr.demo.raw_files and its function."""


def write_raw_files(world: World, reader: str, out: Path, seed: int) -> None:
    """Write the world into the folder `out` as raw files that an adapter reads.

    The same world, reader and seed give the same bytes.

    Raises:
        SettingsError: nothing that such a reader reads can be simulated.
    """
    place = _PLACES.get(reader)
    if place is None:
        raise SettingsError(
            f"no raw files can be simulated for the reader {reader!r}."
            f"{nearest(reader, _PLACES)} Allowed: {', '.join(_PLACES)}."
        )
    module, name = place
    write: Callable[[World, Path, int], None] = getattr(
        import_module(f"itdr.demo.raw_files.{module}"), name
    )
    out.mkdir(parents=True, exist_ok=True)
    write(world, out, seed)
