"""itdr infer: let a model answer test examples."""

import argparse
import logging
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.flags import add_flags

    parser.add_argument(
        "--model", type=Path, required=True, help="model file, such as config/models/tiny.yaml"
    )
    parser.add_argument(
        "--adapter", type=Path, help="folder of 'itdr train' (default: none, the base model)"
    )
    parser.add_argument(
        "--test", type=Path, nargs="+", required=True, help="test.parquet files of 'itdr split'"
    )
    parser.add_argument("--out", type=Path, required=True, help="Parquet file for the answers")
    parser.add_argument(
        "--tasks",
        type=Path,
        default=Path("config/tasks"),
        help="folder of task files (default: config/tasks)",
    )
    add_flags(parser, InferenceSettings)


def run(args: argparse.Namespace) -> None:
    """Ask the model."""
    from itdr.inference.infer import infer
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.flags import from_flags
    from itdr.settings.model import load_model_settings

    model = load_model_settings(args.model)
    settings = from_flags(args, InferenceSettings)
    count = infer(model, args.adapter, args.test, args.out, settings, tasks=args.tasks)
    logging.getLogger("itdr").info("%s: %d answers", args.out, count)
