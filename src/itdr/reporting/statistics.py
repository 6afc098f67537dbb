"""The table of the dataset's statistics: examples and lengths of every task and dataset."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any, TypeVar

from itdr.instructions.tasks import TaskSettings
from itdr.reporting.findings import SIMULATED
from itdr.reporting.formats.csv_files import Field
from itdr.reporting.printing import task_title, tasks_note
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet, TableCell, breaks_of
from itdr.reporting.tables import Columns, read_table
from itdr.settings.paper import Layout
from itdr.vocabulary import Part

T = TypeVar("T")

NAME = "dataset-statistics"
TITLE = "Statistics of the dataset"

_PAPER = ("task", "dataset", "examples", "mean_input_tokens", "mean_output_tokens",
          "evaluated_rows")  # fmt: skip
_OURS = (*Part, "examples_ours", "mean_prompt_tokens_ours", "mean_answer_tokens_ours")


def published_statistics(paper: Path | None) -> list[dict[str, Any]]:
    """Return the rows of a paper's statistics.csv; without a paper there are none.

    Raises:
        MissingFileError, DataError: it is not there or lacks a column.
    """
    if paper is None:
        return []
    columns = Columns(texts=_PAPER[:2], counts=_PAPER[2:3], numbers=_PAPER[3:])
    return read_table(paper / "statistics.csv", columns, "It is part of the repository.")


def statistics_rows(
    published: Sequence[Mapping[str, Any]], run: Run, tasks: Mapping[str, TaskSettings]
) -> tuple[tuple[str, ...], list[list[Field]]]:
    """Return heads and rows of the CSV file: as published and, in a run, ours beside it.

    What the paper has comes first, in its order, then what the run alone has.
    """
    heads = ("root_task", *_PAPER, *(_OURS if run.audit else ()))
    by_cell = {(row["task"], row["dataset"]): row for row in published}
    rows: list[list[Field]] = []
    for task, dataset in dict.fromkeys([*by_cell, *run.examples]):
        root = tasks[task].root_task if task in tasks else None
        line: list[Field] = [root or "", task, dataset]
        line += _theirs(by_cell[task, dataset]) if (task, dataset) in by_cell else [""] * 4
        rows.append(line + (_ours((task, dataset), run) if run.audit else []))
    return heads, rows


def _theirs(row: Mapping[str, Any]) -> list[Field]:
    evaluated = row["evaluated_rows"]
    return [row["examples"], f"{row['mean_input_tokens']:.2f}",
            f"{row['mean_output_tokens']:.2f}",
            "" if isnan(evaluated) else int(evaluated)]  # fmt: skip


def statistics_sheet(
    published: Sequence[Mapping[str, Any]],
    run: Run,
    layout: Layout,
    tasks: Mapping[str, TaskSettings],
) -> Sheet:
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
        _texts(line, layout, tasks, is_run=bool(run.audit))
        for line in statistics_rows(published, run, tasks)[1]
    ]
    total = [
        TableCell("all"),
        TableCell(""),
        TableCell(""),
        _count(sum(row["examples"] for row in published)),
    ]
    total += [TableCell("")] * (len(columns) - len(total))
    if run.audit:
        total[7] = _count(sum(run.examples.values()))
    rows.append(total)
    notes += tasks_note(dict.fromkeys(row[1].main for row in rows[:-1]), tasks)
    if not published:
        columns, rows, notes = _without_paper(columns), list(map(_without_paper, rows)), notes[1:]
    said = SIMULATED if run.origins.simulated else ""
    return Sheet(NAME, TITLE, tuple(columns), tuple(map(tuple, rows)), tuple(notes), words=3,
                 labels=3, breaks=breaks_of(rows), said=said)  # fmt: skip


def _without_paper(line: Sequence[T]) -> list[T]:
    """Return a row or the heads without the four places of published values."""
    return [*line[:3], *line[7:]]


def _texts(
    line: Sequence[Field], layout: Layout, tasks: Mapping[str, TaskSettings], *, is_run: bool
) -> list[TableCell]:
    root, task = str(line[0]), str(line[1])
    texts = [
        TableCell(root, long=layout.root_tasks.get(root, root)),
        TableCell(task, long=task_title(task, tasks)),
        TableCell(layout.dataset_title(str(line[2]))),
    ]
    texts += [_count(line[3]), *(_mean(field) for field in line[4:6]), _count(line[6])]
    if is_run:
        train, val, test, examples, prompt, answer = line[7:]
        texts += [_count(field) for field in (examples, train, val, test)]
        texts += [_mean(prompt), _mean(answer)]
    return texts


def _count(field: Field) -> TableCell:
    return TableCell("") if field == "" else TableCell(f"{int(field):,}", sort=float(field))


def _mean(field: Field) -> TableCell:
    return TableCell("") if field == "" else TableCell(f"{float(field):,.2f}", sort=float(field))


def _ours(place: tuple[str, str], run: Run) -> list[Field]:
    cell = next((c for c in run.audit["cells"] if (c["task"], c["dataset"]) == place), None)
    if cell is None:
        return [""] * len(_OURS)
    lengths = next((e for e in run.audit["lengths"] if (e["task"], e["dataset"]) == place), None)
    means = [f"{lengths[name]:.2f}" for name in ("mean_prompt", "mean_answer")] if lengths else []
    counts = [cell[part] for part in Part]
    return [*counts, sum(counts), *(means or ["", ""])]
