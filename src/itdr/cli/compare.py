"""itdr compare: compare the answers of two variants by a paired test."""

import argparse

from itdr.cli.options import add_config_folders, input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.scoring import ScoringSettings

    for name in ("first", "second"):
        parser.add_argument(
            f"--{name}",
            type=input_path,
            required=True,
            metavar="FILE",
            help=f"answers of the {name} variant, .parquet or .jsonl",
        )
    parser.add_argument(
        "--out",
        type=output_file,
        required=True,
        metavar="FILE",
        help="CSV file of differences, second less first, with their intervals and p-values",
    )
    add_config_folders(parser)
    add_flags(parser, ScoringSettings)


def run(args: argparse.Namespace) -> None:
    """Write the comparison."""
    import logging

    from itdr.evaluation.score import write_scores
    from itdr.evaluation.variants import compare_variants
    from itdr.settings.flags import from_flags
    from itdr.settings.scoring import ScoringSettings

    settings = from_flags(args, ScoringSettings)
    found = compare_variants(args.first, args.second, args.config_folders, settings)
    write_scores(args.out, found)
    strict = found[found["reading"] == "strict"]
    better = strict["better"].value_counts()
    logging.getLogger("itdr").info(
        "%s: of %d strict metrics %d are better in the second, %d in the first",
        args.out, len(strict), better.get("second", 0), better.get("first", 0),
    )  # fmt: skip
