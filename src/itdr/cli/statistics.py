"""itdr statistics: count examples and their tokens, beside the paper's."""

import argparse
import logging
from pathlib import Path

from itdr.cli.options import folder_to_fill, input_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "--examples",
        nargs="+",
        action="append",
        required=True,
        metavar=("NAME", "FILE"),
        help="a name and Parquet files of examples, of any stage from 'itdr build' to 'itdr "
        "split'; can be given several times, for a column each",
    )
    parser.add_argument(
        "--tokenizer",
        default="deepseek-ai/DeepSeek-V3",
        metavar="ID",
        help="Hugging Face id or folder of the tokenizer to count with (default: that of the "
        "paper, %(default)s)",
    )
    parser.add_argument(
        "--paper",
        type=input_path,
        default=Path("config/papers/itdr/statistics.csv"),
        metavar="FILE",
        help="published values (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=folder_to_fill, required=True, metavar="DIR",
        help="folder for statistics.csv and statistics.md",
    )  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Count."""
    from itdr.errors import SettingsError
    from itdr.instructions.statistics import PAPER, cell_statistics, published, write
    from itdr.models.loading import load_counter

    sources: dict[str, list[Path]] = {}
    for name, *files in args.examples:
        if name in (PAPER, *sources) or not files:
            raise SettingsError(
                f"--examples {name}: a name of its own is needed (not {PAPER!r}), and files."
            )
        sources[name] = [Path(file) for file in files]
    paper = published(args.paper)
    cells = cell_statistics(sources, load_counter(args.tokenizer), args.tokenizer)
    write([*cells, *paper], args.out)
    logging.getLogger("itdr").info(
        "%s: %d cells, %d published", args.out / "statistics.md", len(cells), len(paper)
    )
