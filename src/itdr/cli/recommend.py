"""itdr recommend: answer test examples with a conventional recommender."""

import argparse
import logging
from pathlib import Path

from itdr.cli.options import add_tasks, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.recommenders.methods import METHODS

    parser.add_argument(
        "name",
        metavar="NAME",
        help="recommender: "
        + "; ".join(f"{name}: {method.description}" for name, method in METHODS.items()),
    )
    parser.add_argument(
        "--test", type=Path, nargs="+", required=True, help="test.parquet files of 'itdr split'"
    )
    parser.add_argument(
        "--tables",
        type=Path,
        metavar="DIR",
        help="folder that holds the tables of 'itdr normalise' as DATASET/, for what learns from "
        "interactions",
    )
    parser.add_argument(
        "--train",
        type=Path,
        nargs="*",
        default=[],
        help="train.parquet files of 'itdr split', for what learns from examples",
    )
    parser.add_argument(
        "--shown-alone",
        action="store_true",
        help="see no more of a test user than the items that the example shows, as language models "
        "do (default: all of the user's interactions before the target)",
    )
    add_tasks(parser)
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the answers"
    )
    parser.add_argument("--rows-per-cell", type=int, default=250, metavar="CELL",
                        help="test rows per task and dataset (default: 250)")  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of training and of ties (default: 0)"
    )
    parser.add_argument("--memory-limit-mb", type=int, default=3072, metavar="N",
                        help="memory to read tables with in MB (default: 3072)")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Write the answers."""
    from itdr.files.formats import write_parquet
    from itdr.recommenders.recommend import Sources, recommend

    answers = recommend(
        args.name,
        args.test,
        Sources(args.tables, args.train, args.shown_alone, args.memory_limit_mb),
        tasks=args.tasks,
        rows_per_cell=args.rows_per_cell,
        seed=args.seed,
    )
    write_parquet(args.out, answers)
    logging.getLogger("itdr").info("%s: %d answers", args.out, len(answers))
