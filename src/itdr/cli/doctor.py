"""itdr doctor: say what this machine lacks for a target before anything is spent."""

import argparse

from itdr.cli.options import add_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_target(parser)
    parser.add_argument(
        "--online",
        action="store_true",
        help="also ask each address that something will be fetched from whether it answers "
        "(default: the network is not used)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.epilog = (
        "Prints a line for each check: ok; warning, when it may fail or be slow; missing, when it "
        "will fail. Ends with 0 when nothing is missing, else with 1. Nothing is changed or "
        "downloaded, and keys are never shown."
    )


def run(args: argparse.Namespace) -> int:
    """Print what is found; return 1 if something is missing.

    Raises SettingsError when Snakemake cannot plan the targets.
    """
    import json
    import shutil

    from itdr.doctor.examine import examine
    from itdr.doctor.page import as_text, as_value
    from itdr.doctor.probe import look
    from itdr.planning.needs import load_needs

    needs = load_needs(args.targets, args.configfile, args.snakefile, args.rates)
    findings = examine(needs, look(), online=args.online)
    if args.json:
        print(json.dumps(as_value(needs.name, len(needs.jobs), findings), indent=2))
    else:
        width = min(shutil.get_terminal_size((80, 24)).columns, 100)
        print(as_text(needs.name, len(needs.jobs), findings, width), end="")
    return int(any(finding.level == "missing" for finding in findings))
