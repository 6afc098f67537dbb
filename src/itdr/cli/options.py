"""Options that several commands have."""

import argparse
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.files.atomic import require_file_place, require_folder_place
from itdr.places import from_home, project_path
from itdr.settings.folders import CONFIG
from itdr.vocabulary import SEED

_DAY_S = 86_400
_LONGEST_PATH = 3000  # bytes; Linux has 4,096, and names are added to it


def output_file(text: str) -> Path:
    """Return the path that an option names, at which a file can be written.

    Raises:
        SettingsError: it is empty or no text.
        DataError: it is a folder, a link or a device.
    """
    path = output_path(text)
    require_file_place(path)
    return path


def output_folder(made_by: str) -> Callable[[str], Path]:
    """Return the reader of an option that names the folder that a command makes as a whole.

    It raises as output_file, and DataError for a folder that the command `made_by` may not replace.
    """

    def folder(text: str) -> Path:
        path = output_path(text)
        require_folder_place(path, made_by)
        return path

    return folder


def folder_to_fill(text: str) -> Path:
    """Return the path that an option names, a folder into which files can be written.

    Raises:
        SettingsError: it is empty or no text.
        DataError: it is no folder.
    """
    path = output_path(text)
    if path.exists() and not path.is_dir():
        raise DataError(f"{path}: is no folder, and files are to be written there. Name another.")
    return path


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return the reader of an option that is a whole number from `least` to `most`."""

    def number(text: str) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,30}", text) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not allowed; needed is a whole number from {least:,} to {most:,}"
        )

    return number


seed = whole_number(0, 2**32 - 1)
threads = whole_number(1, 1024)
rows = whole_number(1, 10**9)


def seconds(text: str) -> float:
    """Return the duration that an option gives: more than 0 seconds, a day at most."""
    with suppress(ValueError):
        if text.isascii() and 0 < (value := float(text)) <= _DAY_S:
            return value
    raise argparse.ArgumentTypeError(
        f"{text[:40]!r} is not allowed; needed are more than 0 seconds, {_DAY_S:,} at most"
    )


def input_path(text: str) -> Path:
    """Return the path that an option names, which is a file or a folder.

    Raises:
        SettingsError: it is empty.
        MissingFileError: nothing is there.
        DataError: it is a pipe or a device, which could be read for ever.
    """
    path = project_path(any_path(text))
    if len(text.encode(errors="replace")) > _LONGEST_PATH or not path.exists():
        raise MissingFileError(
            f"{_shown(text)}: no such file or folder. Name one, or run the stage that makes it "
            "first."
        )
    if not (path.is_file() or path.is_dir()):
        raise DataError(f"{path}: is neither a file nor a folder. Name one.")
    return path


def any_path(text: str) -> Path:
    """Return the path that an option names, there or not. Raises SettingsError: it is empty."""
    if not text.strip():
        raise SettingsError("a path is empty ('').")
    return Path(from_home(text))


def output_path(text: str) -> Path:
    """Return the path that an option names, at which something can be written.

    Raises:
        SettingsError: it is empty, no text, or a name that not every library takes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"--out is {text!r}, which is not UTF-8. Name another path.") from None
    if set(text) & set("\\?") or len(text.encode()) > _LONGEST_PATH or not text.strip():
        raise SettingsError(
            f"--out is {_shown(text)!r}; needed is a path of at most {_LONGEST_PATH:,} bytes "
            "without a backslash or a question mark, which DuckDB does not take for themselves. "
            "Name another."
        )
    return Path(from_home(text))


def _shown(text: str) -> str:
    return text if len(text) < 200 else f"{text[:80]}..."


def add_config_folders(parser: argparse.ArgumentParser) -> None:
    """Add --config-folder, which may be given several times."""
    parser.add_argument(
        "--config-folder",
        dest="config_folders",
        type=input_path,
        action="append",
        default=[CONFIG],
        metavar="DIR",
        help="folder with datasets/ and tasks/ of your own, beside config/; may be given several "
        "times",
    )


def add_seed(parser: argparse.ArgumentParser, of_what: str) -> None:
    """Add --seed."""
    parser.add_argument(
        "--seed", type=seed, default=SEED, metavar="N", help=f"seed of {of_what} (default: {SEED})"
    )


def add_release_manifest(parser: argparse.ArgumentParser) -> None:
    """Add --manifest, the list of the released files."""
    parser.add_argument(
        "--manifest",
        type=input_path,
        default=Path("config/papers/itdr/release_manifest.csv"),
        metavar="FILE",
        help="what the release consists of (default: %(default)s)",
    )


def add_configfile(parser: argparse.ArgumentParser) -> None:
    """Add --configfile, which says what the experiment is."""
    parser.add_argument(
        "--configfile",
        type=input_path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="laid over config/config.yaml, as for snakemake (default: none)",
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the targets of the workflow and what they depend on."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="as for snakemake: a table, MODEL/VARIANT or a file (default: all)",
    )
    add_configfile(parser)
    parser.add_argument(
        "--snakefile",
        type=input_path,
        default=project_path("Snakefile"),
        metavar="FILE",
        help="the workflow (default: Snakefile here, else that of this package)",
    )
    parser.add_argument(
        "--rates",
        type=input_path,
        default=Path("config/rates.yaml"),
        metavar="FILE",
        help="rates to reckon with until jobs have finished (default: config/rates.yaml)",
    )


def add_part(parser: argparse.ArgumentParser, part: str) -> None:
    """Add --train or --test, the files of one part."""
    parser.add_argument(
        f"--{part}",
        type=input_path,
        nargs="+",
        required=True,
        help=f"{part}.parquet files of 'itdr split'",
    )
