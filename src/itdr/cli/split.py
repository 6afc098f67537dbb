"""itdr split: divide examples into train, val and test by user, example or time."""

import argparse
import logging

from itdr.cli.options import add_seed, input_path, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import SplitSettings
    from itdr.settings.flags import add_flags

    parser.add_argument(
        "--examples", type=input_path, required=True, help="Parquet file of 'itdr build'"
    )
    parser.add_argument(
        "--out", type=output_folder("split"), required=True, help="folder for the three parts"
    )
    parser.add_argument(
        "--tables",
        type=input_path,
        metavar="DIR",
        help="folder of the dataset's tables of 'itdr normalise', for a split by time",
    )
    add_seed(parser, "the division")
    add_flags(parser, SplitSettings)


def run(args: argparse.Namespace) -> None:
    """Divide the examples."""
    from itdr.instructions.split import split
    from itdr.settings.experiment import SplitSettings
    from itdr.settings.flags import from_flags

    settings = from_flags(args, SplitSettings)
    counts = split(args.examples, args.out, settings, args.seed, args.tables)
    logging.getLogger("itdr").info(
        "%s: %s", args.examples, ", ".join(f"{count} {part}" for part, count in counts.items())
    )
