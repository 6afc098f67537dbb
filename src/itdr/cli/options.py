"""Options that several commands have."""

import argparse
from collections.abc import Callable
from pathlib import Path

from itdr.errors import SettingsError
from itdr.files.atomic import require_file_place, require_folder_place
from itdr.settings.folders import CONFIG


def output_file(text: str) -> Path:
    """Return the path that an option names, at which a file can be written.

    Raises:
        SettingsError: it is empty or no text.
        DataError: it is a folder, a link or a device.
    """
    path = _path(text)
    require_file_place(path)
    return path


def output_folder(made_by: str) -> Callable[[str], Path]:
    """Return the reader of an option that names the folder that a command makes as a whole.

    It raises as output_file, and DataError for a folder that the command `made_by` may not replace.
    """

    def folder(text: str) -> Path:
        path = _path(text)
        require_folder_place(path, made_by)
        return path

    return folder


def _path(text: str) -> Path:
    if not text.strip():
        raise SettingsError("--out is empty; a path is needed.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"--out is {text!r}, which is not UTF-8. Name another path.") from None
    return Path(text)


def add_config_folders(parser: argparse.ArgumentParser) -> None:
    """Add --config-folder, which may be given several times."""
    parser.add_argument(
        "--config-folder",
        dest="config_folders",
        type=Path,
        action="append",
        default=[CONFIG],
        metavar="DIR",
        help="folder with datasets/ and tasks/ of your own, beside config/; may be given several "
        "times",
    )


def add_release_manifest(parser: argparse.ArgumentParser) -> None:
    """Add --manifest, the list of the released files."""
    parser.add_argument(
        "--manifest",
        type=Path,
        default=Path("config/papers/itdr/release_manifest.csv"),
        metavar="FILE",
        help="what the release consists of (default: %(default)s)",
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the targets of the workflow and what they depend on."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="as for snakemake: a table, MODEL/VARIANT or a file (default: all)",
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="laid over config/config.yaml, as for snakemake (default: none)",
    )
    parser.add_argument(
        "--snakefile",
        type=Path,
        default=Path("Snakefile"),
        metavar="FILE",
        help="the workflow (default: Snakefile)",
    )
    parser.add_argument(
        "--rates",
        type=Path,
        default=Path("config/rates.yaml"),
        metavar="FILE",
        help="rates to reckon with until jobs have finished (default: config/rates.yaml)",
    )
