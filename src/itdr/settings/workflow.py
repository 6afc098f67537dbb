"""All configuration that the workflow needs, read and checked before any job is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itdr.errors import MissingFileError, SettingsError
from itdr.files.checksums import fingerprint
from itdr.settings.experiment import Experiment, load_experiment
from itdr.settings.flags import as_flags
from itdr.settings.layout import Column, Layout, load_layout
from itdr.settings.model import REQUESTED, ModelSettings, load_model_settings
from itdr.settings.task import TaskSettings, load_task
from itdr.settings.variant import Variant, find_variant, load_variants
from itdr.vocabulary import BASELINE_TASKS, Baseline

VARIANTS = Path("config/variants.csv")
LAYOUT = Path("config/paper/layout.yaml")


@dataclass(frozen=True)
class Workflow:
    """An experiment with the task and model files that it names.

    Attributes:
        experiment: what config/config.yaml says.
        tasks: task id to its file.
        models: model id to its file.
        variants: variant id to its line of config/variants.csv.
        layout: the paper's tables.
    """

    experiment: Experiment
    tasks: dict[str, TaskSettings]
    models: dict[str, ModelSettings]
    variants: dict[str, Variant]
    layout: Layout

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The (task, dataset) pairs."""
        return [_halves(pair) for pair in self.experiment.pairs]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The (model, variant) pairs of all tables."""
        return [_halves(column) for column in self.experiment.columns]

    @property
    def table_columns(self) -> dict[str, list[Column]]:
        """Result table to those of the columns that belong to it."""
        return {name: self.layout.columns_of(name, self.columns) for name in self.layout.tables}

    @property
    def local_models(self) -> list[str]:
        """The models whose weights are had; the others answer behind an endpoint."""
        return [name for name, settings in self.models.items() if not settings.endpoint]

    @property
    def trained_models(self) -> list[str]:
        """The models of which some variant is fine-tuned."""
        return list(
            dict.fromkeys(m for m, variant in self.columns if self.variants[variant].is_trained)
        )

    @property
    def trained_variants(self) -> list[str]:
        """The variants that have a training mixture."""
        return [name for name, variant in self.variants.items() if variant.is_trained]

    def cells_of(self, variant: str) -> list[tuple[str, str]]:
        """Return the (task, dataset) pairs that a variant is trained on."""
        return [(task, dataset) for task, dataset in self.cells
                if task in self.variants[variant].tasks]  # fmt: skip

    @property
    def tables(self) -> list[str]:
        """The datasets whose tables examples are drawn from; none for released examples."""
        if self.experiment.data == "released":
            return []
        return sorted({dataset for _, dataset in self.cells})

    @property
    def baselines(self) -> list[str]:
        """The trivial answers that the experiment's tasks have.

        Released examples name no items, so nothing is known of their categories.
        """
        unknown = {Baseline.SAME_CATEGORY} if self.experiment.data == "released" else set()
        return [
            name.value
            for name in self.experiment.baselines
            if name not in unknown and self.tasks.keys() & set(BASELINE_TASKS[name])
        ]

    @property
    def taught_tasks(self) -> list[str]:
        """The tasks whose answers a teacher writes."""
        return [task for task, settings in self.tasks.items() if settings.teacher_prompt]

    @property
    def training_gpus(self) -> dict[str, int]:
        """Model to the GPUs that its training asks for."""
        processes = self.experiment.training.processes
        return {model: settings.gpus * processes for model, settings in self.models.items()}

    @property
    def flags(self) -> dict[str, str]:
        """Stage to the command-line options that carry its settings."""
        experiment = self.experiment
        return {
            "normalise": as_flags(experiment.normalise),
            "fetch-release": as_flags(experiment.release),
            "annotate": as_flags(experiment.teacher),
            "split": as_flags(experiment.split),
            "audit": as_flags(experiment.audit),
            "train": as_flags(experiment.training),
            "infer": as_flags(experiment.inference),
            "score": as_flags(experiment.scoring),
            "simulate": as_flags(experiment.simulated_world) if experiment.simulated_world else "",
        }

    @property
    def build_flags(self) -> dict[str, str]:
        """Task to the options of `itdr build`; where reviews stand it must know how users part."""
        division = as_flags(self.experiment.split)
        return {
            task: f"{as_flags(self.experiment.build.of(task))} "
            f"{division if settings.sampling.kind == 'described_items' else ''}".strip()
            for task, settings in self.tasks.items()
        }

    @property
    def templates(self) -> dict[str, dict[str, str]]:
        """Task to dataset to a mark that changes when what makes its examples changes."""
        shared = {"version", "description", "sampling", "answer", "teacher_prompt"}
        return {
            task: {
                dataset.value: fingerprint([settings.model_dump(include=shared), template])
                for dataset, template in settings.datasets.items()
            }
            for task, settings in self.tasks.items()
        }

    @property
    def weights(self) -> dict[str, str]:
        """Model to a mark that changes when its file or its local weights change."""
        marks = {}
        for model, settings in self.models.items():
            files = sorted(Path(settings.source).glob("*")) if settings.is_local else []
            sizes = [(file.name, file.stat().st_size) for file in files]
            marks[model] = fingerprint(
                [settings.model_dump(mode="json", exclude=set(REQUESTED)), sizes]
            )
        return marks


def load_workflow(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Workflow:
    """Return the experiment of the configuration files with all that it refers to.

    Raises:
        MissingFileError, SettingsError, ModelError: with the file and key at fault.
    """
    experiment = load_experiment(files, overrides)
    tasks: dict[str, TaskSettings] = {}
    for pair in experiment.pairs:
        task, dataset = _halves(pair)
        tasks[task] = tasks.get(task) or load_task(Path("config/tasks"), task)
        tasks[task].of(dataset)
    models = {}
    variants = load_variants(VARIANTS)
    for column in experiment.columns:
        model, variant = _halves(column)
        found = find_variant(variants, variant, f"{files[-1]}: 'columns'")
        models[model] = load_model_settings(Path("config/models") / f"{model}.yaml")
        if models[model].endpoint and found.is_trained:
            raise SettingsError(
                f"{files[-1]}: 'columns': {column!r}: a model behind an endpoint cannot be trained."
                f" Take {model}/base, or another variant without training."
            )
    folders = {
        **{f"raw_folders.{name}": folder for name, folder in experiment.raw_folders.items()},
        "release.folder": experiment.release.folder,
    }
    for key, folder in folders.items():
        if folder is not None and not Path(folder).is_dir():
            raise MissingFileError(
                f"{files[-1]}: {key!r} is {folder!r}, which is no folder. Name the folder that "
                "holds the files, or take the key out to download them."
            )
    return Workflow(experiment, tasks, models, variants, load_layout(LAYOUT))


def _halves(text: str) -> tuple[str, str]:
    left, _, right = text.partition("/")
    return left, right
