"""itdr fetch-model: bring a base model here before any job holds a GPU."""

import argparse
import logging

from itdr.cli.options import input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "model",
        type=input_path,
        metavar="MODEL",
        help="model file, such as config/models/tiny.yaml",
    )
    parser.add_argument(
        "--tokenizer-only",
        action="store_true",
        help="bring configuration and tokenizer without the weights",
    )
    parser.add_argument(
        "--out",
        type=output_file,
        metavar="FILE",
        help="JSON file that says what is where (default: none; the files lie in the cache of "
        "Hugging Face, below HF_HOME)",
    )


def run(args: argparse.Namespace) -> None:
    """Bring the model. Raises the errors of itdr.models.hub.fetch_model."""
    from itdr.errors import ModelError
    from itdr.files.formats import write_json
    from itdr.models.hub import fetch_model
    from itdr.models.source import settled
    from itdr.settings.model import load_model_settings

    model = load_model_settings(args.model)
    if model.endpoint:
        raise ModelError(f"{args.model}: a model behind an endpoint has no files to bring here.")
    folder = fetch_model(model, weights=not args.tokenizer_only)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}
    if args.out:
        write_json(
            args.out,
            {"source": model.source, "revision": settled(model).revision, "folder": str(folder),
             "bytes": sizes},
        )  # fmt: skip
    logging.getLogger("itdr").info(
        "%s: %.1f GB in %s", model.model, sum(sizes.values()) / 1e9, folder
    )
