"""itdr build: build the examples of one task from the tables of one dataset."""

import argparse
import logging

from itdr.cli.options import add_config_folders, add_seed, input_path, output_file, threads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import BuildSettings, SplitSettings
    from itdr.settings.flags import add_flags

    parser.add_argument("task", metavar="TASK", help="task id, such as RP")
    parser.add_argument("dataset", metavar="DATASET", help="dataset id, such as movielens-32m")
    parser.add_argument(
        "--tables", type=input_path, required=True, help="folder of 'itdr normalise'"
    )
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the examples"
    )
    add_seed(parser, "all choices")
    parser.add_argument("--threads", type=threads, help="processor threads (default: all)")
    add_config_folders(parser)
    add_flags(parser, BuildSettings)
    add_flags(parser, SplitSettings)


def run(args: argparse.Namespace) -> None:
    """Build the examples."""
    from itdr.instructions.build import build
    from itdr.instructions.tasks import load_task
    from itdr.settings.experiment import BuildSettings, SplitSettings
    from itdr.settings.flags import from_flags

    task = load_task(args.task, args.config_folders)
    settings = from_flags(args, BuildSettings)
    count = build(
        task,
        args.dataset,
        args.tables,
        args.out,
        settings,
        division=from_flags(args, SplitSettings),
        seed=args.seed,
        threads=args.threads,
    )
    logging.getLogger("itdr").info("%s/%s: %s examples", args.task, args.dataset, f"{count:,}")
