"""Reading YAML files into typed settings, with errors that name file and key."""

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, LiteralString, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from itdr.errors import MissingFileError, SettingsError, nearest
from itdr.places import from_home, project_path
from itdr.settings.yaml_text import YamlTextError, parse_yaml


class Strict(BaseModel):
    """Base of all settings: no unknown key, no silent change of type, no change afterwards.

    Numbers are finite.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)
MOST_MB = 2**24
"""MB of memory that a setting can name: 16 TB."""
MOST_ROWS = 10**9
MOST_TOKENS = 10**7
LONGEST_S = 86_400.0
"""Seconds that a setting can name: a day."""


PathText = Annotated[str, AfterValidator(from_home)]
"""A path; "~" at its beginning is the user's home."""


def once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the entries of a list in which none stands twice. Raises ValueError otherwise."""
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{str(value)!r} stands twice")
    return values


_UNSHOWN = "unshown"


def unshown(message: LiteralString) -> PydanticCustomError:
    """Return the error of a value that may hold a secret: what was found is not shown."""
    return PydanticCustomError(_UNSHOWN, message)


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds ({} for an empty file); see project_path.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: it is not YAML, a key stands twice, it nests too deeply or stands for too
            much, or it is no mapping.
    """
    path = project_path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such configuration file.")
    try:
        value = parse_yaml(path.read_text(encoding="utf-8"))
    except (YamlTextError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{path}: holds a {type(value).__name__}; a mapping is needed.")
    return value


def read_csv(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the columns of a CSV file, and its rows with the numbers of their last lines.

    The file is found as by project_path.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: it is not UTF-8, no CSV, or a row has more cells than there are columns.
    """
    path = project_path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. It is part of this repository.")
    rows = []
    try:
        # Strict, or a quote that is never closed would swallow all lines after it.
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                if None in row or any("\0" in cell for cell in row.values() if cell):
                    problem = "more cells than columns" if None in row else "a NUL character"
                    raise SettingsError(f"{path}:{reader.line_num}: {problem}.")
                rows.append((reader.line_num, row))
            return list(reader.fieldnames or ()), rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as CSV: {error}.") from error


def check(model: type[Model], value: Mapping[str, Any], where: str | Path) -> Model:
    """Return `value` as the settings `model`; `where` names its file in errors.

    Raises:
        SettingsError: every wrong key, one a line, with what was found and what is allowed.
    """
    try:
        # As JSON, because there pydantic's strict mode turns lists into tuples and names into
        # enumerations, but never text into numbers.
        return model.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        lines = [_explain(model, value, item, where) for item in error.errors()]
        raise SettingsError("\n".join(dict.fromkeys(lines))) from error


def load(model: type[Model], path: Path) -> Model:
    """Return the settings that a YAML file holds. Raises as load_yaml and check do."""
    return check(model, load_yaml(path), project_path(path))


def _explain(model: type[BaseModel], value: Any, item: Any, where: str | Path) -> str:
    location = _keys_alone(item["loc"], value)
    key = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        allowed = _known_keys(model, location[:-1])
        hint = nearest(str(location[-1]), allowed)
        choice = f" Allowed here: {', '.join(sorted(allowed))}." if allowed else ""
        return f"{where}: unknown key {key!r}.{hint}{choice}"
    if item["type"] == "missing":
        return f"{where}: the key {key!r} is missing."
    message = item["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    found = item["input"]
    expected = re.findall(r"'([^']+)'", str(item.get("ctx", {}).get("expected", "")))
    hint = nearest(found, expected) if isinstance(found, str) else ""
    at = f"{key!r}: " if key else ""
    hidden = isinstance(found, dict) or item["type"] == _UNSHOWN
    shown = "" if hidden else f" (found {found!r})"
    return f"{where}: {at}{message}{shown}.{hint}"


def _keys_alone(location: tuple[Any, ...], value: Any) -> list[Any]:
    """Return an error's location without the names that pydantic gives to a union's branches."""
    keys: list[Any] = []
    for position, part in enumerate(location):
        if (isinstance(value, Mapping) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            value = value[part]
        elif position < len(location) - 1 or part == "[key]":
            continue
        keys.append(part)
    return keys


def _known_keys(model: type[BaseModel], path: list[Any]) -> list[str]:
    """Return the names that `model` knows at a place inside it."""
    models = [model]
    for part in path:
        fields = [m.model_fields[str(part)].annotation for m in models if part in m.model_fields]
        models = [inner for annotation in fields or models for inner in _settings_in(annotation)]
    return list(dict.fromkeys(name for inner in models for name in inner.model_fields))


def _settings_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the settings classes that an annotation such as `dict[str, X] | None` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _settings_in(inner)]
