"""itdr trivial: answer test examples without a model."""

import argparse
import logging
from pathlib import Path

from itdr.cli.options import add_config_folders, input_path, output_file, rows, seed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "name", metavar="NAME", help="trivial answer, such as user-mean; a task file names its own"
    )
    parser.add_argument(
        "--train",
        type=input_path,
        nargs="+",
        required=True,
        help="train.parquet files of 'itdr split'",
    )
    parser.add_argument(
        "--test",
        type=input_path,
        nargs="+",
        required=True,
        help="test.parquet files of 'itdr split'",
    )
    parser.add_argument(
        "--items",
        type=input_path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="tables/DATASET/items.parquet of 'itdr normalise', for same-category",
    )
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the answers"
    )
    parser.add_argument("--rows-per-cell", type=rows, default=250, metavar="CELL",
                        help="test rows per task and dataset (default: 250)")  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, help="seed of random answers (default: 0)")
    add_config_folders(parser)


def run(args: argparse.Namespace) -> None:
    """Write the trivial answers."""
    import pyarrow as pa

    from itdr.evaluation.trivial.core import answer_trivially
    from itdr.files.checksums import require_different
    from itdr.files.formats import read_parquet, write_parquet
    from itdr.instructions.asked import first_rows
    from itdr.instructions.record import RECORD
    from itdr.instructions.tasks import load_tasks
    from itdr.registry import TRIVIAL_ANSWERS

    trivial = TRIVIAL_ANSWERS.find(args.name)
    sees = "the training examples and the input" if trivial.needs_train else "the input"
    require_different(args.train)
    require_different(args.test)
    train = pa.concat_tables([read_parquet(path, RECORD) for path in args.train])
    rows = first_rows(args.test, args.rows_per_cell, sees)
    tasks = load_tasks({row["task"] for row in rows}, args.config_folders)
    answer = {name: task.answer for name, task in tasks.items()}
    rows = [row for row in rows if answer[row["task"]] in trivial.answers]
    test = pa.Table.from_pylist(rows, schema=RECORD.append(pa.field("protocol", pa.string())))
    categories = {path.parent.name: _categories(path) for path in args.items}
    answers = answer_trivially(
        args.name, train, test, folders=args.config_folders, seed=args.seed, categories=categories
    )
    write_parquet(args.out, answers)
    logging.getLogger("itdr").info("%s: %d answers", args.out, len(answers))


def _categories(path: Path) -> dict[str, list[str]]:
    import pyarrow as pa

    from itdr.files.formats import read_parquet

    schema = pa.schema([("item_id", pa.string()), ("categories", pa.list_(pa.string()))])
    table = read_parquet(path, schema)
    pairs = zip(table["item_id"].to_pylist(), table["categories"].to_pylist(), strict=True)
    return {item: names or [] for item, names in pairs}
