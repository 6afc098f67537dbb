"""itdr audit: look for faults in examples before anything is trained on them."""

import argparse
import logging
from pathlib import Path

from itdr.cli.options import add_config_folders, folder_to_fill, input_path, rows, threads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.audit import AuditSettings
    from itdr.settings.flags import add_flags

    parser.add_argument(
        "--parts",
        type=input_path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="train.parquet, val.parquet and test.parquet of all tasks and datasets",
    )
    parser.add_argument(
        "--tables",
        type=input_path,
        metavar="DIR",
        help="folder that holds the tables of 'itdr normalise' as DATASET/ (default: what needs "
        "them is not checked)",
    )
    parser.add_argument(
        "--models",
        type=input_path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="model files whose tokenizers lengths are counted with (default: none)",
    )
    parser.add_argument(
        "--max-length",
        type=rows,
        default=2048,
        metavar="TOKENS",
        help="longest example that training takes, in tokens (default: 2048)",
    )
    parser.add_argument(
        "--out",
        type=folder_to_fill,
        required=True,
        help="folder for audit.json, audit.md and faults.csv",
    )
    parser.add_argument("--threads", type=threads, help="processor threads (default: all)")
    parser.add_argument(
        "--report-only", action="store_true", help="end well even when faults were found"
    )
    add_config_folders(parser)
    add_flags(parser, AuditSettings)


def run(args: argparse.Namespace) -> None:
    """Audit the examples. Raises DataError when they are not clean."""
    from itdr.errors import DataError
    from itdr.instructions.audit.gate import advice, summary
    from itdr.instructions.audit.run import audit
    from itdr.settings.audit import AuditSettings
    from itdr.settings.flags import from_flags

    report = audit(
        args.parts,
        args.out,
        from_flags(args, AuditSettings),
        folders=args.config_folders,
        tables=args.tables,
        counters={path.stem: _counter(path) for path in args.models},
        cut_off=args.max_length,
        threads=args.threads,
    )
    if report["clean"]:
        logging.getLogger("itdr").info("%s: clean", args.out / "audit.md")
        return
    message = f"{summary(report)} {advice(args.out)}"
    if not args.report_only:
        raise DataError(message)
    logging.getLogger("itdr").warning(message)


def _counter(path: Path):  # type: ignore[no-untyped-def]
    """Return a function that counts the tokens of an example as training makes them."""
    from itdr.models.loading import load_tokenizer
    from itdr.models.prompt import PromptRenderer
    from itdr.settings.model import load_model_settings

    renderer = PromptRenderer(load_tokenizer(load_model_settings(path)))

    def count(record: dict) -> tuple[int, int]:
        example = renderer.example(record["instruction"], record["input"], record["output"])
        return example.prompt_length, len(example.ids)

    return count
