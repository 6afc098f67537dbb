"""A result table: rows of cells in the paper's order, each with ours, theirs and the marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isnan

from itdr.reporting.comparisons import NOTHING_COMPARED, Comparisons, Pair
from itdr.reporting.results import Published, Results
from itdr.reporting.scores import Key, Score
from itdr.settings.metric import lower_is_better
from itdr.settings.paper import TRIVIAL, Column, Layout


@dataclass(frozen=True)
class Cell:
    """What one model and variant reached in one row.

    score: ours; None where it is missing or there is no run. published: None where the paper has
    none, published_n: how many examples it was taken over. best, best_published: whether no other
    column of the table is better. below_baseline: whether some baseline cannot be told to be worse
    than ours. against_baseline: how ours differs from the best of them. group: letters that columns
    share which cannot be told apart.
    """

    score: Score | None
    published: Published | None
    published_n: int = 0
    best: bool = False
    best_published: bool = False
    below_baseline: bool = False
    against_baseline: Pair | None = None
    group: str = ""

    @property
    def difference(self) -> float | None:
        """Ours minus theirs, where both are there."""
        if self.score is None or self.published is None or isnan(self.score.value):
            return None
        return self.score.value - self.published.value

    @property
    def inside(self) -> bool | None:
        """Whether the published value lies where that of a replication would, if that is known."""
        if self.score is None or self.published is None:
            return None
        return self.score.holds(self.published.value, self.published_n)


@dataclass(frozen=True)
class TableRow:
    """One task, dataset and metric.

    baseline: the best of trivial answers and recommenders, with its name. published: what the paper
    prints in this row, in all of its columns, over published_n examples; nothing beside simulated
    data. pairs: how our columns differ.
    """

    key: Key
    cells: tuple[Cell, ...]
    baseline: tuple[str, Score] | None
    published: tuple[float, ...] = ()
    published_n: int = 0
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Grid:
    """One table.

    is_run: whether it shows our values; else the published ones stand alone. simulated: whether
    examples of the run are.
    """

    name: str
    title: str
    is_run: bool
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    simulated: bool = False

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


def grid(
    results: Results,
    layout: Layout,
    name: str,
    comparisons: Comparisons = NOTHING_COMPARED,
    *,
    unprinted: bool = False,
) -> Grid:
    """Return a table of the layout.

    comparisons: of the table's columns. unprinted: with the rows of ours that the paper does not
    print, such as rmse-midpoint.
    """
    columns = layout.columns_of(name, results.columns)
    keys = results.all_rows if unprinted else results.rows
    rows = tuple(_row(results, key, columns, comparisons) for key in keys) if columns else ()
    simulated = bool(results.origins.simulated)
    return Grid(name, layout.tables[name].title, results.is_run, tuple(columns), rows, simulated)


def _row(
    results: Results, key: Key, columns: Sequence[Column], comparisons: Comparisons
) -> TableRow:
    scores = [results.scores.get(column, {}).get(key) for column in columns]
    published = [results.beside.get(column, {}).get(key) for column in columns]
    best = _best([score.judged if score else None for score in scores], key)
    best_published = _best([value.value if value else None for value in published], key)
    baseline = results.best_baseline(key)
    others = [(TRIVIAL, name) for name in results.baselines(key)]
    groups = _groups(key, columns, scores, comparisons)
    cells = []
    for column, score, value in zip(columns, scores, published, strict=True):
        better = comparisons.beats(key, column, others)
        if better is None:
            better = _beats(score, baseline, key[2])
        cells.append(
            Cell(
                score,
                value,
                results.published_n(key),
                best=score is not None and best(score.judged),
                best_published=value is not None and best_published(value.value),
                below_baseline=bool(score and baseline) and not better,
                against_baseline=comparisons.pair(key, column, (TRIVIAL, baseline[0]))
                if baseline
                else None,
                group=groups.get(column, ""),
            )
        )
    pairs = [comparisons.pair(key, one, other) for one, other in combinations(columns, 2)]
    return TableRow(
        key,
        tuple(cells),
        baseline,
        tuple(cells[key].value for cells in results.beside.values() if key in cells),
        results.published_n(key),
        tuple(pair for pair in pairs if pair),
    )


def _groups(
    key: Key, columns: Sequence[Column], scores: Sequence[Score | None], comparisons: Comparisons
) -> dict[Column, str]:
    """Return the letters of the columns with a score."""
    known = [(score.judged, column) for score, column in zip(scores, columns, strict=True)
             if score and not isnan(score.judged)]  # fmt: skip
    known.sort(reverse=not lower_is_better(key[2]), key=lambda item: item[0])
    return comparisons.letters(key, [column for _, column in known]) if len(known) > 1 else {}


def _best(values: Sequence[float | None], key: Key) -> Callable[[float], bool]:
    """Return the test whether a value is the best; where all are the same none is."""
    known = [value for value in values if value is not None and not isnan(value)]
    if len(set(known)) < 2:
        return lambda _: False
    limit = (min if lower_is_better(key[2]) else max)(known)
    return lambda value: value == limit


def _beats(score: Score | None, baseline: tuple[str, Score] | None, metric: str) -> bool:
    if score is None or baseline is None or isnan(score.judged):
        return False
    value, other = score.judged, baseline[1].judged
    return value < other if lower_is_better(metric) else value > other
