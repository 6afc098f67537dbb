"""itdr plan: say what a target would cost before anything is spent."""

import argparse

from itdr.cli.options import add_target, output_path, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_target(parser)
    parser.add_argument(
        "--gpus",
        type=whole_number(1, 100_000),
        nargs="+",
        default=[],
        metavar="N",
        help="say also how long it takes on each of these numbers of GPUs (default: none)",
    )
    parser.add_argument(
        "--figure",
        type=output_path,
        metavar="STEM",
        help="draw how long it takes on 1 to 64 GPUs, into STEM.png and STEM.svg (default: none)",
    )


def run(args: argparse.Namespace) -> None:
    """Print the plan. Raises SettingsError when Snakemake cannot plan the targets."""
    from itdr.errors import SettingsError
    from itdr.planning.needs import load_needs
    from itdr.planning.plan import plan

    if any(count < 1 for count in args.gpus):
        raise SettingsError(f"--gpus {' '.join(map(str, args.gpus))}: 1 or more are needed.")
    needs = load_needs(args.targets, args.configfile, args.snakefile, args.rates)
    print(plan(needs), end="")
    if needs.jobs and args.gpus:
        from itdr.planning.several_gpus import several_gpus

        print(several_gpus(needs, args.gpus), end="")
    if needs.jobs and args.figure:
        from itdr.planning.several_gpus import draw

        draw(needs, args.figure)
