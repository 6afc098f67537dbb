"""itdr plan: say what a target would cost before anything is spent."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
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


def run(args: argparse.Namespace) -> None:
    """Print the plan. Raises SettingsError when Snakemake cannot plan the targets."""
    from functools import partial

    from itdr.planning.estimate import units
    from itdr.planning.jobs import open_jobs
    from itdr.planning.measured import measure
    from itdr.planning.plan import plan
    from itdr.planning.sizes import Sizes
    from itdr.reporting.run import load_run
    from itdr.reporting.statistics import published_statistics
    from itdr.settings.dataset import load_catalogue
    from itdr.settings.rates import Rates
    from itdr.settings.reading import load
    from itdr.settings.workflow import load_workflow

    workflow = load_workflow([Path("config/config.yaml"), *args.configfile])
    results = Path(workflow.experiment.results)
    sizes = Sizes(
        workflow,
        load(Rates, args.rates),
        {(row["task"], row["dataset"]): row for row in published_statistics(Path("config/paper"))},
        load_catalogue(Path("config/datasets.yaml")),
        load_run(results).audit,
    )
    _, prompts, answers = sizes.answering()
    measured = measure(results, partial(units, sizes=sizes), prompts + answers)
    jobs = open_jobs(args.targets, args.snakefile, args.configfile)
    print(plan(args.targets, jobs, sizes, measured), end="")
