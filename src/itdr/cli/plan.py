"""itdr plan: say what a target would cost before anything is spent."""

import argparse

from itdr.cli.options import add_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_target(parser)


def run(args: argparse.Namespace) -> None:
    """Print the plan. Raises SettingsError when Snakemake cannot plan the targets."""
    from itdr.planning.needs import load_needs
    from itdr.planning.plan import plan

    needs = load_needs(args.targets, args.configfile, args.snakefile, args.rates)
    print(plan(needs), end="")
