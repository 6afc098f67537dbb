"""Reading an experiment with all that it refers to."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from itdr.errors import MissingFileError, SettingsError
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.places import project_path
from itdr.planning.variants import find_variants, require_trainable
from itdr.planning.workflow import Workflow, halves
from itdr.recommenders.methods import find_method
from itdr.registry import TRIVIAL_ANSWERS
from itdr.settings.dataset import DatasetSettings, load_dataset
from itdr.settings.experiment import load_experiment
from itdr.settings.folders import CONFIG, settings_file
from itdr.settings.model import load_model_settings
from itdr.settings.paper import PAPERS, load_paper
from itdr.settings.variant import Variant, chain_of, find_variant


def load_workflow(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Workflow:
    """Return the experiment of the configuration files with all that it refers to.

    Raises:
        MissingFileError, SettingsError, ModelError: with the file and key at fault.
    """
    experiment = load_experiment(files, overrides)
    tasks: dict[str, TaskSettings] = {}
    datasets: dict[str, DatasetSettings] = {}
    folders = [CONFIG, *map(Path, experiment.config_folders)]
    _require_folders({f"config_folders.{i}": f for i, f in enumerate(experiment.config_folders)},
                     files[-1])  # fmt: skip
    for place, pair in enumerate(experiment.pairs):
        task, dataset = halves(pair)
        if dataset not in datasets:
            datasets[dataset] = load_dataset(dataset, folders, f"{files[-1]}: 'pairs.{place}'")
        if task not in tasks:
            tasks[task] = load_task(task, folders, f"{files[-1]}: 'pairs.{place}'")
        tasks[task].of(dataset)
    for task in experiment.build.max_examples_of:
        settings_file("tasks", task, folders, f"{files[-1]}: 'build.max_examples_of'")
    for name in experiment.trivial_answers or ():
        TRIVIAL_ANSWERS.find(name, f"{files[-1]}: 'trivial_answers': ")
    for name in experiment.recommenders or ():
        find_method(name, f"{files[-1]}: 'recommenders': ")
    paper = load_paper(project_path(PAPERS / experiment.paper) if experiment.paper else None)
    if experiment.data == "released" and paper.folder is None:
        raise SettingsError(
            f"{files[-1]}: 'data' is 'released', but no 'paper' is named whose release is meant."
        )
    variants = find_variants(experiment, paper, tasks, folders, files[-1])
    models = {}
    for column in experiment.columns:
        model, variant = halves(column)
        found = find_variant(variants, variant, f"{files[-1]}: 'columns'")
        models[model] = load_model_settings(Path("config/models") / f"{model}.yaml")
        if models[model].endpoint and found.has_adapter:
            raise SettingsError(
                f"{files[-1]}: 'columns': {column!r}: a model behind an endpoint cannot be trained,"
                f" nor take an adapter. Take {model}/base, or another variant without training."
            )
        if found.is_trained:
            stages = [variants[name] for name in chain_of(variants, variant, files[-1])]
            require_trainable(experiment, stages, tasks, models[model], files[-1])
    for name in experiment.raw_folders:
        settings_file("datasets", name, folders, f"{files[-1]}: 'raw_folders'")
    _require_folders(
        {
            **{f"raw_folders.{name}": folder for name, folder in experiment.raw_folders.items()},
            "release.folder": experiment.release.folder,
            "released_adapters.folder": experiment.released_adapters.folder,
        },
        files[-1],
    )
    _require_released(experiment.released_adapters.names, variants, files[-1])
    return Workflow(experiment, tasks, datasets, models, variants, paper)


def _require_released(columns: Iterable[str], variants: Mapping[str, Variant], file: Path) -> None:
    where = f"{file}: 'released_adapters.names'"
    for column in columns:
        _, variant = halves(column)
        if not find_variant(variants, variant, where).released:
            raise SettingsError(
                f"{where}: {column!r}: the adapter of {variant!r} is not a released one. Give the "
                "variant 'released: true' under 'variants', or take the key out."
            )


def _require_folders(folders: Mapping[str, str | None], file: Path) -> None:
    for key, folder in folders.items():
        if folder is not None and not Path(folder).is_dir():
            raise MissingFileError(
                f"{file}: {key!r} is {folder!r}, which is no folder. Name the folder that "
                "holds the files, or take the key out."
            )
