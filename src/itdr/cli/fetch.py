"""`itdr fetch`: bring the raw files of a dataset here."""

import argparse

from itdr.cli.options import add_config_folders, folder_to_fill, input_path, seconds, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dataset", metavar="DATASET", help="its id, such as movielens-1m")
    parser.add_argument(
        "--out", type=folder_to_fill, required=True, metavar="DIR", help="folder for the raw files"
    )
    parser.add_argument(
        "--from",
        dest="from_folder",
        type=input_path,
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
        type=whole_number(0, 1000),
        default=5,
        metavar="N",
        help="attempts after a failed one, counted anew when new bytes have come (default: 5)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="longest silence of a server, in seconds (default: 60)",
    )


def run(args: argparse.Namespace) -> None:
    """Bring the files. Raises the errors of itdr.datasets.download.fetch.fetch."""
    from itdr.datasets.download.fetch import fetch
    from itdr.retry import RetryPolicy
    from itdr.settings.dataset import load_dataset

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
