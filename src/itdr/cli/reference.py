"""itdr reference: write the pages and comments that tell every setting and every option."""

import argparse
from pathlib import Path

from itdr.places import PROJECT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "--out",
        type=Path,
        default=PROJECT,
        metavar="DIR",
        help="folder whose docs/reference/settings.md, docs/reference/commands.md and "
        "config/schema.json are written, and whose config/config.yaml has its comments written "
        "anew (default: the checkout)",
    )


def run(args: argparse.Namespace) -> None:
    """Write what has changed."""
    from itdr.files.formats import write_text

    for name, text in references(args.out / "config" / "config.yaml").items():
        path = args.out / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
            print(path)


def references(config: Path) -> dict[str, str]:
    """Return path to text of everything that is made from settings classes and commands."""
    from pydantic import BaseModel

    from itdr.instructions.tasks import TaskSettings
    from itdr.settings.dataset import DatasetSettings
    from itdr.settings.experiment import Experiment
    from itdr.settings.model import ModelSettings
    from itdr.settings.paper import Layout
    from itdr.settings.rates import Rates
    from itdr.settings.reference import json_schema, settings_page, with_comments

    files: dict[str, type[BaseModel]] = {
        "config/config.yaml": Experiment,
        "config/tasks/TASK.yaml": TaskSettings,
        "config/models/MODEL.yaml": ModelSettings,
        "config/datasets/DATASET.yaml": DatasetSettings,
        "config/papers/PAPER/layout.yaml": Layout,
        "config/rates.yaml": Rates,
    }
    return {
        "config/config.yaml": with_comments(config.read_text(encoding="utf-8"), Experiment),
        "config/schema.json": json_schema(Experiment),
        "docs/reference/settings.md": settings_page(files),
        "docs/reference/commands.md": commands_page(),
    }


def commands_page() -> str:
    """Return a page in Markdown with all commands and their options."""
    from itdr.cli.main import COMMANDS, make_parser

    parts = [
        "# Commands",
        "This page lists every command with its options. `make reference` makes it from the "
        "commands. Each takes `-q`, which "
        "logs warnings and errors alone, and `-v`, which logs also each request to a server, "
        "and where in the code an error arose. Colours are left out where `NO_COLOR` is set.",
    ]
    for name in COMMANDS:
        parts += _described(_subparsers(make_parser([name]))[name])
    return "\n\n".join(parts) + "\n"


def _described(parser: argparse.ArgumentParser) -> list[str]:
    """Return the heading, purpose and options of a command and of those below it."""
    parts = [f"## `{parser.prog}`", parser.description or ""]
    rows = ["| option | meaning |", "|---|---|"]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        if action.dest in ("quiet", "verbose"):
            continue
        formatter = argparse.HelpFormatter(parser.prog)
        meaning = formatter._expand_help(action) if action.help else ""
        cells = (f"`{_usage(action)}`", meaning + (" (required)" if _is_needed(action) else ""))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if len(rows) > 2:
        parts.append("\n".join(rows))
    for below in _subparsers(parser).values():
        parts += _described(below)
    return [part for part in parts if part]


def _usage(action: argparse.Action) -> str:
    """Return an option with what stands behind it."""
    shown = action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper()
    values = shown if isinstance(shown, str) else " ".join(shown)
    if action.nargs in ("*", "+", argparse.REMAINDER):
        values += " ..."
    if not action.option_strings:
        return values
    option = ", ".join(action.option_strings)
    return option if action.nargs == 0 else f"{option} {values}"


def _is_needed(action: argparse.Action) -> bool:
    return action.required and "(required)" not in (action.help or "")


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands below a command by name."""
    return {name: below for action in parser._actions
            if isinstance(action, argparse._SubParsersAction)
            for name, below in action.choices.items()}  # fmt: skip
