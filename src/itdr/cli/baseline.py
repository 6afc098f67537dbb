"""itdr baseline: answer test examples in a trivial way."""

import argparse
import logging
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("name", metavar="NAME", help="trivial answer, such as user-mean or random")
    parser.add_argument(
        "--train", type=Path, nargs="+", required=True, help="train.parquet files of 'itdr split'"
    )
    parser.add_argument(
        "--test", type=Path, nargs="+", required=True, help="test.parquet files of 'itdr split'"
    )
    parser.add_argument("--out", type=Path, required=True, help="Parquet file for the answers")
    parser.add_argument("--rows-per-cell", type=int, default=250, metavar="CELL",
                        help="test rows per task and dataset (default: 250)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of random answers (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Write the trivial answers."""
    import pyarrow as pa

    from itdr.errors import SettingsError, nearest
    from itdr.evaluation.baselines import BASELINES, answer_trivially
    from itdr.instructions.record import RECORD
    from itdr.instructions.split import first_rows
    from itdr.storage import read_parquet, write_parquet

    if args.name not in BASELINES:
        raise SettingsError(
            f"unknown baseline {args.name!r}.{nearest(args.name, BASELINES)} "
            f"Allowed: {', '.join(BASELINES)}."
        )
    train = pa.concat_tables([read_parquet(path, RECORD) for path in args.train])
    answered = BASELINES[args.name].tasks
    rows = [row for row in first_rows(args.test, args.rows_per_cell) if row["task"] in answered]
    test = pa.Table.from_pylist(rows, schema=RECORD)
    answers = answer_trivially(args.name, train, test, args.seed)
    write_parquet(args.out, answers)
    logging.getLogger("itdr").info("%s: %d answers", args.out, len(answers))
