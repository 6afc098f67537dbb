"""Writing the report: tables in every format, figures, and the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from itdr.files.formats import read_json, write_text
from itdr.instructions.tasks import TaskSettings
from itdr.reporting.aggregates import aggregate_rows, aggregate_sheet
from itdr.reporting.comparisons import NOTHING_COMPARED, Comparisons
from itdr.reporting.formats.csv_files import write_compared, write_long, write_rows, write_wide
from itdr.reporting.formats.html import html_file
from itdr.reporting.formats.latex import latex
from itdr.reporting.formats.markdown import markdown
from itdr.reporting.grid import Grid, grid
from itdr.reporting.page import page, style
from itdr.reporting.printing import printed
from itdr.reporting.results import Results
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet
from itdr.reporting.statistics import statistics_rows, statistics_sheet
from itdr.reporting.summary import restructured, summarise
from itdr.settings.paper import Layout

AGGREGATES, STATISTICS, FIGURES, PAGE = "aggregates", "dataset-statistics", "figures", "page"


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    statistics: as `published_statistics` returns them. tasks: by id, in the order of the tables.
    run: empty for published values alone. comparisons: of the columns of each table that were
    compared.
    """

    results: Results
    layout: Layout
    statistics: Sequence[dict[str, Any]]
    tasks: Mapping[str, TaskSettings]
    run: Run = field(default_factory=Run)
    comparisons: Mapping[str, Comparisons] = field(default_factory=dict)

    @property
    def tables(self) -> list[str]:
        """The names of all tables, in their order."""
        aggregates = [AGGREGATES] if self.layout.aggregates else []
        return [*self.layout.tables, *aggregates, STATISTICS]

    @property
    def parts(self) -> list[str]:
        """The names of all that can be made: the tables, the figures and the page."""
        return [*self.tables, FIGURES, PAGE]

    def make(self, part: str, out: Path) -> None:
        """Write one of `parts` into the folder `out`; the page needs the figures.

        Raises:
            MissingFileError: the page is to be made and the figures are not there.
        """
        if part == FIGURES:
            self._figures(out / "figures")
        elif part == PAGE:
            self._page(out)
        else:
            self._table(part, out / "tables")

    def sheet(self, name: str) -> Sheet:
        """Return a table as it is printed."""
        if name == STATISTICS:
            return statistics_sheet(self._published, self.run, self.layout, self.tasks)
        if name == AGGREGATES:
            return aggregate_sheet(self.results, self.layout)
        return printed(self._grid(name), self.layout, self.tasks)

    @property
    def _published(self) -> list[dict[str, Any]]:
        """The published statistics that may stand beside ours."""
        return [row for row in self.statistics
                if self.run.origins.comparable((row["task"], row["dataset"]))]  # fmt: skip

    def _grid(self, name: str, *, unprinted: bool = False) -> Grid:
        comparisons = self.comparisons.get(name, NOTHING_COMPARED)
        return grid(self.results, self.layout, name, comparisons, unprinted=unprinted)

    def _table(self, name: str, out: Path) -> None:
        sheet = self.sheet(name)
        if name == STATISTICS:
            write_rows(out / f"{name}.csv", *statistics_rows(self._published, self.run, self.tasks))
        elif name == AGGREGATES:
            write_rows(out / f"{name}.csv", *aggregate_rows(self.results, self.layout))
        else:
            whole = self._grid(name, unprinted=True)
            write_long(out / f"{name}.csv", whole, self.results)
            write_compared(out / f"{name}.compared.csv", whole, self.results)
            write_wide(out / f"{name}.wide.csv", self._grid(name))
        write_text(out / f"{name}.md", markdown(sheet))
        write_text(out / f"{name}.tex", latex(sheet))
        write_text(out / f"{name}.html", html_file(sheet, style()))

    def _figures(self, out: Path) -> None:
        from itdr.reporting.figures.data import FigureData
        from itdr.reporting.figures.draw import draw_all

        losses = {column: training.losses for column, training in self.run.trainings.items()}
        lengths = self.run.audit.get("lengths", ())
        simulated = self.results.origins.simulated or self.run.origins.simulated
        data = FigureData(self.results, self.layout, self._published, self.tasks,
                          self.run.examples, lengths, losses, bool(simulated),
                          self.run.reliability)  # fmt: skip
        draw_all(data, self.layout.figures, out)

    def _page(self, out: Path) -> None:
        figures = read_json(out / "figures" / "figures.json")
        sheets = [self.sheet(name) for name in self.tables]
        run = self.run if self.results.is_run or self.run.audit else None
        grids = [table for name in self.layout.tables if (table := self._grid(name)).rows]
        summary = summarise(self.results, self.run, self.layout, self.tasks, grids)
        write_text(out / "index.html", page(summary, sheets, figures, out / "figures", run))
        write_text(out / "summary.rst", restructured(summary))
