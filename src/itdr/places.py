"""Where the workflow's own files lie, whichever folder the work is done in."""

from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).parents[2]
"""The checkout that this package runs from, with config/ and envs/ beside src/."""

_OWN = ("Snakefile", "config", "envs")


def from_home(path: str) -> str:
    """Return a path with the user's home in place of "~" at its beginning."""
    if path == "~" or path.startswith("~/"):
        with suppress(RuntimeError):  # nobody knows where it is
            return str(Path(path).expanduser())
    return path


def project_path(path: str | Path) -> Path:
    """Return a path of config/ or envs/ as it is if something is there, else the checkout's.

    What is there is seen from the working directory. So a file of one's own, such as
    config/models/mine.yaml, stands beside those of the checkout or in place of one of them. All
    other paths, and what is in neither place, are returned as they were given.
    """
    here = Path(path)
    there = PROJECT / here
    own = here.parts[:1] and here.parts[0] in _OWN
    return there if own and not here.exists() and there.exists() else here
