"""itdr simulate: write the raw files of a simulated dataset."""

import argparse

from itdr.cli.options import add_config_folders, add_seed, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.experiment import WorldSettings
    from itdr.settings.flags import add_flags

    parser.add_argument("dataset", metavar="DATASET", help="dataset id, such as movielens-32m")
    parser.add_argument(
        "--out", type=output_folder("simulate"), required=True, help="folder for the raw files"
    )
    add_seed(parser, "the world")
    add_config_folders(parser)
    add_flags(parser, WorldSettings)


def run(args: argparse.Namespace) -> None:
    """Simulate the world and write it in the dataset's own format."""
    from itdr.datasets.download.manifest import SIMULATION
    from itdr.demo.raw_files import write_raw_files
    from itdr.demo.world import simulate
    from itdr.errors import SettingsError
    from itdr.files.atomic import atomic_folder
    from itdr.files.formats import write_json
    from itdr.settings.dataset import load_dataset
    from itdr.settings.experiment import WorldSettings
    from itdr.settings.flags import from_flags

    dataset = load_dataset(args.dataset, args.config_folders)
    if dataset.reader is None:
        raise SettingsError(
            f"{dataset.id}: has columns of its own; only what an adapter reads can be simulated."
        )
    size = from_flags(args, WorldSettings)
    world = simulate(args.seed, size.users, size.items, size.interactions_per_user)
    with atomic_folder(args.out, "simulate") as folder:
        write_raw_files(world, dataset.reader, folder, args.seed)
        write_json(folder / SIMULATION, {"seed": args.seed, **size.model_dump()})
