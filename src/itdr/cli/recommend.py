"""itdr recommend: answer test examples with a conventional recommender."""

import argparse
import logging

from itdr.cli.options import add_config_folders, add_part, add_seed, input_path, output_file, rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.recommenders.methods import METHODS
    from itdr.settings.experiment import RecommendSettings
    from itdr.settings.flags import add_flags

    parser.add_argument(
        "name",
        metavar="NAME",
        help="recommender: "
        + "; ".join(f"{name}: {method.description}" for name, method in METHODS.items()),
    )
    add_part(parser, "test")
    parser.add_argument(
        "--tables",
        type=input_path,
        metavar="DIR",
        help="folder that holds the tables of 'itdr normalise' as DATASET/, for what learns from "
        "interactions",
    )
    parser.add_argument(
        "--train",
        type=input_path,
        nargs="*",
        default=[],
        help="train.parquet files of 'itdr split', for what learns from examples",
    )
    add_config_folders(parser)
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the answers"
    )
    parser.add_argument("--rows-per-cell", type=rows, default=250, metavar="CELL",
                        help="test rows per task and dataset (default: 250)")  # fmt: skip
    add_seed(parser, "training and of ties")
    add_flags(parser, RecommendSettings)


def run(args: argparse.Namespace) -> None:
    """Write the answers."""
    from itdr.files.formats import write_parquet
    from itdr.recommenders.recommend import Sources, recommend
    from itdr.settings.experiment import RecommendSettings
    from itdr.settings.flags import from_flags

    answers = recommend(
        args.name,
        args.test,
        Sources(args.tables, args.train, from_flags(args, RecommendSettings)),
        folders=args.config_folders,
        rows_per_cell=args.rows_per_cell,
        seed=args.seed,
    )
    write_parquet(args.out, answers)
    logging.getLogger("itdr").info("%s: %s answers", args.out, f"{len(answers):,}")
