"""Options that several commands have."""

import argparse
from pathlib import Path


def add_tasks(parser: argparse.ArgumentParser) -> None:
    """Add --tasks, the folder of the task files."""
    parser.add_argument(
        "--tasks",
        type=Path,
        default=Path("config/tasks"),
        metavar="DIR",
        help="folder of the task files (default: %(default)s)",
    )


def add_release_manifest(parser: argparse.ArgumentParser) -> None:
    """Add --manifest, the list of the released files."""
    parser.add_argument(
        "--manifest",
        type=Path,
        default=Path("config/paper/release_manifest.csv"),
        metavar="FILE",
        help="what the release consists of (default: %(default)s)",
    )
