"""itdr tiny-model: make the tiny language model of the demo."""

import argparse

from itdr.cli.options import add_config_folders, add_seed, input_path, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "--out", type=output_folder("tiny-model"), required=True, help="folder for the model"
    )
    add_seed(parser, "weights and text")
    parser.add_argument(
        "--recipe",
        type=input_path,
        metavar="FILE",
        help="recipe.json of a model to make again: its seed and prompts are used "
        "(config/models/tiny/recipe.json makes the shipped one again, in about half an hour)",
    )
    add_config_folders(parser)


def run(args: argparse.Namespace) -> None:
    """Train the tokenizer and the model."""
    from itdr.demo.tiny_model import make_tiny_model
    from itdr.files.formats import read_json
    from itdr.instructions.tasks import prompt_texts

    if args.recipe:
        recipe = read_json(args.recipe)
        texts, seed = recipe["prompt_texts"], recipe["seed"]
    else:
        texts, seed = prompt_texts(args.config_folders), args.seed
    make_tiny_model(args.out, texts, seed=seed)
