"""itdr report: make tables and figures from scores."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="files of 'itdr score', laid out as MODEL/VARIANT/SEED.csv",
    )
    parser.add_argument(
        "--paper",
        type=Path,
        default=Path("config/paper/results.csv"),
        help="published values (default: config/paper/results.csv)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for tables/ and figures/")


def run(args: argparse.Namespace) -> None:
    """Write the tables and figures."""
    from itdr.reporting.figures import main_figure, save
    from itdr.reporting.tables import main_table, write_csv, write_markdown

    table = main_table(args.scores, args.paper)
    write_csv(table, args.out / "tables" / "main.csv")
    write_markdown(table, args.out / "tables" / "main.md")
    save(main_figure(table), args.out / "figures" / "main")
    print(args.out / "tables" / "main.csv")
