"""itdr normalise: bring the raw files of a dataset to its three tables."""

import argparse

from itdr.cli.options import add_config_folders, folder_to_fill, input_path, threads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import NormaliseSettings
    from itdr.settings.flags import add_flags

    parser.add_argument("dataset", metavar="DATASET", help="dataset id, such as movielens-32m")
    parser.add_argument(
        "--raw", type=input_path, required=True, metavar="DIR", help="folder with the raw files"
    )
    parser.add_argument(
        "--out",
        type=folder_to_fill,
        required=True,
        metavar="DIR",
        help="folder for the tables, rejected.parquet and quality.json",
    )
    parser.add_argument(
        "--threads",
        type=threads,
        metavar="N",
        help="threads to work with (default: all processors)",
    )
    add_config_folders(parser)
    add_flags(parser, NormaliseSettings)


def run(args: argparse.Namespace) -> None:
    """Normalise the dataset."""
    from itdr.settings.experiment import NormaliseSettings
    from itdr.settings.flags import from_flags

    settings = from_flags(args, NormaliseSettings)

    from itdr.datasets.normalise import normalise
    from itdr.settings.dataset import load_dataset

    normalise(
        load_dataset(args.dataset, args.config_folders),
        args.raw,
        args.out,
        memory_limit_mb=settings.memory_limit_mb,
        threads=args.threads,
    )
