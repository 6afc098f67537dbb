"""The variants of an experiment, and how each of them is trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from itdr.errors import SettingsError, nearest
from itdr.evaluation.one_value import goes_with
from itdr.instructions.tasks import TaskSettings
from itdr.settings.experiment import Experiment, laid_over
from itdr.settings.folders import settings_file
from itdr.settings.model import ModelSettings
from itdr.settings.paper import Paper
from itdr.settings.reading import check
from itdr.settings.training import TrainingSettings
from itdr.settings.variant import Variant, chain_of


def find_variants(
    experiment: Experiment,
    paper: Paper,
    tasks: Mapping[str, TaskSettings],
    folders: Sequence[Path],
    where: Path,
) -> dict[str, Variant]:
    """Return all variants by id: the three that need no naming, the paper's, the experiment's.

    folders: of configuration. where: the experiment's file, for errors.

    Raises:
        SettingsError: one of them names a task, a dataset or a variant that is not there, or
            settings of training that are wrong.
    """
    variants = {
        "base": Variant(variant="base"),
        "tuned": Variant(variant="tuned", tasks=tuple(tasks)),
        "released": Variant(variant="released", released=True),
        **paper.variants,
    }
    for variant in paper.variants.values():
        for task in variant.tasks:
            asks = f"{paper.folder}/variants.csv: the variant {variant.variant!r}"
            settings_file("tasks", task, folders, asks)
    for name, options in experiment.variants.items():
        value = {"variant": name, **options.model_dump(mode="json")}
        variants[name] = check(Variant, value, f"{where}: 'variants.{name}'")
        _require_tasks(options.tasks, tasks, f"{where}: 'variants.{name}.tasks'")
    for name, variant in variants.items():
        ours = name in experiment.variants
        chain_of(variants, name, where if ours else f"{paper.folder}/variants.csv")
        training_of(experiment, variant, where)
    return variants


def training_of(experiment: Experiment, variant: Variant, where: str | Path) -> TrainingSettings:
    """Return how a variant is trained: as the experiment says, with its own settings laid over it.

    Raises:
        SettingsError: these are wrong.
    """
    settings = laid_over(experiment.training.model_dump(mode="json"), variant.training)
    return check(TrainingSettings, settings, f"{where}: 'variants.{variant.variant}.training'")


def require_trainable(
    experiment: Experiment,
    stages: Sequence[Variant],
    tasks: Mapping[str, TaskSettings],
    model: ModelSettings,
    where: Path,
) -> None:
    """Make sure that a model can be trained as some variants say.

    Raises:
        SettingsError: it cannot, or a metric of validation goes with no answers of a variant.
    """
    for variant in stages:
        if not variant.is_trained:  # its adapter is the authors'
            continue
        settings = training_of(experiment, variant, where).of(model)
        cells = cells_of(experiment, variant)
        metric = settings.validation.metric
        if settings.validation.every is None or metric == "loss":
            continue
        if not any(goes_with(metric, tasks[task], dataset) for task, dataset in cells):
            raise SettingsError(
                f"{where}: 'training.validation.metric': {metric!r} goes with the answers to none "
                f"of the tasks of the variant {variant.variant!r}. Name another, or loss."
            )


def cells_of(experiment: Experiment, variant: Variant) -> list[tuple[str, str]]:
    """Return the (task, dataset) pairs that a variant is trained on."""
    cells = [pair.split("/", 1) for pair in experiment.pairs]
    return [
        (task, dataset)
        for task, dataset in cells
        if task in variant.tasks and dataset in (variant.datasets or [dataset])
    ]


def _require_tasks(wanted: Sequence[str], tasks: Mapping[str, TaskSettings], where: str) -> None:
    for task in wanted:
        if task not in tasks:
            raise SettingsError(
                f"{where}: {task!r} is no task of the experiment.{nearest(task, tasks)} Its tasks: "
                f"{', '.join(tasks)}."
            )
