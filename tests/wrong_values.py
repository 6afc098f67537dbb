"""Values that an option cannot have, found from what its parser says of it."""

import argparse
import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from itdr.cli.main import make_parser

NUMBERS = [
    "-1",
    "1e30",
    "9" * 400,
    "nan",
    "inf",
    "-inf",
    "",
    "x",
    "1\n2",
    "0x10",
    "\u0661",
    "\udcff",
]
WORDS = [
    "",
    "nothing-like-it",
    "-",
    "a\nb",
    "\x1b[2J",
    "x y" * 2000,
    "\udcff",
    "$(touch P)",
    "é'\"`",
]
MISSING = ["", "none/of it", "a\nb?*[x]", "\x1b[2Jx", "x" * 5000, "\udcff", "$(touch P)", "'\""]


def options_of(command: str) -> list[argparse.Action]:
    """Return the options and arguments of a command that take a value."""
    parsers = next(
        action for action in make_parser([command])._actions
        if isinstance(action, argparse._SubParsersAction)
    )  # fmt: skip
    return [a for a in parsers.choices[command]._actions if a.nargs != 0 and a.dest != "help"]


def kind_of(action: argparse.Action) -> str:
    """Return what an option takes: a number, an input, an output, or a word."""
    name = getattr(action.type, "__name__", "")
    if name in ("number", "seconds"):
        return "number"
    if name in ("output_file", "folder", "folder_to_fill", "output_path"):
        return "output"
    return "input" if action.type is Path else "word"


def odd_places(folder: Path) -> dict[str, Path]:
    """Make things in a folder that are not what a path should name, and return them."""
    folder.mkdir(exist_ok=True)
    places = {name: folder / name for name in ("folder", "file", "link", "loop", "pipe", "empty")}
    places["folder"].mkdir()
    (places["folder"] / "mine.txt").write_text("mine")
    places["file"].write_bytes(b"\xff\0 no data\n" * 9)
    places["empty"].write_bytes(b"")
    places["link"].symlink_to(folder / "nowhere")
    places["loop"].symlink_to(places["loop"])
    os.mkfifo(places["pipe"])
    return places | {"device": Path("/dev/null"), "random": Path("/dev/urandom")}


def wrong_for(field: Any) -> Iterator[str]:
    """Yield texts that a field of the settings cannot take, by its type and bounds."""
    kinds = _plain_types(field.annotation)
    if bool in kinds:
        return
    if kinds & {int, float}:
        yield from (value for value in NUMBERS if value or type(None) not in kinds)
        yield from _outside(field.metadata, int in kinds)
    elif str not in kinds:
        yield from (value for value in WORDS if value or not kinds & {tuple, type(None)})


def _plain_types(annotation: Any) -> set[Any]:
    """Return the types at the bottom of an annotation; of Literal and Enum their class."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*map(_plain_types, get_args(annotation)))
    return {origin or annotation}


def _outside(metadata: list[Any], whole: bool) -> Iterator[str]:
    step = 1 if whole else 1e-6
    for bound in metadata:
        if (low := getattr(bound, "ge", None)) is not None:
            yield str(low - step)
        if (low := getattr(bound, "gt", None)) is not None:
            yield str(low)
        if (high := getattr(bound, "le", None)) is not None:
            yield str(high + max(step, high * 1e-6))
        if (high := getattr(bound, "lt", None)) is not None:
            yield str(high)


def settings_of(command: str) -> dict[str, Any]:
    """Return dest to field of the options that a settings class gives to a command."""
    import importlib

    import itdr.settings.flags as flags

    found: dict[str, Any] = {}
    original = flags.add_flags

    def note(parser: argparse.ArgumentParser, model: type[BaseModel], inside: str = "") -> None:
        found.update({inside + name: field for name, field in model.model_fields.items()})
        original(parser, model, inside)

    flags.add_flags = note
    try:
        module = importlib.import_module(f"itdr.cli.{command.replace('-', '_')}")
        module.add_arguments(argparse.ArgumentParser())
    finally:
        flags.add_flags = original
    return found
