"""Answering the test examples of all cells with one conventional recommender."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import SettingsError
from itdr.files.formats import read_parquet
from itdr.instructions.protocol import Protocol, read_protocol
from itdr.instructions.record import PREDICTION, RECORD, reference_columns
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.provenance import Maker
from itdr.recommenders.answers import Answerer, Record, by_scores, from_examples
from itdr.recommenders.methods import find_method
from itdr.recommenders.visible import visible_interactions
from itdr.settings.experiment import RecommendSettings

log = logging.getLogger("itdr")


@dataclass(frozen=True)
class Sources:
    """What recommenders learn from.

    tables: folder with a folder of tables per dataset; None where there are none, as for released
        examples. train: training parts. settings: what is seen of test users.
    """

    tables: Path | None
    train: Sequence[Path]
    settings: RecommendSettings = field(default_factory=RecommendSettings)


def recommend(
    name: str,
    test: Sequence[Path],
    sources: Sources,
    *,
    folders: Sequence[Path],
    rows_per_cell: int,
    seed: int,
) -> pa.Table:
    """Return a recommender's answers to the first rows of the test parts (columns: PREDICTION).

    Args:
        name: one of METHODS.
        test: test parts, one cell each. Those whose kind of answer the recommender does not give
            are passed over.
        sources: what it learns from.
        folders: of configuration, with the task files.
        rows_per_cell: rows of each part to answer; what may be seen depends on all of them.
        seed: of first weights, of what is drawn and of ties.

    Raises:
        SettingsError: unknown recommender, its packages are missing, or it answers no cell.
        MissingFileError, DataError: a file is not there or not in its form.
    """
    method = find_method(name)
    maker = Maker(engine=name, seed=seed)
    answers: list[dict[str, Any]] = []
    for cell in (_cell(path, folders) for path in test):
        if cell is None or cell.task.answer not in method.answers:
            continue
        started = time.perf_counter()
        answer, sees = _learnt(name, cell, sources, seed)
        protocol = str(cell.protocol.seeing(sees))
        shared = maker.columns | {"finish_reason": "stop", "protocol": protocol}
        answers += [
            reference_columns(row) | {"answer": answer(row)} | shared
            for row in cell.rows[:rows_per_cell]
        ]
        taken = time.perf_counter() - started
        log.info("%s: %s/%s in %.1f s", name, cell.task.task, cell.dataset, taken)
    if not answers:
        raise SettingsError(
            f"recommender {name} gives answers of the kind {' or '.join(method.answers)}; none of "
            "the test parts asks for that."
        )
    return pa.Table.from_pylist(answers, schema=PREDICTION)


@dataclass(frozen=True)
class _Cell:
    """A test part: all its rows, whether they are answered or not."""

    task: TaskSettings
    dataset: str
    rows: Sequence[Record]
    protocol: Protocol


def _cell(path: Path, folders: Sequence[Path]) -> _Cell | None:
    """Return what a test part holds; None where it has no rows."""
    rows = read_parquet(path, RECORD).to_pylist()
    if not rows:
        return None
    return _Cell(load_task(rows[0]["task"], folders), rows[0]["dataset"], rows, read_protocol(path))


def _learnt(name: str, cell: _Cell, sources: Sources, seed: int) -> tuple[Answerer, str]:
    """Return what answers the examples of a cell, and what it has seen, in words."""
    make = find_method(name).make
    if make is None:
        train = [
            row
            for path in sources.train
            for row in read_parquet(path, RECORD).to_pylist()
            if (row["task"], row["dataset"]) == (cell.task.task, cell.dataset)
        ]
        answer = from_examples(cell.task, cell.dataset, train)
        return answer, "the training examples and the input"
    if sources.tables is None:
        raise SettingsError(f"recommender {name} learns from interactions: give --tables.")
    visible = visible_interactions(
        sources.tables / cell.dataset,
        cell.rows,
        before=cell.protocol.test_begins,
        shown_alone=sources.settings.history == "shown",
        memory_limit_mb=sources.settings.memory_limit_mb,
    )
    model = make(seed)
    model.fit(visible.interactions)
    others = "others' interactions" + (" before that" if cell.protocol.test_begins else "")
    own = "before the target" if sources.settings.history == "whole" else "shown"
    answer = by_scores(model, visible, cell.task, cell.dataset, seed)
    return answer, f"{others}, the user's own {own}"
