"""itdr status: say how far a target is."""

import argparse

from itdr.cli.options import add_target, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_target(parser)
    parser.add_argument(
        "--gpus",
        type=whole_number(1, 100_000),
        metavar="N",
        help="reckon with so many GPUs (default: as many as running jobs hold, or the largest job "
        "needs)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.description = (
        "Say which jobs of a target are done, running, waiting in Slurm's queue, failed (with the "
        "last line of their logs) or still to begin, and when all will be ready by the rates of "
        "'itdr plan'. It may be asked while Snakemake runs, in the folder where it was started. "
        "Exit status 1: a job has failed."
    )


def run(args: argparse.Namespace) -> int:
    """Print how far the jobs are; return 1 if one has failed.

    Raises SettingsError when Snakemake cannot plan the targets.
    """
    import json
    import os
    from datetime import datetime

    from itdr.places import project_path
    from itdr.planning.loading import load_workflow
    from itdr.planning.needs import load_sizes, needs_of
    from itdr.planning.status import load_status
    from itdr.planning.status_page import as_text, as_value, forecast

    workflow = load_workflow([project_path("config/config.yaml"), *args.configfile])
    status = load_status(args.targets, args.snakefile, args.configfile)
    jobs = [one.job for one in status.left]
    needs = needs_of(args.targets, jobs, load_sizes(workflow, args.rates))
    found = forecast(status, needs, args.gpus, len(os.sched_getaffinity(0)))
    if args.json:
        print(json.dumps(as_value(needs.name, status, found), indent=2))
    else:
        print(as_text(needs.name, status, found, datetime.now().astimezone()), end="")
    return int(bool(status.of("failed")))
