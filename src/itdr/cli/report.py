"""itdr report: make tables, figures and the page from scores."""

import argparse

from itdr.cli.options import add_config_folders, any_path, folder_to_fill, input_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--scores",
        type=any_path,
        nargs="+",
        metavar="FILE",
        help="files of 'itdr score', laid out as MODEL/VARIANT/SEED.csv",
    )
    what.add_argument(
        "--published-only",
        action="store_true",
        help="show the published values alone, without any run",
    )
    parser.add_argument(
        "--comparisons",
        type=input_path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="files of 'itdr compare' named TABLE.csv, for p-values, letters and marks",
    )
    parser.add_argument(
        "--incomplete",
        action="store_true",
        help="a file of --scores that is not there is a missing column, not an error; one of "
        "--comparisons that is not there is left out",
    )
    parser.add_argument(
        "--results",
        type=input_path,
        metavar="DIR",
        help="the run's folder, for its audit, trainings, times and checksums (default: none)",
    )
    parser.add_argument(
        "--paper",
        type=input_path,
        metavar="DIR",
        help="published values and the layout of the tables, such as config/papers/itdr "
        "(default: none, our values alone)",
    )
    add_config_folders(parser)
    parser.add_argument(
        "--make",
        nargs="+",
        metavar="NAME",
        help="tables by name, 'figures' or 'page', which needs the figures (default: everything)",
    )
    parser.add_argument(
        "--out",
        type=folder_to_fill,
        required=True,
        metavar="DIR",
        help="folder for tables/, figures/ and index.html",
    )


def run(args: argparse.Namespace) -> None:
    """Write what is asked for.

    Raises:
        SettingsError: there is nothing to report on, or a name of --make is unknown.
    """
    from itdr.errors import SettingsError, nearest
    from itdr.instructions.tasks import load_tasks
    from itdr.reporting.comparisons import load_comparisons
    from itdr.reporting.report import Report
    from itdr.reporting.results import load_results
    from itdr.reporting.run import Run, load_run
    from itdr.reporting.statistics import published_statistics
    from itdr.settings.paper import load_paper

    if not (args.scores or args.results or args.published_only):
        raise SettingsError(
            "nothing to report on: give --scores and --results of a run, or --published-only."
        )
    if args.published_only and not args.paper:
        raise SettingsError("--published-only: --paper must say whose, as config/papers/itdr.")
    paper = load_paper(args.paper)
    statistics = published_statistics(args.paper)
    results = load_results(paper, args.scores or (), incomplete=args.incomplete)
    made = load_run(args.results) if args.results else Run()
    names = [*results.tasks, *(task for task, _ in made.examples)]
    names += [row["task"] for row in statistics]
    comparisons = {path.stem: load_comparisons(path) for path in args.comparisons
                   if path.is_file() or not args.incomplete}  # fmt: skip
    tasks = load_tasks(names, args.config_folders)
    report = Report(results, paper.layout, statistics, tasks, made, comparisons)
    chosen = args.make or report.parts
    for name in chosen:
        if name not in report.parts:
            raise SettingsError(
                f"--make: unknown name {name!r}.{nearest(name, report.parts)} "
                f"Allowed: {', '.join(report.parts)}."
            )
    for name in sorted(set(chosen), key=report.parts.index):
        report.make(name, args.out)
    print(args.out)
