"""What a file in config/tasks/ says: how examples of one task are made, asked and scored."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from itdr.errors import SettingsError, nearest
from itdr.instructions.choices import CANDIDATES, fault_of_choices
from itdr.registry import ANSWER_KINDS, METRICS, SAMPLING_KINDS, TRIVIAL_ANSWERS
from itdr.settings.folders import FOLDERS, settings_file, settings_files
from itdr.settings.ids import ID, DatasetId, TaskId
from itdr.settings.metric import PER_TOKEN, Metric, parse_metric
from itdr.settings.reading import MOST_ROWS, MOST_TOKENS, Strict, load, once
from itdr.settings.sampling import MOST_ITEMS

if TYPE_CHECKING:
    Sampling = Any
else:
    _KINDS = reduce(or_, (kind.settings for kind in SAMPLING_KINDS.values()))
    Sampling = Annotated[_KINDS, Field(discriminator="kind")]

Rating = Annotated[float, Field(ge=-1e6, le=1e6)]

_MADE_OF_CANDIDATES = ("ranked_list", "title")


class DatasetTemplate(Strict):
    """What one dataset adds to a task."""

    examples: int = Field(ge=1, le=MOST_ROWS, description="examples to build, as published")
    template: str = Field(description="Jinja2 text of the input")
    scale: tuple[Rating, Rating] | None = Field(None, description="lowest and highest rating")
    decimals: int = Field(0, ge=0, le=2, description="decimals of a rating in text")
    liked: float | None = Field(
        None, description="lowest rating of a liked item; null: the most played items are taken"
    )
    disliked: float | None = Field(None, description="highest rating of a disliked item")
    reviews: int = Field(
        0,
        ge=0,
        le=MOST_ITEMS,
        description="most reviews shown of an item; items without any are passed over",
    )
    domain_pairs: tuple[tuple[str, str], ...] = Field(
        (), description="domains of the history and of the candidates"
    )
    attributes: tuple[str, ...] = Field((), description="columns of the users table to predict")
    ranges: dict[str, tuple[Rating, Rating]] = Field(
        {}, description="lowest and highest value of the attributes that are numbers"
    )
    metrics: Annotated[tuple[str, ...], AfterValidator(once)] = Field(
        (), description="metrics, where the task names none"
    )

    def rating_text(self, rating: float) -> str:
        """Return a rating as text."""
        return f"{rating:.{self.decimals}f}"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise ValueError(f"scale: the lowest rating comes first, found {list(self.scale)}")
        if self.liked is not None and self.disliked is not None and self.disliked >= self.liked:
            raise ValueError(f"disliked ({self.disliked}) must be below liked ({self.liked})")
        return self

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

    task: TaskId = Field(description="id, which is also the name of the file")
    title: str = Field(min_length=1, description="printed name")
    root_task: str | None = Field(
        None, pattern=f"^{ID}$", description="id of the root task that it belongs to; null: none"
    )
    version: int = Field(
        ge=1, le=MOST_ROWS, description="raised when a description, template or parser changes"
    )
    description: str = Field(min_length=1, description="the instruction of every example")
    sampling: Sampling
    answer: str = Field(description="kind of answer (itdr.evaluation.kinds)")
    choices: tuple[str, ...] | Literal["candidates"] | None = Field(
        None,
        description="texts whose likelihoods are the answer, where its kind is choice: a list, "
        "whose first is the positive class of two, or 'candidates' for the titles of each "
        "example's own",
    )
    max_answer_tokens: int | None = Field(
        None,
        ge=1,
        le=MOST_TOKENS,
        description="output limit at inference, in tokens; null: for choices, which are not "
        "generated",
    )
    metrics: Annotated[tuple[str, ...], AfterValidator(once)] = Field(
        (), description="ids of metrics; none: each dataset has its own"
    )
    trivial_answers: Annotated[tuple[str, ...], AfterValidator(once)] = Field(
        (), description="answers that need no model, shown beside the models"
    )
    teacher_prompt: str | None = Field(
        None, description="Jinja2 text of what a teacher is asked, where the answer is its text"
    )
    datasets: dict[DatasetId, DatasetTemplate] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_known(self) -> "TaskSettings":
        try:
            taught = ANSWER_KINDS.find(self.answer, "'answer': ").taught
            for name in self.trivial_answers:
                answers = TRIVIAL_ANSWERS.find(name, "'trivial_answers': ").answers
                if self.answer not in answers:
                    raise SettingsError(
                        f"'trivial_answers': {name!r} is no answer of the kind {self.answer!r}; it "
                        f"gives {', '.join(answers)}"
                    )
        except SettingsError as error:
            raise ValueError(str(error)) from error
        if taught != (self.teacher_prompt is not None):
            raise ValueError(
                "'teacher_prompt' belongs to answers that a teacher writes, and only to them"
            )
        return self

    @model_validator(mode="after")
    def _choices_where_they_are_scored(self) -> "TaskSettings":
        chosen = self.answer == "choice"
        for name, belongs in (("choices", chosen), ("max_answer_tokens", not chosen)):
            if (getattr(self, name) is not None) != belongs:
                whose = "answers of the kind choice" if chosen else "answers that are generated"
                raise ValueError(
                    f"{name!r} is missing; {whose} need it"
                    if belongs
                    else f"{name!r} does not go with answers of the kind {self.answer!r}"
                )
        if isinstance(self.choices, tuple) and (fault := fault_of_choices(self.choices)):
            raise ValueError(f"'choices': {fault}")
        for name in self.trivial_answers:
            needed = TRIVIAL_ANSWERS[name].choices
            if chosen and needed and needed != self.source_of_choices:
                raise ValueError(
                    f"'trivial_answers': {name!r} does not go with choices that are "
                    f"{self.source_of_choices}"
                )
        return self

    @model_validator(mode="after")
    def _metrics_fit_the_answers(self) -> "TaskSettings":
        for dataset in self.datasets:
            names = self.metrics_of(dataset)
            if not names:
                raise ValueError(f"no metrics for {dataset}: name some under 'metrics'")
            for name in names:
                self._check_metric(name, dataset)
            self._check_ranges(dataset)
        return self

    def _check_ranges(self, dataset: str) -> None:
        ranges = self.datasets[dataset].ranges
        metrics = map(parse_metric, self.metrics_of(dataset))
        numbers = {m.attribute for m in metrics if m.attribute and m.kind.squared_error}
        if numbers != set(ranges):
            raise ValueError(
                f"datasets.{dataset}.ranges gives {sorted(ranges)}; it must give the lowest and "
                f"highest value of each attribute that has an rmse: {sorted(numbers)}"
            )
        for name, (low, high) in ranges.items():
            if not low < high:
                raise ValueError(
                    f"datasets.{dataset}.ranges.{name}: [{low:g}, {high:g}] is no range; the "
                    "lowest value stands first"
                )

    def _check_metric(self, name: str, dataset: str) -> None:
        try:
            metric = parse_metric(name)
        except SettingsError as error:
            raise ValueError(f"'metrics' of {dataset}: {error}") from error
        if self.answer not in metric.kind.reads:
            fitting = [kind.name for kind in METRICS.values() if self.answer in kind.reads]
            raise ValueError(
                f"'metrics' of {dataset}: {name!r} does not go with answers of kind "
                f"{self.answer!r}; allowed: {', '.join(fitting)}"
            )
        self._check_choice_metric(name, metric, dataset)
        known = self.datasets[dataset].attributes
        if (self.answer == "attributes") != bool(metric.attribute):
            raise ValueError(
                f"'metrics' of {dataset}: {name!r}: ':ATTRIBUTE' belongs to metrics of attributes, "
                "and only to them"
            )
        if metric.attribute and metric.attribute not in known:
            raise ValueError(
                f"'metrics' of {dataset}: {name!r} is about no attribute of the dataset; its "
                f"attributes: {', '.join(known)}"
            )

    def _check_choice_metric(self, name: str, metric: Metric, dataset: str) -> None:
        if metric.per_token and self.answer != "choice":
            raise ValueError(
                f"'metrics' of {dataset}: {name!r}: '{PER_TOKEN}' belongs to metrics of choices"
            )
        fixed = len(self.choices) if self.source_of_choices == "fixed" else 0  # type: ignore[arg-type]
        if metric.kind.choices and metric.kind.choices != fixed:
            raise ValueError(
                f"'metrics' of {dataset}: {name!r} needs exactly {metric.kind.choices} 'choices' "
                "in the task file"
            )

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
            return self.datasets[dataset]
        except KeyError:
            names = list(self.datasets)
            raise SettingsError(
                f"tasks/{self.task}.yaml: no template for dataset {dataset!r}."
                f"{nearest(dataset, names)} Templates: {', '.join(names)}."
            ) from None

    @property
    def source_of_choices(self) -> Literal["fixed", "candidates"] | None:
        """Where the choices come from; None where the answer is not chosen by likelihood."""
        if self.choices is None:
            return None
        return CANDIDATES if self.choices == CANDIDATES else "fixed"

    @property
    def has_candidates(self) -> bool:
        """Whether answers are made of an example's candidates."""
        return self.answer in _MADE_OF_CANDIDATES or self.source_of_choices == CANDIDATES

    @property
    def describes_items(self) -> bool:
        """Whether examples are about items, and not about users."""
        return bool(self.sampling.kind == "described_items")

    def metrics_of(self, dataset: str) -> tuple[str, ...]:
        """Return the metric names of one cell."""
        return self.of(dataset).metrics or self.metrics


