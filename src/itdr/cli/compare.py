"""itdr compare: compare the answers of several variants, two by two, by paired tests."""

import argparse

from itdr.cli.options import add_config_folders, input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.scoring import ScoringSettings

    parser.add_argument(
        "--predictions",
        type=input_path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="answers of each variant, .parquet or .jsonl; files laid out as "
        "MODEL/VARIANT/SEED.parquet are called MODEL/VARIANT, others by their names",
    )
    parser.add_argument(
        "--out",
        type=output_file,
        required=True,
        metavar="FILE",
        help="CSV file of differences, second less first, with their intervals and p-values, also "
        "corrected for their number",
    )
    add_config_folders(parser)
    add_flags(parser, ScoringSettings)


def run(args: argparse.Namespace) -> None:
    """Write the comparison."""
    import logging

    from itdr.evaluation.comparisons import column_names, compare_columns
    from itdr.evaluation.score import write_scores
    from itdr.settings.flags import from_flags
    from itdr.settings.scoring import ScoringSettings

    settings = from_flags(args, ScoringSettings)
    found = compare_columns(column_names(args.predictions), args.config_folders, settings)
    write_scores(args.out, found)
    strict = found[found["reading"] == "strict"]
    logging.getLogger("itdr").info(
        "%s: of %d strict differences %d stand by p_bh and %d by p_holm",
        args.out, len(strict), (strict["better"] != "").sum(),
        (strict["p_holm"] <= 1 - settings.confidence).sum(),
    )  # fmt: skip
