"""Where a result comes from: versions of the code and of the libraries that made it."""

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from itdr import __version__


def provenance(packages: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of this package, of Python and of the named packages, and the commit."""
    return {
        "itdr": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Return the commit of the checkout that this code runs from, with "+" if it was changed."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
