"""The main table: our scores with their intervals beside the published values."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from itdr.errors import DataError, MissingFileError
from itdr.storage import atomic_file, write_text
from itdr.vocabulary import Dataset, Task

COLUMNS = (
    "table",
    "model",
    "variant",
    "task",
    "dataset",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "n_unreadable",
    "paper_value",
)
"""Columns of a long table, one row per value.

table, model, variant, task, dataset, metric: as in config/paper/results.csv; the model is "trivial"
for answers that need no model. value with its interval ci_low to ci_high: strict reading, in the
paper's units. n: answers scored; n_unreadable: how many of them could not be read.
paper_value: as published, empty where the paper has none.
"""

_SCORE_COLUMNS = ("task", "dataset", "reading", "metric", "value", "ci_low", "ci_high", "n",
                  "n_unreadable")  # fmt: skip
_KEY = ["model", "variant", "task", "dataset", "metric"]


def main_table(scores: Sequence[Path], paper: Path) -> pd.DataFrame:
    """Return the main table (COLUMNS) of score files laid out as MODEL/VARIANT/SEED.csv.

    Rows go by task, dataset, metric, then by the order of the files.

    Raises:
        MissingFileError, DataError: a file is not there or lacks a column.
    """
    ours = pd.concat([_scores(path) for path in scores], ignore_index=True)
    ours = ours[ours["reading"] == "strict"]
    published = _read(paper, ("table", *_KEY, "value"))
    published = published[published["table"] == "main"]
    published = published.rename(columns={"value": "paper_value"})[[*_KEY, "paper_value"]]
    table = ours.merge(published, on=_KEY, how="left").assign(table="main")
    for name, words in (("task", list(map(str, Task))), ("dataset", list(map(str, Dataset)))):
        table[f"{name}_rank"] = table[name].map({word: i for i, word in enumerate(words)})
    table["metric_rank"] = table.groupby(["task", "dataset"])["metric"].transform(
        lambda metrics: pd.factorize(metrics)[0]
    )
    by = ["task_rank", "dataset_rank", "metric_rank"]
    return table.sort_values(by, kind="stable")[list(COLUMNS)].reset_index(drop=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a long table as CSV with six decimals."""
    with atomic_file(path) as part:
        table.to_csv(part, index=False, float_format="%.6f", quoting=csv.QUOTE_MINIMAL,
                     lineterminator="\n")  # fmt: skip


def write_markdown(table: pd.DataFrame, path: Path) -> None:
    """Write a long table as Markdown: a row per metric, a column per model and variant."""
    columns = list(dict.fromkeys(zip(table["model"], table["variant"], strict=True)))
    models = [column for column in columns if column[0] != "trivial"]
    heads = ["Task", "Dataset", "Metric", *(f"{m} {v}" for m, v in models), "trivial"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for cell, rows in table.groupby(["task", "dataset", "metric"], sort=False):
        cells = {(row["model"], row["variant"]): _cell(row) for _, row in rows.iterrows()}
        trivial = [cells[c] + " " + c[1] for c in columns if c[0] == "trivial" and c in cells]
        values = [cells.get(column, "") for column in models]
        lines.append("| " + " | ".join(map(str, (*cell, *values, "<br>".join(trivial)))) + " |")
    text = "\n".join(lines)
    write_text(
        path,
        f"{text}\n\nEach value stands with its bootstrap interval; 'unreadable' counts answers "
        "that are not in the asked-for form. A published value follows where the paper has one.\n",
    )


def _cell(row: pd.Series) -> str:
    value, low, high = row["value"], row["ci_low"], row["ci_high"]
    text = "-" if pd.isna(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]"
    if row["n_unreadable"]:
        text += f", {row['n_unreadable']} of {row['n']} unreadable"
    return text if pd.isna(row["paper_value"]) else f"{text}, paper {row['paper_value']:g}"


def _scores(path: Path) -> pd.DataFrame:
    model, variant = path.parts[-3:-1]
    return _read(path, _SCORE_COLUMNS).assign(model=model, variant=variant)


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Run 'itdr score' first.")
    frame = pd.read_csv(path)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(frame.columns)}; "
            f"needed {', '.join(columns)}."
        )
    return frame
