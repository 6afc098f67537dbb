"""A result table: rows of cells in the paper's order, each with ours, theirs and the marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

from itdr.reporting.results import Key, Published, Results, Score
from itdr.settings.metric import lower_is_better
from itdr.settings.paper import Column, Layout


@dataclass(frozen=True)
class Cell:
    """What one model and variant reached in one row.

    score: ours; None where it is missing or there is no run. published: None where the paper has
    none. best, best_published: whether no other column of the table is better. trivial: whether an
    answer that needs no model is at least as good as ours.
    """

    score: Score | None
    published: Published | None
    best: bool = False
    best_published: bool = False
    trivial: bool = False

    @property
    def difference(self) -> float | None:
        """Ours minus theirs, where both are there."""
        if self.score is None or self.published is None or isnan(self.score.value):
            return None
        return self.score.value - self.published.value

    @property
    def inside(self) -> bool | None:
        """Whether the published value lies inside our interval, where both are there."""
        if self.score is None or self.published is None or isnan(self.score.low):
            return None
        return self.score.low <= self.published.value <= self.score.high


@dataclass(frozen=True)
class Row:
    """One task, dataset and metric.

    trivial: the best answer that needs no model, with its name.
    """

    key: Key
    cells: tuple[Cell, ...]
    trivial: tuple[str, Score] | None


@dataclass(frozen=True)
class Grid:
    """One table. is_run: whether it shows our values; else the published ones stand alone."""

    name: str
    title: str
    is_run: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def missing(self) -> list[tuple[Column, Key]]:
        """The cells of a run without a score of ours."""
        return [
            (column, row.key)
            for row in self.rows
            for column, cell in zip(self.columns, row.cells, strict=True)
            if self.is_run and cell.score is None
        ]

    @property
    def flagged(self) -> list[tuple[Column, Key, str]]:
        """The published values of the table that cannot be right as printed, with the reason."""
        return [
            (column, row.key, cell.published.flag)
            for row in self.rows
            for column, cell in zip(self.columns, row.cells, strict=True)
            if cell.published and cell.published.flag
        ]


def grid(results: Results, layout: Layout, name: str, *, unprinted: bool = False) -> Grid:
    """Return a table of the layout.

    unprinted: with the rows of ours that the paper does not print, such as rmse-midpoint.
    """
    columns = layout.columns_of(name, results.columns)
    keys = results.all_rows if unprinted else results.rows
    rows = tuple(_row(results, key, columns) for key in keys) if columns else ()
    return Grid(name, layout.tables[name].title, results.is_run, tuple(columns), rows)


def _row(results: Results, key: Key, columns: Sequence[Column]) -> Row:
    scores = [results.scores.get(column, {}).get(key) for column in columns]
    published = [results.published.get(column, {}).get(key) for column in columns]
    best = _best([score.value if score else None for score in scores], key)
    best_published = _best([value.value if value else None for value in published], key)
    trivial = results.best_trivial(key)
    return Row(
        key,
        tuple(
            Cell(
                score,
                value,
                best=score is not None and best(score.value),
                best_published=value is not None and best_published(value.value),
                trivial=bool(score and trivial) and not _beats(score, trivial, key[2]),
            )
            for score, value in zip(scores, published, strict=True)
        ),
        trivial,
    )


def _best(values: Sequence[float | None], key: Key) -> Callable[[float], bool]:
    """Return the test whether a value is the best; where all are the same none is."""
    known = [value for value in values if value is not None and not isnan(value)]
    if len(set(known)) < 2:
        return lambda _: False
    limit = (min if lower_is_better(key[2]) else max)(known)
    return lambda value: value == limit


def _beats(score: Score | None, trivial: tuple[str, Score] | None, metric: str) -> bool:
    if score is None or trivial is None or isnan(score.value):
        return False
    value, other = score.value, trivial[1].value
    return value < other if lower_is_better(metric) else value > other
