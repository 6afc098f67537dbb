"""itdr mix: put the training parts together into one mixture."""

import argparse
import logging
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "--train", type=Path, nargs="+", required=True, help="train.parquet files of 'itdr split'"
    )
    parser.add_argument(
        "--audit",
        type=Path,
        help="audit.json of 'itdr audit'; files that it did not find clean are refused "
        "(default: no audit is asked for)",
    )
    parser.add_argument("--out", type=Path, required=True, help="Parquet file for the mixture")
    parser.add_argument("--seed", type=int, default=0, help="seed of the order (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Mix the parts."""
    from itdr.instructions.audit.gate import require_clean
    from itdr.instructions.mixture import mix

    if args.audit:
        require_clean(args.audit, args.train)
    count = mix(args.train, args.out, args.seed)
    logging.getLogger("itdr").info("%s: %d examples", args.out, count)
