"""The table of the dataset's statistics: examples and lengths of every task and dataset."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from itdr.reporting.formats.csv_files import Field
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet, Text, breaks_of
from itdr.reporting.tables import read_table
from itdr.settings.layout import Layout
from itdr.vocabulary import ROOT_OF, Part, Task

NAME = "dataset-statistics"
TITLE = "Statistics of the dataset"

_PAPER = ("task", "dataset", "examples", "mean_input_tokens", "mean_output_tokens",
          "evaluated_rows")  # fmt: skip
_OURS = (*Part, "examples_ours", "mean_prompt_tokens_ours", "mean_answer_tokens_ours")


def published_statistics(paper: Path) -> list[dict[str, Any]]:
    """Return the rows of config/paper/statistics.csv.

    Raises:
        MissingFileError, DataError: it is not there or lacks a column.
    """
    return read_table(paper / "statistics.csv", _PAPER, "It is part of the repository.")


def statistics_rows(
    published: Sequence[Mapping[str, Any]], run: Run
) -> tuple[tuple[str, ...], list[list[Field]]]:
    """Return heads and rows of the CSV file: as published and, in a run, ours beside it."""
    heads = ("root_task", *_PAPER, *(_OURS if run.audit else ()))
    rows: list[list[Field]] = []
    for row in published:
        evaluated = row["evaluated_rows"]
        line: list[Field] = [ROOT_OF[Task(row["task"])], row["task"], row["dataset"],
                             row["examples"], f"{row['mean_input_tokens']:.2f}",
                             f"{row['mean_output_tokens']:.2f}",
                             "" if isnan(evaluated) else int(evaluated)]  # fmt: skip
        rows.append(line + (_ours(row, run) if run.audit else []))
    return heads, rows


def statistics_sheet(published: Sequence[Mapping[str, Any]], run: Run, layout: Layout) -> Sheet:
    """Return the printed table with its sums."""
    columns = [("", "Root task"), ("", "Task"), ("", "Dataset"), ("", "Examples"),
               ("", "Input tokens"), ("", "Output tokens"), ("", "Evaluated rows")]  # fmt: skip
    notes = ["Tokens: means, by the tokenizer of DeepSeek-V3. Evaluated rows: test rows that the "
             "published rates fit, where they tell it."]  # fmt: skip
    if run.audit:
        columns = [(("paper" if i > 2 else ""), name) for i, (_, name) in enumerate(columns)]
        columns += [("ours", name) for name in ("Examples", "Train", "Validation", "Test",
                                                "Prompt tokens", "Answer tokens")]  # fmt: skip
        model = run.audit["lengths"][0]["model"] if run.audit["lengths"] else ""
        notes.append(f"Ours: tokens of {layout.model_title(model)}; the prompt holds the task's "
                     "description and the chat template." if model else
                     "Ours: no tokenizer was given to the audit.")  # fmt: skip
    rows = [
        _texts(row, line, layout, is_run=bool(run.audit))
        for row, line in zip(published, statistics_rows(published, run)[1], strict=True)
    ]
    total = [Text("all"), Text(""), Text(""), _count(sum(row["examples"] for row in published))]
    total += [Text("")] * (len(columns) - len(total))
    if run.audit:
        total[7] = _count(sum(run.examples.values()))
    rows.append(tuple(total))
    return Sheet(NAME, TITLE, tuple(columns), tuple(rows), tuple(notes), words=3,
                 breaks=breaks_of(rows))  # fmt: skip


def _texts(
    row: Mapping[str, Any], line: Sequence[Field], layout: Layout, *, is_run: bool
) -> tuple[Text, ...]:
    texts = [Text(str(line[0])), Text(row["task"]), Text(layout.dataset_title(row["dataset"]))]
    texts += [_count(row["examples"]), *(_mean(field) for field in line[4:6]), _count(line[6])]
    if is_run:
        train, val, test, examples, prompt, answer = line[7:]
        texts += [_count(field) for field in (examples, train, val, test)]
        texts += [_mean(prompt), _mean(answer)]
    return tuple(texts)


def _count(field: Field) -> Text:
    return Text("") if field == "" else Text(f"{int(field):,}", sort=float(field))


def _mean(field: Field) -> Text:
    return Text("") if field == "" else Text(f"{float(field):,.2f}", sort=float(field))


def _ours(row: Mapping[str, Any], run: Run) -> list[Field]:
    place = row["task"], row["dataset"]
    cell = next((c for c in run.audit["cells"] if (c["task"], c["dataset"]) == place), None)
    if cell is None:
        return [""] * len(_OURS)
    lengths = next((e for e in run.audit["lengths"] if (e["task"], e["dataset"]) == place), None)
    means = [f"{lengths[name]:.2f}" for name in ("mean_prompt", "mean_answer")] if lengths else []
    counts = [cell[part] for part in Part]
    return [*counts, sum(counts), *(means or ["", ""])]
