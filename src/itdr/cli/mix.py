"""itdr mix: put together what a variant is trained on."""

import argparse
import logging

from itdr.cli.options import add_part, add_seed, input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.variant import MixtureOptions

    add_part(parser, "train")
    parser.add_argument(
        "--audit",
        type=input_path,
        help="audit.json of 'itdr audit'; files that it did not find clean are refused "
        "(default: no audit is asked for)",
    )
    parser.add_argument(
        "--out", type=output_file, required=True, help="Parquet file for the mixture"
    )
    add_seed(parser, "the order")
    add_flags(parser, MixtureOptions)


def run(args: argparse.Namespace) -> None:
    """Mix the parts."""
    from itdr.instructions.audit.gate import require_clean
    from itdr.instructions.mixture import mix
    from itdr.settings.flags import from_flags
    from itdr.settings.variant import MixtureOptions

    options = from_flags(args, MixtureOptions)
    if args.audit:
        require_clean(args.audit, args.train)
    count = mix(args.train, args.out, options, args.seed)
    logging.getLogger("itdr").info("%s: %s examples", args.out, f"{count:,}")
