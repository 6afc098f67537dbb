"""Every key of every settings file, with values outside its bounds, found from its schema."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from itdr.errors import SettingsError
from itdr.instructions.tasks import TaskSettings
from itdr.settings.dataset import DatasetSettings
from itdr.settings.experiment import Experiment, load_experiment
from itdr.settings.model import ModelSettings
from itdr.settings.rates import Rates
from itdr.settings.reading import load
from itdr.settings.yaml_text import parse_yaml
from tests.conftest import ROOT

CONFIG = ROOT / "config"
FILES = {
    "config.yaml": lambda path: load_experiment([path]),
    "models/tiny.yaml": lambda path: load(ModelSettings, path),
    "models/gemini-2.5-flash.yaml": lambda path: load(ModelSettings, path),
    "tasks/RP.yaml": lambda path: load(TaskSettings, path),
    "tasks/CDR.yaml": lambda path: load(TaskSettings, path),
    "tasks/TUI.yaml": lambda path: load(TaskSettings, path),
    "rates.yaml": lambda path: load(Rates, path),
    "datasets/lastfm-360k.yaml": lambda path: load(DatasetSettings, path),
    "datasets/amazon-books.yaml": lambda path: load(DatasetSettings, path),
}
OF_THE_PUBLISHER = {"bytes", "at_least_mb", "liked", "disliked", "prefixItems", "first", "second"}
"""Numbers that a dataset's publisher sets, of which no bound is known."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a settings file, of lists the first entry alone."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def wrong_values(value: Any) -> list[Any]:
    """Return values that cannot stand where this one does."""
    wrong: list[Any] = [{"no": "thing"}, [[]], "\x1b[2J\n", "9" * 5000]
    if isinstance(value, bool):
        return [*wrong[:2], 2, "yes and no", None]
    if isinstance(value, int | float):
        return [
            *wrong,
            -(10**15),
            2**53 if isinstance(value, int) else 1e300,
            float("inf"),
            float("nan"),
            [value],
            str(value),
        ]
    if value is None:
        return wrong[:2]
    if isinstance(value, list):
        twice = [[value[0], value[0]]] if value and isinstance(value[0], str) else []
        return [*wrong[:1], "x", 7, *twice]
    if isinstance(value, dict):
        return ["x", 7, [value]]
    return [*wrong[:2], 7, True]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_wrong_value_under_any_key_is_refused_by_its_key(name, every, tmp_path, monkeypatch):
    """A fifth of the values here, all of them in the slow test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").symlink_to(CONFIG)
    original = parse_yaml((CONFIG / name).read_text())
    path = tmp_path / name.rpartition("/")[2]
    taken, tried = [], 0
    # Of entries that are alike, such as datasets, one is enough.
    kinds = {(len(place), place[-1] if place[0] != "models" else 0): place
             for place in places(original)}  # fmt: skip
    for place in kinds.values():
        for value in wrong_values(at(original, place)):
            tried += 1
            if tried % every:
                continue
            changed = copy.deepcopy(original)
            at(changed, place[:-1])[place[-1]] = value
            path.write_text(yaml.dump(changed, Dumper=yaml.CSafeDumper))
            try:
                FILES[name](path)
            except SettingsError as error:
                assert "Traceback" not in str(error) and str(path.name) in str(error)
                key = next(str(part) for part in reversed(place) if isinstance(part, str))
                if key not in str(error) and str(place[0]) not in str(error):
                    taken.append((place, value, f"does not name it: {error}"))
            else:
                if not is_free(place, value):
                    taken.append((place, value, "taken"))
    assert tried > 20
    assert not taken, "\n".join(f"{p} = {str(v)[:40]!r}: {w[:200]}" for p, v, w in taken)


def is_free(place: tuple[Any, ...], value: Any) -> bool:
    """Say whether a text or list may be anything: titles, templates, terms."""
    return isinstance(value, str) or place[-1] in OF_THE_PUBLISHER


@pytest.mark.parametrize("model", [Experiment, ModelSettings, TaskSettings])
def test_every_number_has_bounds(model):
    unbounded = []

    def look(schema: Any, where: str) -> None:
        if isinstance(schema, list):
            for inner in schema:
                look(inner, where)
        if not isinstance(schema, dict):
            return
        if schema.get("type") in ("integer", "number"):
            low = {"minimum", "exclusiveMinimum"} & schema.keys()
            high = {"maximum", "exclusiveMaximum"} & schema.keys()
            if not (low and high):
                unbounded.append(where)
        for key, inner in schema.items():
            look(inner, key if key not in ("anyOf", "items", "properties") else where)

    look(model.model_json_schema(), "")
    assert not set(unbounded) - OF_THE_PUBLISHER - {"additionalProperties"}
