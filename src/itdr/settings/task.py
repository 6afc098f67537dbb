"""What a file in config/tasks/ says: how examples of one task are made, asked and scored."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import Strict, load
from itdr.vocabulary import Dataset, Task

_METRIC = re.compile(
    r"rmse|(ndcg|hit|precision)@[1-9]\d*|(accuracy|rmse):[a-z_]+|bleu-[1-4]|rouge-[12l]"
)


def _known_metric(name: str) -> str:
    if not _METRIC.fullmatch(name):
        raise ValueError(
            "unknown metric; allowed: rmse, ndcg@K, hit@K, precision@K, accuracy:ATTRIBUTE, "
            "rmse:ATTRIBUTE, bleu-N, rouge-1, rouge-2, rouge-l"
        )
    return name


Metric = Annotated[str, AfterValidator(_known_metric)]


class RatingSampling(Strict):
    """The user's last rated item is the target; the rated items before it are shown."""

    kind: Literal["rating"]
    history: int = Field(ge=1, description="most items shown")
    min_history: int = Field(ge=1, description="fewest items shown")


class NextItemsSampling(Strict):
    """The user's last items are the positives; the items before them are shown."""

    kind: Literal["next_items"]
    history: int = Field(ge=1, description="items shown")
    positives: int = Field(ge=1, description="positive candidates")
    negatives: int = Field(ge=1, description="candidates that the user did not interact with")


class LikedItemsSampling(Strict):
    """The user's newest liked items, or most played ones, are shown."""

    kind: Literal["liked_items"]
    history: int = Field(ge=1, description="most items shown")
    min_history: int = Field(ge=1, description="fewest items shown")


class CrossDomainSampling(Strict):
    """The user's last items of one domain are the positives; items of two domains are shown."""

    kind: Literal["cross_domain"]
    source_history: int = Field(ge=1, description="items shown of the other domain")
    history: int = Field(ge=1, description="items shown of the domain of the candidates")
    positives: int = Field(ge=1, description="positive candidates")
    negatives: int = Field(ge=1, description="candidates that the user did not interact with")


class OpinionsSampling(Strict):
    """The user's newest liked and disliked items are shown."""

    kind: Literal["opinions"]
    history: int = Field(ge=1, description="most items shown of each kind")
    min_history: int = Field(ge=1, description="fewest items shown in all")


class DescribedItemsSampling(Strict):
    """One item is shown with what is known of it."""

    kind: Literal["described_items"]


Sampling = Annotated[
    RatingSampling
    | NextItemsSampling
    | LikedItemsSampling
    | CrossDomainSampling
    | OpinionsSampling
    | DescribedItemsSampling,
    Field(discriminator="kind"),
]


class DatasetTemplate(Strict):
    """What one dataset adds to a task."""

    examples: int = Field(ge=1, description="examples to build, as published")
    template: str = Field(description="Jinja2 text of the input")
    scale: tuple[float, float] | None = Field(None, description="lowest and highest rating")
    decimals: int = Field(0, ge=0, le=2, description="decimals of a rating in text")
    liked: float | None = Field(
        None, description="lowest rating of a liked item; null: the most played items are taken"
    )
    disliked: float | None = Field(None, description="highest rating of a disliked item")
    reviews: int = Field(
        0, ge=0, description="most reviews shown of an item; items without any are passed over"
    )
    domain_pairs: tuple[tuple[str, str], ...] = Field(
        (), description="domains of the history and of the candidates"
    )
    attributes: tuple[str, ...] = Field((), description="columns of the users table to predict")
    metrics: tuple[Metric, ...] = Field((), description="metrics, where the task names none")

    @model_validator(mode="after")
    def _each_target_once(self) -> "DatasetTemplate":
        targets = [target for _, target in self.domain_pairs]
        for source, target in self.domain_pairs:
            if source == target or targets.count(target) > 1:
                raise ValueError(
                    f"domain_pairs: {target!r} must be the second domain of one pair only, and "
                    "not of itself"
                )
        return self


class TaskSettings(Strict):
    """One file in config/tasks/."""

    task: Task
    version: int = Field(ge=1, description="raised when a description, template or parser changes")
    description: str = Field(min_length=1, description="the instruction of every example")
    sampling: Sampling
    answer: Literal["number", "ranked_list", "title", "attributes", "text"]
    max_answer_tokens: int = Field(ge=1, description="output limit at inference, in tokens")
    metrics: tuple[Metric, ...] = ()
    teacher_prompt: str | None = Field(
        None, description="Jinja2 text of what a teacher is asked, where the answer is its text"
    )
    datasets: dict[Dataset, DatasetTemplate]

    @model_validator(mode="after")
    def _texts_have_a_teacher(self) -> "TaskSettings":
        if (self.answer == "text") != (self.teacher_prompt is not None):
            raise ValueError("'teacher_prompt' belongs to the answer 'text', and only to it")
        return self

    @model_validator(mode="after")
    def _pairs_where_domains_cross(self) -> "TaskSettings":
        for name, template in self.datasets.items():
            if (self.sampling.kind == "cross_domain") != bool(template.domain_pairs):
                raise ValueError(
                    f"datasets.{name}.domain_pairs belongs to the sampling cross_domain, and only "
                    "to it"
                )
        return self

    def of(self, dataset: str) -> DatasetTemplate:
        """Return what the dataset adds.

        Raises:
            SettingsError: the task has no template for the dataset.
        """
        try:
            return self.datasets[Dataset(dataset)]
        except (KeyError, ValueError):
            names = [name.value for name in self.datasets]
            raise SettingsError(
                f"config/tasks/{self.task}.yaml: no template for dataset {dataset!r}."
                f"{nearest(dataset, names)} Templates: {', '.join(names)}."
            ) from None

    def metrics_of(self, dataset: str) -> tuple[str, ...]:
        """Return the metric names of one cell."""
        return self.of(dataset).metrics or self.metrics


def load_task(folder: Path, task: str) -> TaskSettings:
    """Return the settings of a task from `folder`/TASK.yaml.

    Raises:
        SettingsError: no such task, a wrong key, or the file is about another task.
    """
    if task not in list(Task):
        raise SettingsError(
            f"unknown task {task!r}.{nearest(task, Task)} Allowed: {', '.join(Task)}."
        )
    path = folder / f"{task}.yaml"
    settings = load(TaskSettings, path)
    if settings.task != task:
        raise SettingsError(f"{path}: 'task' is {settings.task.value!r}; {task!r} is needed.")
    return settings


def prompt_texts(folder: Path, dataset_prefix: str) -> list[str]:
    """Return the descriptions and templates of all task files for datasets of that name."""
    texts = []
    for path in sorted(folder.glob("*.yaml")):
        task = load_task(folder, path.stem)
        of = [t.template for name, t in task.datasets.items() if name.startswith(dataset_prefix)]
        texts += [task.description, *of] if of else []
    return texts
