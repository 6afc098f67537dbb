"""itdr fetch-release: bring the authors' released files of one task and dataset here."""

import argparse

from itdr.cli.options import add_release_manifest, folder_to_fill


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.release import ReleaseSettings

    parser.add_argument("task", metavar="TASK", help="task id, such as RP")
    parser.add_argument("dataset", metavar="DATASET", help="dataset id, such as movielens-32m")
    parser.add_argument(
        "--out", type=folder_to_fill, required=True, metavar="DIR", help="folder for them"
    )
    add_release_manifest(parser)
    add_flags(parser, ReleaseSettings)


def run(args: argparse.Namespace) -> None:
    """Bring the files."""
    from itdr.released.fetch import fetch_release
    from itdr.released.manifest import files_of
    from itdr.settings.flags import from_flags
    from itdr.settings.release import ReleaseSettings

    files = files_of(args.manifest, args.task, args.dataset)
    fetch_release(files, args.out, from_flags(args, ReleaseSettings))
