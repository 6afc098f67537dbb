"""itdr export: write examples or answers in a form that other tools read."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from itdr.cli.options import add_config_folders, input_path, output_path, whole_number
from itdr.settings.reading import MOST_ROWS

FORMS = ("llama-factory", "hugging-face", "recipe", "lm-eval", "predictions")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "form",
        metavar="FORM",
        choices=FORMS,
        help="llama-factory: alpaca JSON and dataset_info.json; hugging-face: Parquet, a "
        "dataset card and Croissant metadata; recipe: the same without any example, which may be "
        "passed on; lm-eval: tasks of lm-evaluation-harness for files called "
        "test.parquet; predictions: answers as JSON lines",
    )
    parser.add_argument(
        "--parts",
        type=input_path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="files called train.parquet, val.parquet or test.parquet, of 'itdr split' or "
        "'itdr mix'; for predictions one file of 'itdr infer'",
    )
    parser.add_argument(
        "--audit",
        type=input_path,
        metavar="FILE",
        help="audit.json of 'itdr audit'; files that it did not find clean are refused "
        "(default: no audit is asked for)",
    )
    parser.add_argument(
        "--rows-per-cell",
        type=whole_number(1, MOST_ROWS),
        default=250,
        metavar="N",
        help="most rows of each part that a task of lm-eval asks (default: 250)",
    )
    parser.add_argument(
        "--out",
        type=output_path,
        required=True,
        help="folder, replaced as a whole; for predictions a .jsonl file",
    )
    add_config_folders(parser)


def run(args: argparse.Namespace) -> None:
    """Write the folder or file."""
    if args.form == "predictions":
        _write_predictions(args.parts, args.out)
        return
    from itdr.instructions.audit.gate import require_clean

    if args.audit:
        require_clean(args.audit, args.parts)
    log = logging.getLogger("itdr")
    if args.form == "llama-factory":
        from itdr.instructions.export import llama_factory

        for name, count in llama_factory.export(args.parts, args.out).items():
            log.info("%s: %s, %s examples", args.out, name, f"{count:,}")
        return

    if args.form == "lm-eval":
        from itdr.instructions.export import lm_eval

        count = lm_eval.export(args.parts, args.out, args.rows_per_cell, args.config_folders)
        log.info("%s: %d tasks", args.out, count)
        return
    from itdr.instructions.export import hugging_face
    from itdr.settings.dataset import load_datasets

    sources = load_datasets(args.config_folders)
    rows = args.form == "hugging-face"
    counts = hugging_face.export(args.parts, args.out, sources, args.config_folders, rows=rows)
    log.info("%s: %s examples", args.out, f"{sum(counts.values()):,}")


def _write_predictions(files: Sequence[Path], out: Path) -> None:
    from itdr.errors import SettingsError
    from itdr.evaluation.predictions import read_predictions
    from itdr.files.formats import write_jsonl

    if len(files) != 1:
        raise SettingsError(f"{len(files)} files of predictions; one is written at a time.")
    table = read_predictions(files[0])
    write_jsonl(out, table)
    logging.getLogger("itdr").info("%s: %s answers", out, f"{len(table):,}")
