"""The names that the whole project shares, spelled as in config/paper/."""

from enum import StrEnum


class Task(StrEnum):
    """The seven subtasks."""

    RP = "RP"
    TKR = "TKR"
    CDR = "CDR"
    NIR = "NIR"
    UAP = "UAP"
    IR = "IR"
    TUI = "TUI"


class RootTask(StrEnum):
    """The two root tasks: user-item interaction and user-item understanding."""

    UII = "UII"
    UIU = "UIU"


ROOT_OF = {
    Task.RP: RootTask.UII,
    Task.TKR: RootTask.UII,
    Task.CDR: RootTask.UII,
    Task.NIR: RootTask.UII,
    Task.UAP: RootTask.UIU,
    Task.IR: RootTask.UIU,
    Task.TUI: RootTask.UIU,
}

TASK_TITLES = {
    Task.RP: "Rating Prediction",
    Task.TKR: "Top-K Recommendation",
    Task.CDR: "Cross-Domain Recommendation",
    Task.NIR: "Next Item Recommendation",
    Task.UAP: "User Attribute Prediction",
    Task.IR: "Interest Recognition",
    Task.TUI: "Target User Identification",
}


class Baseline(StrEnum):
    """The trivial answers, which need no model; itdr.evaluation.baselines says what they are."""

    GLOBAL_MEAN = "global-mean"
    USER_MEAN = "user-mean"
    RANDOM = "random"
    POPULARITY = "popularity"
    SAME_CATEGORY = "same-category"
    MAJORITY = "majority"
    FREQUENT_TEXT = "frequent-text"
    TEMPLATE_FILL = "template-fill"


_CHOICES = (Task.TKR, Task.CDR, Task.NIR)

BASELINE_TASKS = {
    Baseline.GLOBAL_MEAN: (Task.RP,),
    Baseline.USER_MEAN: (Task.RP,),
    Baseline.RANDOM: _CHOICES,
    Baseline.POPULARITY: _CHOICES,
    Baseline.SAME_CATEGORY: _CHOICES,
    Baseline.MAJORITY: (Task.UAP,),
    Baseline.FREQUENT_TEXT: (Task.IR, Task.TUI),
    Baseline.TEMPLATE_FILL: (Task.IR, Task.TUI),
}
"""The tasks that each of them answers."""


class Dataset(StrEnum):
    """The 13 source datasets."""

    MOVIELENS_32M = "movielens-32m"
    MOVIELENS_1M = "movielens-1m"
    BOOKCROSSING = "bookcrossing"
    ANIME_2023 = "anime-2023"
    YELP = "yelp"
    AMAZON_2023 = "amazon-2023"
    AMAZON_BOOKS = "amazon-books"
    MICROLENS = "microlens"
    PIXELREC = "pixelrec"
    MIND = "mind"
    STEAM = "steam"
    LASTFM_1K = "lastfm-1k"
    LASTFM_360K = "lastfm-360k"


class Part(StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


REPAIRED = "-repaired"
"""What stands behind a metric of lists whose faults have been repaired."""


def lower_is_better(metric: str) -> bool:
    """Say whether a smaller value of the metric is the better one."""
    return metric.startswith("rmse")
