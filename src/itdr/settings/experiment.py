"""What config/config.yaml says: which cells are built, how models are trained and asked."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from itdr.errors import SettingsError
from itdr.places import PROJECT
from itdr.settings.audit import SHARED, AuditSettings
from itdr.settings.ids import ID, DatasetId, TaskId
from itdr.settings.reading import (
    MOST_MB,
    MOST_ROWS,
    MOST_TOKENS,
    PathText,
    Strict,
    check,
    load_yaml,
    once,
)
from itdr.settings.release import ReleasedAdapterSettings, ReleaseSettings
from itdr.settings.scoring import ScoringSettings
from itdr.settings.teacher import TeacherSettings
from itdr.settings.training import TrainingSettings
from itdr.settings.variant import VariantOptions
from itdr.vocabulary import SEED

_REPOSITORY = ("src", "config", "rules", "workflow", "envs", "tests", "docs", ".git", ".venv")


def _pair(text: str) -> str:
    task, slash, dataset = text.partition("/")
    if not slash or not re.fullmatch(ID, task):
        raise ValueError("must be TASK/DATASET, such as RP/movielens-32m")
    if not re.fullmatch(ID, dataset):
        raise ValueError("the dataset must be made of letters, digits, '.', '_' and '-'")
    return text


def _column(text: str) -> str:
    model, slash, variant = text.partition("/")
    if not (slash and model and variant):
        raise ValueError("must be MODEL/VARIANT, such as qwen2.5-7b/base")
    if not re.fullmatch(ID, model):
        raise ValueError(f"the model {model!r} must be made of letters, digits, '.', '_' and '-'")
    return text


def _results(text: str) -> str:
    """Refuse a folder that is no place for results, or that no path in a workflow can hold."""
    if not text.strip() or not text.isprintable() or text[0] == "-" or set(text) & set("{}"):
        raise ValueError(
            "a path of printable characters is needed that does not begin with '-' and holds no "
            "braces"
        )
    path = Path(text).resolve()
    here = Path.cwd()
    kept = [folder / name for folder in (here, PROJECT.resolve()) for name in _REPOSITORY]
    if here.is_relative_to(path) or any(path.is_relative_to(folder) for folder in kept):
        raise ValueError(
            f"a folder of its own is needed, neither above this one nor in {', '.join(_REPOSITORY)}"
        )
    if path.exists() and not path.is_dir():
        raise ValueError("a folder is needed; something else is there")
    return text


Pair = Annotated[str, AfterValidator(_pair)]
ColumnName = Annotated[str, AfterValidator(_column)]
Results = Annotated[PathText, AfterValidator(_results)]


class WorldSettings(Strict):
    """Size of the simulated world that stands in for downloads."""

    users: int = Field(ge=1, le=10**7, description="people, per dataset")
    items: int = Field(ge=20, le=10**6, description="films, per dataset")
    interactions_per_user: int = Field(
        ge=2, le=10**4, description="mean number of ratings per person"
    )


class NormaliseSettings(Strict):
    """How raw files become tables."""

    memory_limit_mb: int = Field(
        4096, ge=512, le=MOST_MB, description="memory to keep to in MB; the rest is spilled to disk"
    )


class BuildSettings(Strict):
    """How examples are drawn from the tables."""

    max_examples: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description="most examples per cell; null: as published, in config/tasks/",
    )
    negatives: Literal["uniform", "popularity", "available"] = Field(
        "available",
        description="how negatives, items that the user did not interact with, are drawn: "
        "'uniform', as in the paper, every item alike, also such as came later than what the user "
        "chose, which the audit counts; 'popularity', in proportion to how often it was chosen; "
        "'available', every item alike that existed by the time of the example's last positive, "
        "since somebody had interacted with it or its year of release was over",
    )
    memory_limit_mb: int = Field(
        3072,
        ge=256,
        le=MOST_MB,
        description="memory to sample with in MB; the rest is spilled to disk",
    )


class LimitedBuildSettings(BuildSettings):
    """How examples are drawn, with limits of single tasks."""

    max_examples_of: dict[TaskId, Annotated[int, Field(ge=1, le=MOST_ROWS)]] = Field(
        {}, description="other limits for single tasks, as 'TUI: 300'"
    )

    def of(self, task: str) -> BuildSettings:
        """Return how the examples of one task are drawn."""
        settings = self.model_dump(exclude={"max_examples_of"})
        limit = self.max_examples_of.get(task, self.max_examples)
        return BuildSettings(**settings | {"max_examples": limit})


class RecommendSettings(Strict):
    """What conventional recommenders see of the users that they are asked about."""

    history: Literal["whole", "shown"] = Field(
        "whole",
        description="what is seen of a test user: all interactions before the first item asked "
        "for, or the items alone that the example shows, which is what language models are told",
    )
    memory_limit_mb: int = Field(
        3072,
        ge=256,
        le=MOST_MB,
        description="memory to read tables with in MB; the rest is spilled to disk",
    )


class SplitSettings(Strict):
    """How examples are divided into train, val and test."""

    by: Literal["user", "example", "time", "position"] = Field(
        "user",
        description="what is divided: users (the described items for TUI), so that nobody is in "
        "two parts; examples, as the paper's authors seem to have done; position, which cuts the "
        "file of examples into three, as TALLRec's authors did; or time, so that all "
        "training examples lie before a moment and all test examples end after it (not for "
        "datasets without times: Anime, BookCrossing, Last.FM 360K and, in part, MIND)",
    )
    shares: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="shares of train, val and test"
    )

    @model_validator(mode="after")
    def _whole(self) -> "SplitSettings":
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError("shares must not be negative and must add up to 1")
        return self


class InferenceSettings(Strict):
    """How models answer the test rows. Decoding is greedy."""

    engine: Literal["auto", "vllm", "transformers", "api"] = Field(
        "auto",
        description="what answers: vllm, transformers, or api, the endpoint in a model's file; "
        "auto: the endpoint if there is one, else vllm for models on GPUs if it is installed, else "
        "transformers",
    )
    rows_per_cell: int = Field(
        250, ge=1, le=MOST_ROWS, description="test rows per task and dataset"
    )
    batch_size: int = Field(
        64, ge=1, le=2**16, description="most prompts per forward pass of transformers"
    )
    batch_tokens: int = Field(
        32768,
        ge=1,
        le=MOST_TOKENS,
        description="most tokens per forward pass of transformers, answers included",
    )
    batches_at_once: int = Field(
        1,
        ge=1,
        le=256,
        description="forward passes of transformers at the same time, each on its share of the "
        "processors and of batch_tokens: a tiny model leaves processors idle",
    )
    max_length: int = Field(
        8192, ge=16, le=MOST_TOKENS, description="longest prompt and answer in tokens"
    )
    answer_limit: int | None = Field(
        None,
        ge=1,
        le=MOST_TOKENS,
        description="output limit in tokens, where the task's own is higher",
    )


class Experiment(Strict):
    """A whole experiment: one configuration file, or a file laid over config/config.yaml."""

    paper: str | None = Field(
        None,
        pattern=f"^{ID}$",
        description="whose published values stand beside ours, and whose variants and tables "
        "there are: a folder in config/papers/; null: nobody's",
    )
    variants: dict[str, VariantOptions] = Field(
        {},
        description="variants by id beside base (not fine-tuned), tuned (fine-tuned on all pairs), "
        "released (the authors' adapter) and those of the paper, as 'half: {tasks: [RP, TKR], "
        "share: 0.5, description: true}'",
    )
    results: Results = Field("results", description="folder for everything that is made")
    seed: int = Field(
        SEED,
        ge=0,
        lt=2**32,
        description="seed of simulation, sampling, split, mixtures, training, answers without a "
        "model and recommenders; language models answer greedily, and the resamples of intervals "
        "have their own, scoring.seed. A file asked for by another number, such as "
        "results/scores/MODEL/VARIANT/43.csv, has that seed in its mixture and training, on the "
        "same examples",
    )
    pairs: Annotated[tuple[Pair, ...], AfterValidator(once)] = Field(
        min_length=1,
        description="cells to build, as TASK/DATASET; each needs a template in "
        "config/tasks/TASK.yaml",
    )
    columns: Annotated[tuple[ColumnName, ...], AfterValidator(once)] = Field(
        description="columns of the tables, as MODEL/VARIANT: base is the model as published by "
        "its makers, tuned is fine-tuned on all pairs, released has the authors' adapter; "
        "'variants' and the paper's variants.csv have the others. Each model needs "
        "config/models/MODEL.yaml; the paper's layout.yaml says "
        "which table a column belongs to"
    )
    trivial_answers: Annotated[tuple[str, ...], AfterValidator(once)] | None = Field(
        None,
        description="answers that need no model, shown beside the models: null for all that the "
        "files of the tasks name under 'trivial_answers', or a list of some of them; 'itdr trivial "
        "--help' says what each is",
    )
    recommenders: tuple[str, ...] | None = Field(
        None,
        description="conventional recommenders, shown beside the models where they give a task's "
        "kind of answer and trained on interactions before each example's cut; null: all whose "
        "libraries are installed, or a list of some of them. 'itdr recommend --help' says what "
        "each is; mf, als, bpr, linear and nearest-text need the package's extra 'recommenders'",
    )
    data: Literal["rebuilt", "released"] = Field(
        "rebuilt",
        description="where examples come from: rebuilt from the raw files of the source datasets, "
        "or released, the authors' own files as the paper's release_manifest.csv lists them",
    )
    release: ReleaseSettings = ReleaseSettings()
    released_adapters: ReleasedAdapterSettings = ReleasedAdapterSettings()
    config_folders: tuple[PathText, ...] = Field(
        (),
        description="folders with datasets/ and tasks/ of your own, beside config/; "
        "docs/how-to/add-a-dataset.md has an example",
    )
    raw_folders: dict[DatasetId, PathText] = Field(
        {},
        description="local folders to take raw files from instead of downloading, as "
        "'movielens-1m: /data/ml-1m'",
    )
    most_download_gb: float = Field(
        1.0,
        ge=0,
        le=10**6,
        description="most GB that a run may download, by the estimate of 'itdr plan'; more ends "
        "the run before it begins, with what it would download. All of the paper's needs about 120",
    )
    simulated_world: WorldSettings | None = Field(
        None,
        description="sizes of a simulated world whose raw files stand in for downloads that "
        "raw_folders does not name; null: the real data",
    )
    normalise: NormaliseSettings = NormaliseSettings()
    build: LimitedBuildSettings = LimitedBuildSettings()
    teacher: TeacherSettings = TeacherSettings()
    split: SplitSettings = SplitSettings()
    audit: AuditSettings = AuditSettings()
    training: TrainingSettings = TrainingSettings()
    inference: InferenceSettings = InferenceSettings()
    recommend: RecommendSettings = RecommendSettings()
    scoring: ScoringSettings = ScoringSettings()

    @model_validator(mode="after")
    def _division_is_tolerated(self) -> "Experiment":
        missing = [check for check in SHARED if check not in self.audit.tolerate]
        if self.split.by in ("example", "position") and missing:
            raise ValueError(
                f"split.by {self.split.by} puts the same users and items into several parts, so "
                f"audit.tolerate must name {' and '.join(missing)} for the build to go on"
            )
        return self


def load_experiment(
    files: Sequence[Path], overrides: Mapping[str, Any] | None = None
) -> Experiment:
    """Return the experiment that YAML files describe, each laid over the one before it.

    Mappings are merged key by key; everything else is replaced. `overrides` come last (Snakemake's
    --config).

    Raises:
        MissingFileError, SettingsError: with the file that a wrong key or value stands in.
    """
    layers: list[tuple[str, Mapping[str, Any]]] = [(str(path), load_yaml(path)) for path in files]
    layers.append(("--config", overrides or {}))
    merged: dict[str, Any] = {}
    for _, layer in layers:
        merged = laid_over(merged, layer)
    try:
        return check(Experiment, merged, "")
    except SettingsError as error:
        lines = [_with_file(line, layers) for line in str(error).splitlines()]
        raise SettingsError("\n".join(lines)) from error


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping laid over another: mappings inside key by key, all else replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = laid_over(under, value) if both else value  # type: ignore[arg-type]
    return merged


def _with_file(line: str, layers: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Put the name of the last file that holds the key of an error in front of it."""
    key = line.split("'")[1] if "'" in line else ""
    for name, layer in reversed(layers):
        value: Any = layer
        for part in key.split("."):
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                break
        else:
            return name + line
    return layers[0][0] + line
