"""All configuration that the workflow needs, read and checked before any job is planned."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from itdr.files.checksums import fingerprint
from itdr.instructions.tasks import TaskSettings
from itdr.planning.variants import cells_of, training_of
from itdr.recommenders.methods import INSTALL, METHODS
from itdr.registry import ANSWER_KINDS, TRIVIAL_ANSWERS
from itdr.settings.columns import matching
from itdr.settings.dataset import DatasetSettings
from itdr.settings.experiment import Experiment
from itdr.settings.flags import as_flags
from itdr.settings.folders import CONFIG, settings_files
from itdr.settings.model import REQUESTED, ModelSettings
from itdr.settings.paper import Column, Layout, Paper
from itdr.settings.training import TrainingSettings
from itdr.settings.variant import MixtureOptions, Variant


@dataclass(frozen=True)
class Workflow:
    """An experiment with the task and model files that it names.

    Attributes:
        experiment: what config/config.yaml says.
        tasks: task id to its file.
        datasets: dataset id to its file.
        models: model id to its file.
        variants: variant id to what it is.
        paper: whose values stand beside ours.
    """

    experiment: Experiment
    tasks: dict[str, TaskSettings]
    datasets: dict[str, DatasetSettings]
    models: dict[str, ModelSettings]
    variants: dict[str, Variant]
    paper: Paper

    @property
    def paper_flags(self) -> list[str]:
        """The options of `itdr report` that name the paper."""
        return ["--paper", str(self.paper.folder)] if self.paper.folder else []

    @property
    def layout(self) -> Layout:
        """The tables, figures and printed names."""
        return self.paper.layout

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The (task, dataset) pairs."""
        return [halves(pair) for pair in self.experiment.pairs]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The (model, variant) pairs of all tables."""
        return [halves(column) for column in self.experiment.columns]

    @property
    def table_columns(self) -> dict[str, list[Column]]:
        """Result table to those of the columns that belong to it."""
        return {name: self.layout.columns_of(name, self.columns) for name in self.layout.tables}

    @property
    def columns_without_table(self) -> list[str]:
        """The columns that no result table has a place for."""
        placed = {column for columns in self.table_columns.values() for column in columns}
        return ["/".join(column) for column in self.columns if column not in placed]

    @property
    def notes(self) -> list[str]:
        """What a run does otherwise than one may expect, a sentence each."""
        found = []
        if self.recommenders_left_out:
            found.append(
                f"Left out: {', '.join(self.recommenders_left_out)}, whose libraries are not "
                f"installed. {INSTALL} brings them; 'recommenders' in the configuration names "
                "others."
            )
        if self.columns_without_table:
            found.append(
                f"In no table: {', '.join(self.columns_without_table)}, though trained and scored. "
                "'paper: null' gives every column a place; config/papers/PAPER/layout.yaml says "
                "which variants a paper's tables take."
            )
        return found

    @property
    def local_models(self) -> list[str]:
        """The models whose weights are had; the others answer behind an endpoint."""
        return [name for name, settings in self.models.items() if not settings.endpoint]

    @property
    def hub_models(self) -> list[str]:
        """The models that are downloaded."""
        return [name for name in self.local_models if not self.models[name].is_local]

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

    @property
    def released_variants(self) -> list[str]:
        """The variants whose adapters the authors have published."""
        return [name for name, variant in self.variants.items() if variant.released]

    def adapter_flags(self, model: str, variant: str) -> list[str]:
        """Return the options of `itdr import-adapter` for a column, a word each."""
        settings = self.experiment.released_adapters
        place = ["--folder", settings.folder] if settings.folder else [f"--drive={settings.drive}"]
        name = settings.names.get(f"{model}/{variant}")
        return [*place, f"--name={name}"] if name else place

    def cells_of(self, variant: str) -> list[tuple[str, str]]:
        """Return the (task, dataset) pairs that a variant is trained on."""
        return cells_of(self.experiment, self.variants[variant])

    @property
    def tables(self) -> list[str]:
        """The datasets whose tables examples are drawn from; none for released examples."""
        if self.experiment.data == "released":
            return []
        return sorted({dataset for _, dataset in self.cells})

    @property
    def folders(self) -> list[Path]:
        """The folders of configuration, config/ first."""
        return [CONFIG, *map(Path, self.experiment.config_folders)]

    @property
    def folder_flags(self) -> str:
        """The options that name these folders."""
        return " ".join(shlex.quote(f"--config-folder={folder}") for folder in self.folders[1:])

    @property
    def dataset_ids(self) -> list[str]:
        """All datasets that have a file, whether the experiment names them or not."""
        return list(settings_files("datasets", self.folders))

    @property
    def simulated(self) -> list[str]:
        """The datasets whose raw files are simulated."""
        experiment = self.experiment
        return [
            name
            for name, dataset in self.datasets.items()
            if experiment.simulated_world
            and dataset.kind != "folder"
            and name not in experiment.raw_folders
        ]

    @property
    def local_folders(self) -> dict[str, str]:
        """Dataset to the folder that its raw files are taken from in place of its own place."""
        simulated = {name: f"{self.experiment.results}/simulated/{name}" for name in self.simulated}
        return simulated | self.experiment.raw_folders

    def own_files(self, dataset: str) -> list[str]:
        """Return the files of a dataset that the user may change at any time: those of a folder."""
        settings = self.datasets.get(dataset)
        if settings is None or settings.columns is None or settings.kind != "folder":
            return []
        folder = Path(self.local_folders.get(dataset) or settings.folder or ".")
        patterns = settings.columns.patterns
        return [str(path) for pattern in patterns for path in matching(folder, pattern)]

    @property
    def readings(self) -> dict[str, str | None]:
        """Dataset to a mark that changes when how its raw files are read changes."""
        return {
            name: fingerprint(dataset.columns.model_dump()) if dataset.columns else dataset.reader
            for name, dataset in self.datasets.items()
        }

    @property
    def trivial_answers(self) -> list[str]:
        """The trivial answers that the tasks name and the experiment wants.

        Released examples name no items, so nothing is known of these.
        """
        wanted = self.experiment.trivial_answers
        named = [name for task in self.tasks.values() for name in task.trivial_answers]
        chosen = dict.fromkeys(named if wanted is None else [n for n in wanted if n in named])
        released = self.experiment.data == "released"
        return [n for n in chosen if not (released and TRIVIAL_ANSWERS[n].needs_items)]

    @property
    def needs_items(self) -> list[str]:
        """The trivial answers that use what is known of items."""
        return [name for name in self.trivial_answers if TRIVIAL_ANSWERS[name].needs_items]

    @property
    def recommenders(self) -> list[str]:
        """The conventional recommenders that answer a task of the experiment.

        Released examples name no users and items, so only what learns from texts answers them.
        """
        wanted = self.experiment.recommenders
        return [name for name in self._recommenders
                if wanted is not None or not METHODS[name].missing]  # fmt: skip

    @property
    def recommenders_left_out(self) -> list[str]:
        """Those that would answer if the libraries that they need were installed."""
        return [name for name in self._recommenders if name not in self.recommenders]

    @property
    def _recommenders(self) -> list[str]:
        wanted = self.experiment.recommenders
        answers = {settings.answer for settings in self.tasks.values()}
        released = self.experiment.data == "released"
        return [
            name
            for name, method in METHODS.items()
            if (wanted is None or name in wanted)
            and answers & set(method.answers)
            and not (released and method.make)
        ]

    @property
    def taught_tasks(self) -> list[str]:
        """The tasks whose answers a teacher writes."""
        return [task for task, settings in self.tasks.items()
                if ANSWER_KINDS[settings.answer].taught]  # fmt: skip

    def mix_flags(self, variant: str) -> str:
        """Return the options of `itdr mix` for a variant."""
        options = self.variants[variant].model_dump(include=set(MixtureOptions.model_fields))
        return as_flags(MixtureOptions(**options))

    def training(self, variant: str) -> TrainingSettings:
        """Return how a variant is trained."""
        return training_of(self.experiment, self.variants[variant], "config")

    def training_flags(self, variant: str) -> str:
        """Return the options of `itdr train` for a variant."""
        return as_flags(self.training(variant))

    def training_memory_mb(self, model: str, variant: str) -> int:
        """Return the main memory that all processes of a training ask for, in MB."""
        settings = self.models[model]
        return settings.memory_mb * (settings.training_gpus or self.training(variant).processes)

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
            "infer": as_flags(experiment.inference),
            "recommend": as_flags(experiment.recommend),
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
                dataset: fingerprint([settings.model_dump(include=shared), template])
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


def halves(text: str) -> tuple[str, str]:
    """Return the two names of a pair TASK/DATASET or a column MODEL/VARIANT."""
    left, _, right = text.partition("/")
    return left, right
