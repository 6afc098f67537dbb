"""Google Drive through gdown, with our words for errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itdr.errors import DownloadError


class PassingError(Exception):
    """A failure that may pass."""


def bring_file(id: str, target: Path, what: str, by_hand: str) -> Path:
    """Bring a file to the path `target` and return it; one that was begun is gone on with.

    what: begins the messages. by_hand: how to get it otherwise; ends them.

    Raises:
        PassingError: the network fails.
        DownloadError: it is not handed out.
    """
    import gdown

    with _explained(what, by_hand):
        gdown.download(id=id, output=str(target), quiet=True, resume=True)
    if not target.is_file():
        raise DownloadError(f"{what}nothing came. {by_hand}")
    return target


def files_of_folder(id: str, what: str, by_hand: str) -> dict[str, str]:
    """Return path to id of the files at any depth of a folder; its own name is no part of a path.

    Raises as bring_file.
    """
    import gdown

    with _explained(what, by_hand):
        found: Any = gdown.download_folder(id=id, skip_download=True, quiet=True)
    return {file.path: file.id for file in found}


@contextmanager
def _explained(what: str, by_hand: str) -> Iterator[None]:
    import requests
    from gdown import exceptions

    try:
        yield
    except requests.RequestException as error:
        raise PassingError(f"{what}{error}") from error
    except exceptions.DownloadError as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DownloadError(
            f"{what}Google Drive does not hand it out ({reason}); it does so for a day when a file "
            f"was asked for too often. Try again later. {by_hand}"
        ) from error
