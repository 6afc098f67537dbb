"""itdr infer: let a model answer test examples."""

import argparse
import logging
import os
from pathlib import Path

from itdr.cli.options import add_config_folders, add_part, input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.flags import add_flags

    parser.add_argument(
        "--model",
        type=input_path,
        required=True,
        help="model file, such as config/models/tiny.yaml",
    )
    parser.add_argument(
        "--adapter",
        nargs="+",
        metavar="DIR",
        help="folders of 'itdr train', one for each --out, 'base' for the base model; vLLM loads "
        "the base model once for all (default: base)",
    )
    add_part(parser, "test")
    parser.add_argument(
        "--out",
        type=output_file,
        nargs="+",
        required=True,
        metavar="FILE",
        help="Parquet files for the answers; until one is complete its answers lie beside it in a "
        "folder that ends with .answers, and the same command goes on from there",
    )
    add_config_folders(parser)
    parser.add_argument(
        "--no-description",
        dest="description",
        action="store_false",
        help="leave the task description out of the prompts (default: it stands in them)",
    )
    add_flags(parser, InferenceSettings)


def run(args: argparse.Namespace) -> None:
    """Ask the model."""
    from itdr.errors import SettingsError
    from itdr.inference.engines import engine_name, python_elsewhere, stands_in
    from itdr.inference.infer import infer
    from itdr.models.gpus import hold_gpus
    from itdr.models.source import settled
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.flags import from_flags
    from itdr.settings.model import load_model_settings

    model = settled(load_model_settings(args.model))
    settings = from_flags(args, InferenceSettings)
    engine = engine_name(model, settings)
    if python := python_elsewhere(engine):
        os.execv(python, [python, "-m", "itdr", *args.words])  # noqa: S606 (our own words)
    adapters = args.adapter or ["base"] * len(args.out)
    if len(adapters) != len(set(args.out)):
        raise SettingsError(
            f"{len(adapters)} adapters and {len(set(args.out))} different files to write; name one "
            "--out for each --adapter."
        )
    outputs = {
        out: None if name == "base" else Path(name)
        for out, name in zip(args.out, adapters, strict=True)
    }
    install = "make setup-vllm" if engine == "vllm" else "make setup"
    with hold_gpus(model.inference_gpus, f"{args.model}: inference_gpus", install):
        if stands_in(model, settings):
            logging.getLogger("itdr").warning(
                "transformers answers for %s, many times slower than vLLM, which is not installed: "
                "'make setup-vllm TORCH=cuda' installs it, inference.engine 'transformers' says "
                "that this is meant",
                model.model,
            )
        count = infer(
            model,
            outputs,
            args.test,
            settings,
            folders=args.config_folders,
            description=args.description,
        )
    for out in outputs:
        logging.getLogger("itdr").info("%s: %s answers", out, f"{count:,}")
