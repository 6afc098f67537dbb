"""All configuration that the workflow needs, read and checked before any job is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itdr.errors import MissingFileError, SettingsError, nearest
from itdr.files.checksums import fingerprint
from itdr.instructions.tasks import TaskSettings, load_task, task_names
from itdr.recommenders.methods import METHODS, find_method
from itdr.registry import ANSWER_KINDS, TRIVIAL_ANSWERS
from itdr.settings.experiment import Experiment, load_experiment
from itdr.settings.flags import as_flags
from itdr.settings.model import REQUESTED, ModelSettings, load_model_settings
from itdr.settings.paper import PAPERS, Column, Layout, Paper, load_paper
from itdr.settings.reading import check
from itdr.settings.variant import Variant, VariantOptions, find_variant

TASKS = Path("config/tasks")


@dataclass(frozen=True)
class Workflow:
    """An experiment with the task and model files that it names.

    Attributes:
        experiment: what config/config.yaml says.
        tasks: task id to its file.
        models: model id to its file.
        variants: variant id to what it is.
        paper: whose values stand beside ours.
    """

    experiment: Experiment
    tasks: dict[str, TaskSettings]
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
    def trivial_answers(self) -> list[str]:
        """The trivial answers that the tasks name and the experiment wants.

        Released examples name no items, so nothing is known of their categories.
        """
        wanted = self.experiment.trivial_answers
        named = [name for task in self.tasks.values() for name in task.trivial_answers]
        chosen = dict.fromkeys(named if wanted is None else [n for n in wanted if n in named])
        released = self.experiment.data == "released"
        return [n for n in chosen if not (released and TRIVIAL_ANSWERS[n].needs_categories)]

    @property
    def needs_categories(self) -> list[str]:
        """The trivial answers that use the categories of items."""
        return [name for name in self.trivial_answers if TRIVIAL_ANSWERS[name].needs_categories]

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
        options = self.variants[variant].model_dump(include=set(VariantOptions.model_fields))
        return as_flags(VariantOptions(**options))

    @property
    def training_memory_mb(self) -> dict[str, int]:
        """Model to the main memory that all processes of its training ask for, in MB."""
        processes = self.experiment.training.processes
        return {
            name: settings.memory_mb * (settings.training_gpus or processes)
            for name, settings in self.models.items()
        }

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
            "recommend": as_flags(experiment.recommend),
            "score": as_flags(experiment.scoring),
            "simulate": as_flags(experiment.simulated_world) if experiment.simulated_world else "",
        }

    @property
    def build_flags(self) -> dict[str, str]:
        """Task to the options of `itdr build`."""
        return {task: as_flags(self.experiment.build.of(task)) for task in self.tasks}

    @property
    def templates(self) -> dict[str, dict[str, str]]:
        """Task to dataset to a mark that changes when what makes its examples changes."""
        shared = {"version", "description", "sampling", "answer", "teacher_prompt"}
        return {
            task: {
                str(dataset): fingerprint([settings.model_dump(include=shared), template])
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
        tasks[task] = tasks.get(task) or load_task(TASKS, task)
        tasks[task].of(dataset)
    for task in experiment.build.max_examples_of:
        if task not in task_names(TASKS):
            raise SettingsError(
                f"{files[-1]}: 'build.max_examples_of': unknown task {task!r}."
                f"{nearest(task, task_names(TASKS))} Allowed: {', '.join(task_names(TASKS))}."
            )
    for name in experiment.trivial_answers or ():
        TRIVIAL_ANSWERS.find(name, f"{files[-1]}: 'trivial_answers': ")
    for name in experiment.recommenders or ():
        find_method(name, f"{files[-1]}: 'recommenders': ")
    paper = load_paper(PAPERS / experiment.paper if experiment.paper else None)
    if experiment.data == "released" and paper.folder is None:
        raise SettingsError(
            f"{files[-1]}: 'data' is 'released', but no 'paper' is named whose release is meant."
        )
    variants = _variants(experiment, paper, tasks, files[-1])
    models = {}
    for column in experiment.columns:
        model, variant = _halves(column)
        found = find_variant(variants, variant, f"{files[-1]}: 'columns'")
        models[model] = load_model_settings(Path("config/models") / f"{model}.yaml")
        if models[model].endpoint and found.is_trained:
            raise SettingsError(
                f"{files[-1]}: 'columns': {column!r}: a model behind an endpoint cannot be trained."
                f" Take {model}/base, or another variant without training."
            )
        if found.is_trained:
            experiment.training.of(models[model])  # which may refuse it
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
    return Workflow(experiment, tasks, models, variants, paper)


def _variants(
    experiment: Experiment, paper: Paper, tasks: Mapping[str, TaskSettings], where: Path
) -> dict[str, Variant]:
    """Return all variants by id: the two that need no naming, the paper's, the experiment's."""
    variants = {
        "base": Variant(variant="base"),
        "tuned": Variant(variant="tuned", tasks=tuple(tasks)),
        **paper.variants,
    }
    known = task_names(TASKS)
    for variant in paper.variants.values():
        for task in variant.tasks:
            if task not in known:
                raise SettingsError(
                    f"{paper.folder}/variants.csv: the variant {variant.variant!r} has the task "
                    f"{task!r}, which has no file in {TASKS}.{nearest(task, known)} Allowed: "
                    f"{', '.join(known)}."
                )
    for name, options in experiment.variants.items():
        value = {"variant": name, **options.model_dump(mode="json")}
        variants[name] = check(Variant, value, f"{where}: 'variants.{name}'")
        for task in options.tasks:
            if task not in tasks:
                raise SettingsError(
                    f"{where}: 'variants.{name}.tasks': {task!r} is no task of the experiment."
                    f"{nearest(task, tasks)} Its tasks: {', '.join(tasks)}."
                )
    return variants


def _halves(text: str) -> tuple[str, str]:
    left, _, right = text.partition("/")
    return left, right
