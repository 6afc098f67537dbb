"""Every file of the configuration, and options of the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

from itdr.errors import SettingsError
from itdr.instructions.statistics import published
from itdr.instructions.tasks import TaskSettings
from itdr.instructions.templates import ExampleText
from itdr.released.manifest import load_manifest
from itdr.settings.dataset import DatasetSettings
from itdr.settings.experiment import InferenceSettings, load_experiment
from itdr.settings.flags import add_flags, as_flags, from_flags
from itdr.settings.model import ModelSettings
from itdr.settings.paper import Layout
from itdr.settings.rates import Rates
from itdr.settings.reading import check, load, load_yaml
from itdr.settings.training import TrainingSettings
from itdr.settings.variant import load_variants
from tests.bad_input.reader import Reader, scratch_file
from tests.conftest import ROOT

_CONFIG = ROOT / "config"


def _experiment(path: Path) -> None:
    told = load_experiment([_CONFIG / "config.yaml", path])
    for settings in (told.training, told.inference, told.teacher, told.scoring):
        as_flags(settings)


def _task(path: Path) -> None:
    task = load(TaskSettings, path)
    for dataset in task.datasets:
        ExampleText(task, dataset)
        task.metrics_of(dataset)


def _layout(path: Path) -> None:
    layout = load(Layout, path)
    for table in layout.tables:
        layout.columns_of(table, [("tiny", "base"), ("glm-4-9b", "itdr")])


def _dataset(path: Path) -> None:
    check(DatasetSettings, {"id": "x", **load_yaml(path)}, path)


_DESCRIBED = (
    "datasets/movielens-32m.yaml datasets/yelp.yaml ../examples/own-data/datasets/town-library.yaml"
)

_FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "experiment": ("demo.yaml config.yaml", _experiment),
    "task": ("tasks/RP.yaml tasks/CDR.yaml tasks/UAP.yaml tasks/IR.yaml tasks/TUI.yaml", _task),
    "model": (
        "models/llama-3.2-3b.yaml models/gemini-2.5-flash.yaml",
        lambda path: load(ModelSettings, path),
    ),
    "dataset": (_DESCRIBED, _dataset),
    "layout": ("papers/itdr/layout.yaml", _layout),
    "rates": ("rates.yaml", lambda path: load(Rates, path)),
    "variants": ("papers/itdr/variants.csv", load_variants),
    "release-manifest": ("papers/itdr/release_manifest.csv", load_manifest),
    "statistics": ("papers/itdr/statistics.csv", published),
}


def _options(data: bytes) -> None:
    """Give every option of two settings classes the same odd word."""
    word = data.decode("utf-8", "replace")
    for model in (TrainingSettings, InferenceSettings):
        parser = argparse.ArgumentParser(exit_on_error=False)
        add_flags(parser, model)
        refusal = None
        for option in parser._option_string_actions.values():
            if option.nargs == 0:
                continue
            args = parser.parse_args([f"{option.option_strings[0]}={word}"])
            try:
                as_flags(from_flags(args, model))
            except SettingsError as error:
                refusal = error
        if refusal:
            raise refusal


def readers() -> dict[str, Reader]:
    """Return all readers of this module by name."""
    found = {"options": Reader(lambda: [b"1"], _options)}
    for name, (paths, read) in _FILES.items():

        def seeds(paths: str = paths) -> list[bytes]:
            return [(_CONFIG / path).read_bytes() for path in paths.split()]

        def check(data: bytes, name: str = name, read: Callable = read) -> None:
            read(scratch_file(f"settings-{name}", data))

        found[f"settings-{name}"] = Reader(seeds, check)
    return found
