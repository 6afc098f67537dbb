"""itdr train: fine-tune a LoRA adapter on a mixture."""

import argparse
from functools import partial

from itdr.cli.options import add_config_folders, add_seed, input_path, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.training import TrainingSettings

    parser.add_argument(
        "--model",
        type=input_path,
        required=True,
        help="model file, such as config/models/tiny.yaml",
    )
    parser.add_argument(
        "--mixture", type=input_path, required=True, help="Parquet file of 'itdr mix'"
    )
    parser.add_argument(
        "--out", type=output_folder("train"), required=True, help="folder for the adapter"
    )
    parser.add_argument(
        "--start-from",
        type=input_path,
        metavar="ADAPTER",
        help="folder of an adapter of the same model, rank, scale and layers to train further "
        "(default: a new adapter)",
    )
    parser.add_argument(
        "--val",
        type=input_path,
        nargs="+",
        metavar="FILE",
        help="val.parquet files of 'itdr split' to validate with, if --validation-every is given",
    )
    parser.add_argument(
        "--no-description",
        dest="description",
        action="store_false",
        help="leave the task description out of the prompts of --val, as it was out of the mixture "
        "(default: it stands in them)",
    )
    add_config_folders(parser)
    add_seed(parser, "weights and order")
    add_flags(parser, TrainingSettings)


def run(args: argparse.Namespace) -> None:
    """Train the adapter."""
    from itdr.models.gpus import hold_gpus
    from itdr.models.source import settled
    from itdr.settings.flags import from_flags
    from itdr.settings.model import load_model_settings
    from itdr.settings.training import TrainingSettings
    from itdr.training.processes import spawned_ranks

    model = settled(load_model_settings(args.model))
    settings = from_flags(args, TrainingSettings).of(model)
    held = hold_gpus(model.training_gpus, f"{args.model}: training_gpus", "make setup")
    with held, spawned_ranks(settings.processes):
        from itdr.inference.in_training import answers_in_training
        from itdr.training.lora import train
        from itdr.training.validation import HeldOut

        folders, description = tuple(args.config_folders), args.description
        answering = partial(
            answers_in_training,
            model,
            folders=folders,
            description=description,
            batch_tokens=settings.row_length,
        )
        held_out = HeldOut(tuple(args.val or ()), folders, description, answering)
        train(
            model,
            args.mixture,
            args.out,
            settings,
            seed=args.seed,
            start=args.start_from,
            held_out=held_out if args.val else None,
        )