def load_task(task: str, folders: Sequence[Path] = FOLDERS, where: str = "") -> TaskSettings:
    """Return what the file of a task says.

    folders: of configuration. where: the key or file that asks, for the error.

    Raises:
        SettingsError: no such task, a wrong key, or the file is about another task.
    """
    path = settings_file("tasks", task, folders, where)
    settings = load(TaskSettings, path)
    if settings.task != task:
        raise SettingsError(f"{path}: 'task' is {settings.task!r}; {task!r} is needed.")
    return settings


def load_tasks(
    tasks: Iterable[str] | None = None, folders: Sequence[Path] = FOLDERS
) -> dict[str, TaskSettings]:
    """Return tasks by id, all that have a file where none are named. Raises as load_task."""
    names = task_names(folders) if tasks is None else dict.fromkeys(tasks)
    return {name: load_task(name, folders) for name in names}


def task_names(folders: Sequence[Path] = FOLDERS) -> list[str]:
    """Return the ids of the tasks that have a file."""
    return list(settings_files("tasks", folders))


def prompt_texts(folders: Sequence[Path]) -> list[str]:
    """Return the descriptions and templates of all task files."""
    return [
        text
        for task in load_tasks(folders=folders).values()
        for text in (task.description, *(of.template for of in task.datasets.values()))
    ]
