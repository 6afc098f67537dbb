"""itdr mix: put together what a variant is trained on."""

import argparse
import logging
from pathlib import Path

from itdr.cli.options import output_file


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
    parser.add_argument(
        "--variant", default="itdr", help="variant to mix for (default: itdr, all of everything)"
    )
    parser.add_argument(
        "--variants",
        type=Path,
        default=Path("config/variants.csv"),
        metavar="FILE",
        help="CSV file of the variants (default: config/variants.csv)",
    )
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the mixture"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the order (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Mix the parts."""
    from itdr.instructions.audit.gate import require_clean
    from itdr.instructions.mixture import mix
    from itdr.settings.variant import find_variant, load_variants

    variant = find_variant(load_variants(args.variants), args.variant, "--variant")
    if args.audit:
        require_clean(args.audit, args.train)
    count = mix(args.train, args.out, variant, args.seed)
    logging.getLogger("itdr").info("%s: %d examples of %s", args.out, count, args.variant)
