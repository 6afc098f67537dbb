"""Settings as command-line options: one option per field, with its description and default.

The workflow writes the settings of a stage into the stage's command with `as_flags`, so that a
command in a log can be run again by hand and says all that it depends on.
"""

import argparse
import re
import shlex
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from itdr.settings.reading import check
from itdr.settings.yaml_text import YamlTextError, parse_yaml

Model = TypeVar("Model", bound=BaseModel)


def add_flags(parser: argparse.ArgumentParser, model: type[BaseModel], inside: str = "") -> None:
    """Add an option for each field of the settings class.

    Fields of settings inside them have the name of these before their own (`inside`).
    """
    group = parser.add_argument_group((model.__doc__ or "settings").splitlines()[0].rstrip("."))
    for own, field in model.model_fields.items():
        name = inside + own
        if inner := _settings_in(field):
            add_flags(parser, inner, f"{name}_")
            continue
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS, "help": _help(field)}
        if field.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            number = field.annotation in (int, float, int | None, float | None)
            options["metavar"] = "N" if number else name.rsplit("_", 1)[-1].upper()
        group.add_argument(_option(name), **options)


def from_flags(args: argparse.Namespace, model: type[Model]) -> Model:
    """Return the settings that were given on the command line, defaults for the others.

    Raises:
        SettingsError: a value is not allowed.
    """
    return check(model, _given(args, model), "command line")


def _given(args: argparse.Namespace, model: type[BaseModel], inside: str = "") -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if inner := _settings_in(field):
            given[name] = _given(args, inner, f"{inside}{name}_")
        elif hasattr(args, inside + name):
            given[name] = _value(getattr(args, inside + name), field)
    return given


def as_flags(settings: BaseModel, inside: str = "") -> str:
    """Return the options that give these settings, quoted for a shell."""
    words = []
    for own, field in type(settings).model_fields.items():
        name, value = inside + own, getattr(settings, own)
        if isinstance(value, BaseModel):
            words.append(as_flags(value, f"{name}_"))
            continue
        if value is None:
            words += [] if field.default is None else [f"{_option(name)}=null"]
            continue
        if field.annotation is bool:
            words.append(_option(name) if value else _option(name).replace("--", "--no-", 1))
        else:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            text = text.lower() if isinstance(value, bool) else text
            # With "=", because argparse takes a value that begins with "-" for an option.
            words.append(shlex.quote(f"{_option(name)}={text}"))
    return " ".join(words)


def _settings_in(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _help(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    text = (field.description or "").replace("%", "%%")
    choices = _choices(field.annotation)
    if any(not re.search(rf"\b{re.escape(choice)}\b", text) for choice in choices):
        text += f"; one of {', '.join(choices)}"
    if default is PydanticUndefined:
        return f"{text} (required)"
    if isinstance(default, tuple):
        default = ",".join(map(str, default)) or None
    shown = "none" if default is None else default
    return f"{text} (default: {shown})"


def _choices(annotation: Any) -> list[str]:
    """Return the words that a setting may be, none where it may be others, too."""
    if get_origin(annotation) is Literal:
        return [str(value).lower() if isinstance(value, bool) else str(value)
                for value in get_args(annotation)]  # fmt: skip
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _value(given: Any, field: FieldInfo) -> Any:
    if not isinstance(given, str):
        return given
    if "tuple" in str(field.annotation):
        return [_parsed(part) for part in given.split(",") if part]
    return given if field.annotation is str else _parsed(given)


def _parsed(given: str) -> Any:
    """Return the value that a text stands for in YAML; one that is no YAML as it is."""
    try:
        return parse_yaml(given)
    except YamlTextError:
        return given
