"""itdr trivial: answer test examples without a model."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from itdr.cli.options import add_config_folders, add_part, add_seed, input_path, output_file, rows

if TYPE_CHECKING:
    from itdr.evaluation.trivial.core import ItemFacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.registry import TRIVIAL_ANSWERS

    parser.add_argument(
        "name",
        metavar="NAME",
        help="trivial answer: "
        + "; ".join(f"{name}: {one.description}" for name, one in TRIVIAL_ANSWERS.items()),
    )
    add_part(parser, "train")
    add_part(parser, "test")
    parser.add_argument(
        "--items",
        type=input_path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="tables/DATASET/items.parquet of 'itdr normalise', for same-category and not-newer",
    )
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the answers"
    )
    parser.add_argument("--rows-per-cell", type=rows, default=250, metavar="CELL",
                        help="test rows per task and dataset (default: 250)")  # fmt: skip
    add_seed(parser, "random answers")
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
    items = {path.parent.name: _items(path) for path in args.items}
    answers = answer_trivially(
        args.name, train, test, folders=args.config_folders, seed=args.seed, items=items
    )
    write_parquet(args.out, answers)
    logging.getLogger("itdr").info("%s: %s answers", args.out, f"{len(answers):,}")


def _items(path: Path) -> "dict[str, ItemFacts]":
    import pyarrow as pa

    from itdr.evaluation.trivial.core import ItemFacts
    from itdr.files.formats import read_parquet

    names = pa.list_(pa.string())
    schema = pa.schema([("item_id", pa.string()), ("categories", names), ("year", pa.int32())])
    return {row["item_id"]: ItemFacts(row["categories"] or (), row["year"])
            for row in read_parquet(path, schema).to_pylist()}  # fmt: skip
