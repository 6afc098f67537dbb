"""`itdr fetch`: bring the raw files of a dataset here."""

import argparse
from pathlib import Path

from itdr.cli.options import add_config_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dataset", metavar="DATASET", help="its id, such as movielens-1m")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the raw files"
    )
    parser.add_argument(
        "--from",
        dest="from_folder",
        type=Path,
        metavar="DIR",
        help="take the files from this folder (any depth; plain, .gz or in their archive) by "
        "symbolic links, without the network",
    )
    add_config_folders(parser)
    _add_choice(parser)
    _add_retries(parser)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help="bring these files of the dataset alone (default: all that a task needs)",
    )
    parser.add_argument(
        "--optional", action="store_true", help="download also the files that no task needs"
    )


def _add_retries(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--retries",
        type=int,
        default=5,
        metavar="N",
        help="attempts after a failed one, counted anew when new bytes have come (default: 5)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="longest silence of a server, in seconds (default: 60)",
    )


def run(args: argparse.Namespace) -> None:
    """Bring the files. Raises the errors of itdr.datasets.download.fetch.fetch."""
    from itdr.datasets.download.fetch import fetch
    from itdr.errors import SettingsError
    from itdr.retry import RetryPolicy
    from itdr.settings.dataset import load_dataset

    if args.retries < 0 or args.timeout <= 0:
        raise SettingsError(
            f"--retries {args.retries}, --timeout {args.timeout:g}: at least 0 retries and more "
            "than 0 seconds are needed."
        )
    dataset = load_dataset(args.dataset, args.config_folders)
    if args.only:
        dataset = dataset.selected(args.only)
    fetch(
        dataset,
        args.out,
        args.from_folder,
        optional=args.optional,
        retry_policy=RetryPolicy(retries=args.retries, timeout_s=args.timeout),
    )
