"""itdr import-adapter: bring a LoRA adapter here that the authors have published."""

import argparse
import logging
import shutil

from itdr.cli.options import input_path, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.release import ReleasedAdapterSettings

    fields = ReleasedAdapterSettings.model_fields
    parser.add_argument(
        "--model",
        type=input_path,
        required=True,
        help="file of the base model, such as config/models/glm-4-9b.yaml",
    )
    parser.add_argument(
        "--folder",
        type=input_path,
        metavar="DIR",
        help="local folder that holds the adapter at any depth (default: it is downloaded)",
    )
    parser.add_argument(
        "--drive",
        default=fields["drive"].default,
        metavar="ID",
        help=f"{fields['drive'].description} (default: {fields['drive'].default}, the authors')",
    )
    parser.add_argument(
        "--name",
        metavar="PATH",
        help="folder of the adapter in there (default: the only one of the base model)",
    )
    parser.add_argument(
        "--out",
        type=output_folder("import-adapter"),
        required=True,
        metavar="DIR",
        help="folder for the adapter; downloads lie beside it, in a folder that ends with "
        ".download, until it is there",
    )


def run(args: argparse.Namespace) -> None:
    """Bring the adapter."""
    from itdr.models.source import settled
    from itdr.released.adapters.importing import import_adapter
    from itdr.released.adapters.places import DrivePlace, LocalPlace, Place
    from itdr.settings.model import load_model_settings
    from itdr.settings.reading import check
    from itdr.settings.release import ReleasedAdapterSettings

    settings = check(ReleasedAdapterSettings, {"drive": args.drive}, "command line")
    model = settled(load_model_settings(args.model))
    cache = args.out.with_name(f"{args.out.name}.download")
    place: Place = LocalPlace(args.folder) if args.folder else DrivePlace(settings.drive, cache)
    record = import_adapter(model, place, args.out, args.name)
    shutil.rmtree(cache, ignore_errors=True)
    imported = record["imported"]
    logging.getLogger("itdr").info(
        "%s: the adapter %s of %s, trained on %s%s", args.out, imported["folder"],
        imported["place"], imported["base_model"] or "an unnamed base model",
        "; its tensors have the names of transformers' GLM now" if imported["renamed"] else "",
    )  # fmt: skip
