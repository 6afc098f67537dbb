"""itdr export: write examples or answers in a form that other tools read."""

import argparse
import logging
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from itdr.cli.options import add_config_folders, input_path, output_path, whole_number
from itdr.errors import SettingsError
from itdr.settings.reading import MOST_ROWS

FORMS = (
    "llama-factory",
    "hugging-face",
    "recipe",
    "lm-eval",
    "model-card",
    "ro-crate",
    "predictions",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "form",
        metavar="FORM",
        choices=FORMS,
        help="llama-factory: alpaca JSON and dataset_info.json; hugging-face: Parquet, a "
        "dataset card and Croissant metadata; recipe: the same without any example, which may be "
        "passed on; lm-eval: tasks of lm-evaluation-harness for files called "
        "test.parquet; model-card: an adapter's card with its scores, and .eval_results/; "
        "ro-crate: a run's report, scores and provenance without any row, which needs the "
        "package's extra 'ro-crate'; predictions: answers as JSON lines",
    )
    parser.add_argument(
        "--parts",
        type=input_path,
        nargs="+",
        metavar="FILE",
        help="files called train.parquet, val.parquet or test.parquet, of 'itdr split' or "
        "'itdr mix'; for predictions one file of 'itdr infer', for model-card one of 'itdr score'; "
        "ro-crate takes none",
    )
    parser.add_argument(
        "--results", type=input_path, metavar="DIR", help="for ro-crate: the folder of a run"
    )
    parser.add_argument(
        "--adapter", type=input_path, metavar="DIR", help="for model-card: folder of 'itdr train'"
    )
    parser.add_argument(
        "--dataset-id",
        type=_hub_id,
        default="itdr",
        metavar="ID",
        help="for model-card: what the dataset is called on a hub, as OWNER/NAME (default: itdr)",
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


def _hub_id(text: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(
            f"{text!r}: an id such as OWNER/NAME is needed, of letters, digits, '_', '-' and '.'"
        )
    return text


def run(args: argparse.Namespace) -> None:
    """Write the folder or file.

    Raises:
        SettingsError: an option that the form needs is missing.
    """
    if args.form == "ro-crate":
        _write_crate(args)
        return
    if not args.parts:
        raise SettingsError(f"{args.form}: --parts is needed.")
    if args.form == "predictions":
        _write_predictions(args.parts, args.out)
        return
    if args.form == "model-card":
        _write_model_card(args)
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


def _write_crate(args: argparse.Namespace) -> None:
    from itdr.settings.dataset import load_datasets

    if args.results is None:
        raise SettingsError("ro-crate: --results is needed, the folder of a run.")
    if find_spec("rocrate") is None:
        raise SettingsError(
            "ro-crate: the package rocrate is missing; pip install --constraint "
            "envs/constraints.txt --editable '.[ro-crate]' brings it."
        )
    from itdr.reporting.ro_crate import write_crate

    count = write_crate(args.results, args.out, load_datasets(args.config_folders))
    logging.getLogger("itdr").info("%s: %s files", args.out, f"{count:,}")


def _write_model_card(args: argparse.Namespace) -> None:
    from itdr.instructions.tasks import load_tasks
    from itdr.reporting.model_card import write_model_card
    from itdr.reporting.scores import read_scores

    if args.adapter is None or len(args.parts) != 1:
        raise SettingsError("model-card: --adapter and one file of scores in --parts are needed.")
    tasks = load_tasks({task for task, _, _ in read_scores(args.parts[0])}, args.config_folders)
    count = write_model_card(args.adapter, args.parts[0], args.out, args.dataset_id, tasks)
    logging.getLogger("itdr").info("%s: %s values", args.out, f"{count:,}")


def _write_predictions(files: Sequence[Path], out: Path) -> None:
    from itdr.evaluation.predictions import read_predictions
    from itdr.files.formats import write_jsonl

    if len(files) != 1:
        raise SettingsError(f"{len(files)} files of predictions; one is written at a time.")
    table = read_predictions(files[0])
    write_jsonl(out, table)
    logging.getLogger("itdr").info("%s: %s answers", out, f"{len(table):,}")
