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


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the targets of the workflow and what they depend on."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="as for snakemake: a table, MODEL/VARIANT or a file (default: all)",
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="laid over config/config.yaml, as for snakemake (default: none)",
    )
    parser.add_argument(
        "--snakefile",
        type=Path,
        default=Path("Snakefile"),
        metavar="FILE",
        help="the workflow (default: Snakefile)",
    )
    parser.add_argument(
        "--rates",
        type=Path,
        default=Path("config/rates.yaml"),
        metavar="FILE",
        help="rates to reckon with until jobs have finished (default: config/rates.yaml)",
    )
