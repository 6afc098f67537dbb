"""Errors that a user can act on.

Each message says where (file and row or key), what was found, what is allowed and what to do. The
command line prints the message alone; any other exception is a defect of this package.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class ItdrError(Exception):
    """Base of every error that is meant to be read by a user."""


class SettingsError(ItdrError):
    """A configuration file or a command-line option is wrong."""


class MissingFileError(ItdrError):
    """A file that is needed is not where it should be."""


class DownloadError(ItdrError):
    """A file could not be fetched, or what came is not what was asked for."""


class DataError(ItdrError):
    """A data file is not in the form that it should have."""


class ModelError(ItdrError):
    """A model, adapter or tokenizer cannot be used as asked."""


class TrainingError(ItdrError):
    """Training cannot go on."""


class EndpointError(ItdrError):
    """A language model behind an endpoint did not answer, or may not be asked any further."""


class DiskFullError(ItdrError):
    """There is no room for a file."""


class BusyError(ItdrError):
    """Another process is at the same work."""


class RefusedRequestsError(EndpointError):
    """All requests were answered but for some that the model refuses.

    Attributes:
        ids: of the refused ones.
    """

    def __init__(self, message: str, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids = tuple(ids)


def nearest(found: str, allowed: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the name most like `found`, or "" when none is close."""
    close = get_close_matches(found, [str(name) for name in allowed], n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
