"""itdr score: compare answers with references."""

import argparse

from itdr.cli.options import add_config_folders, input_path, output_file, rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.scoring import ScoringSettings

    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--predictions",
        type=input_path,
        nargs="+",
        metavar="FILE",
        help="answers, .parquet or .jsonl, with the columns of "
        "docs/reference/predictions-and-scores.md; of several files, which must answer the same "
        "examples with adapters of different seeds, the mean is scored",
    )
    what.add_argument(
        "--answers",
        type=input_path,
        metavar="FILE",
        help="answers made elsewhere, .jsonl or .csv with id and answer, joined by id with the "
        "rows of --test",
    )
    parser.add_argument(
        "--test",
        type=input_path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="test.parquet files that --answers answers",
    )
    parser.add_argument(
        "--rows-per-cell",
        type=rows,
        metavar="N",
        help="first rows of each file of --test that must be answered (default: all)",
    )
    parser.add_argument(
        "--out", type=output_file, required=True, metavar="FILE", help="CSV file of scores"
    )
    parser.add_argument(
        "--rows",
        type=output_file,
        metavar="FILE",
        help=".csv or .parquet file for the values of every single example, of one file of answers",
    )
    parser.add_argument(
        "--reliability",
        type=output_file,
        metavar="FILE",
        help="CSV file for how often the most probable choice is right, by its probability "
        "(docs/reference/likelihoods.md); no lines without choices",
    )
    add_config_folders(parser)
    add_flags(parser, ScoringSettings)


def run(args: argparse.Namespace) -> None:
    """Write the scores."""
    import logging

    from itdr.errors import SettingsError
    from itdr.evaluation.joining import join_answers
    from itdr.evaluation.predictions import cells_of
    from itdr.evaluation.reliability import write_reliability
    from itdr.evaluation.rows import write_rows
    from itdr.evaluation.score import (
        score_all,
        score_cells,
        score_table,
        unreadable_cells,
        write_scores,
    )
    from itdr.evaluation.seeds import score_seeds
    from itdr.files.checksums import require_different
    from itdr.settings.flags import from_flags
    from itdr.settings.scoring import ScoringSettings

    settings = from_flags(args, ScoringSettings)
    files = args.predictions or [args.answers]
    if bool(args.answers) != bool(args.test):
        raise SettingsError("--answers and --test need each other: FILE of answers, their rows.")
    if args.rows and len(files) > 1:
        raise SettingsError("--rows takes one file of answers: give each seed a call of its own.")
    if args.rows and args.rows.suffix not in (".csv", ".parquet"):
        raise SettingsError(f"--rows: {args.rows} must end in .csv or .parquet.")
    require_different(files)
    if len(files) == 1:
        if args.answers:
            require_different(args.test)
            joined = join_answers(args.test, args.answers, args.rows_per_cell)
            scored = score_all(
                cells_of(joined.to_pylist(), args.config_folders, args.answers), settings
            )
        else:
            scored = score_cells(files[0], args.config_folders, settings)
        scores = score_table(scored, settings)
        if args.rows:
            write_rows(args.rows, scored)
    else:
        scores = score_seeds(files, args.config_folders, settings)
        wanted = files if args.reliability else []
        scored = [
            one for path in wanted for one in score_cells(path, args.config_folders, settings)
        ]
    if args.reliability:
        write_reliability(args.reliability, scored, settings)
    write_scores(args.out, scores)
    log = logging.getLogger("itdr")
    for warning in unreadable_cells(scores):
        log.warning("%s: %s", args.out, warning)
    cells = scores[["task", "dataset"]].drop_duplicates()
    log.info("%s: %s scores of %d cells", args.out, f"{len(scores):,}", len(cells))
