"""itdr tiny-model: make the tiny language model of the demo."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and text (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Train the tokenizer and the model."""
    from itdr.training.tiny_model import make_tiny_model

    make_tiny_model(args.out, seed=args.seed)
