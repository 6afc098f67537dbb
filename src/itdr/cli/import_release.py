"""itdr import-release: turn released files into the parts that training and inference read."""

import argparse
import logging

from itdr.cli.options import (
    add_config_folders,
    add_release_manifest,
    add_seed,
    input_path,
    output_folder,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("task", metavar="TASK", help="task id, such as RP")
    parser.add_argument("dataset", metavar="DATASET", help="dataset id, such as movielens-32m")
    parser.add_argument(
        "--release",
        type=input_path,
        required=True,
        metavar="DIR",
        help="folder of 'itdr fetch-release'",
    )
    parser.add_argument(
        "--out",
        type=output_folder("import-release"),
        required=True,
        metavar="DIR",
        help="folder for the three parts",
    )
    add_seed(parser, "their order")
    add_config_folders(parser)
    add_release_manifest(parser)


def run(args: argparse.Namespace) -> None:
    """Import the files."""
    from itdr.instructions.tasks import load_task
    from itdr.released.importing import import_release
    from itdr.released.manifest import files_of

    task = load_task(args.task, args.config_folders)
    files = files_of(args.manifest, args.task, args.dataset)
    report = import_release(files, args.release, args.out, task, seed=args.seed)
    read, kept = (sum(file[what] for file in report["files"]) for what in ("read", "kept"))
    logging.getLogger("itdr").info(
        "%s/%s: %s rows read, %s kept, %s rejected", args.task, args.dataset,
        *(f"{count:,}" for count in (read, kept, read - kept)),
    )  # fmt: skip
