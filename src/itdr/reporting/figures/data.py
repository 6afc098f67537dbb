"""What figures are drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from itdr.instructions.tasks import TaskSettings
from itdr.reporting.figures.bars import Bar
from itdr.reporting.figures.style import cycled
from itdr.reporting.results import Results, Total
from itdr.reporting.run import Loss
from itdr.settings.paper import Column, Layout


class NothingToDrawError(Exception):
    """A figure has no data; the message says which is missing."""


@dataclass(frozen=True)
class FigureData:
    """All that figures show.

    Attributes:
        results: scores and published values.
        layout: order and printed names.
        published_statistics: one row of a paper's statistics.csv each.
        tasks: by id, in the order of the tables.
        examples: task and dataset to the number of examples built, all parts; empty without a run.
        lengths: the entries "lengths" of audit.json.
        losses: column to the losses of its training.
        reliability: column to the rows of its file of itdr.evaluation.reliability.
        simulated: whether examples of the run are, which every figure then says.
    """

    results: Results
    layout: Layout
    published_statistics: Sequence[Mapping[str, Any]]
    tasks: Mapping[str, TaskSettings] = field(default_factory=dict)
    examples: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lengths: Sequence[Mapping[str, Any]] = ()
    losses: Mapping[Column, Sequence[Loss]] = field(default_factory=dict)
    simulated: bool = False
    reliability: Mapping[Column, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def published_examples(self) -> dict[tuple[str, str], int]:
        """Task and dataset to the published number of examples."""
        return {(row["task"], row["dataset"]): row["examples"]
                for row in self.published_statistics}  # fmt: skip

    @property
    def aggregates(self) -> list[str]:
        """The names of the aggregates.

        Raises:
            NothingToDrawError: there are none.
        """
        if not self.layout.aggregates:
            raise NothingToDrawError("no aggregate is defined")
        return list(self.layout.aggregates)

    def task_colour(self, task: str) -> str:
        """Return the colour of a task, the same in every figure."""
        return cycled(list(self.tasks).index(task)) if task in self.tasks else cycled(-1)

    def model_colour(self, model: str) -> str:
        """Return the colour of a model, the same in every figure."""
        known = [*self.layout.models, *(model for model, _ in self.results.columns)]
        return cycled(list(dict.fromkeys(known)).index(model))

    def columns(self, table: str) -> list[Column]:
        """Return the columns of a table: of the run and, where it has none, the published ones.

        Raises:
            NothingToDrawError: there is no such table.
        """
        if table not in self.layout.tables:
            raise NothingToDrawError(f"there is no table {table!r}")
        found = self.layout.columns_of(table, self.results.columns)
        return found or self.layout.columns_of(table, self.results.beside)

    def bars(self, column: Column, aggregate: str, colour: str) -> list[Bar]:
        """Return the bars of an aggregate of a column: ours in a run, and the published one."""
        found = []
        if column in self.results.scores:
            total = self.results.aggregates.get(column, {}).get(aggregate, Total(missing="scores"))
            value, missing = total.value, total.missing
            why = f"lacks {missing.split()[0].split(':')[0]}" if isnan(value) and missing else ""
            found.append(Bar(value, colour, published=False, why=why))
        published = self.results.aggregates_beside.get(column)
        if published:
            found.append(Bar(published[aggregate], colour, published=True))
        return found
