"""A paper: the published values of a folder, and what config/papers/NAME/layout.yaml says.

Everything works without a paper too: then one table has all columns, and ours stand alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import Strict, load
from itdr.settings.variant import Variant, load_variants

PAPERS = Path("config/papers")

Column = tuple[str, str]
"""A model and a variant."""

TRIVIAL = "trivial"
"""The model whose variants are the answers that need no model."""


class TableLayout(Strict):
    """The columns of one table."""

    title: str = Field(description="printed title")
    variants: tuple[str, ...] = Field(
        (), description="in their order within a model; none: all, in the experiment's order"
    )
    models: tuple[str, ...] = Field((), description="models to take; none: those no table names")
    needs: tuple[str, ...] = Field((), description="only models with one of these variants")


class Term(Strict):
    """One addend of an aggregate: a weight times a mean of metrics, each a mean over datasets."""

    task: str = Field(description="task whose metrics are meant")
    metrics: tuple[str, ...] = Field(
        min_length=1, description="ids of metrics; accuracy:* stands for that of every attribute"
    )
    weight: float = Field(description="factor of the mean")


class Aggregate(Strict):
    """A number that sums up many metrics: an offset and a sum of terms."""

    offset: float = Field(0.0, description="addend that depends on nothing")
    terms: tuple[Term, ...] = Field(min_length=1, description="the other addends")


class Layout(Strict):
    """The whole of a layout.yaml."""

    tables: dict[str, TableLayout] = Field(
        {"main": TableLayout(title="Results")}, description="name to what it shows"
    )
    published_as: dict[str, str] = Field(
        {},
        description="variant to the one whose published values stand beside its own, as "
        "'released: itdr'",
    )
    compared: tuple[str, str] = Field(
        ("base", "tuned"), description="variants that figures set beside each other"
    )
    figures: tuple[str, ...] = Field(
        ("tasks", "main", "differences", "lengths", "losses"), description="figures, in their order"
    )
    aggregates: dict[str, Aggregate] = Field({}, description="name to what it sums up")
    aggregates_note: str = Field("", description="printed under the table of aggregates")
    root_tasks: dict[str, str] = Field({}, description="id to printed name, in their order")
    models: dict[str, str] = Field({}, description="id to printed name, in the tables' order")
    variants: dict[str, str] = Field({}, description="id to printed name")
    datasets: dict[str, str] = Field({}, description="id to printed name")

    def columns_of(self, table: str, columns: Iterable[Column]) -> list[Column]:
        """Return those of the columns that belong to a table, in the table's order.

        Models that the layout does not know come last, in the order given.
        """
        layout = self.tables[table]
        given = list(dict.fromkeys(columns))
        named = {model for other in self.tables.values() for model in other.models}
        found = []
        for model in sorted(dict.fromkeys(model for model, _ in given), key=self._rank):
            variants = [variant for name, variant in given if name == model]
            wanted = model in layout.models if layout.models else model not in named
            if layout.needs and not set(variants) & set(layout.needs):
                wanted = False
            if wanted and model != TRIVIAL:
                order = layout.variants or variants
                found += [(model, variant) for variant in order if variant in variants]
        return found

    def model_title(self, model: str) -> str:
        """Return a model's printed name; its id where there is none."""
        return self.models.get(model, model)

    def variant_title(self, variant: str) -> str:
        """Return a variant's printed name; its id where there is none."""
        return self.variants.get(variant, variant)

    def column_title(self, column: Column) -> str:
        """Return the printed name of a model and variant."""
        return f"{self.model_title(column[0])} {self.variant_title(column[1])}"

    def dataset_title(self, dataset: str) -> str:
        """Return a dataset's printed name; its id where there is none."""
        return self.datasets.get(dataset, dataset)

    def _rank(self, model: str) -> int:
        names = list(self.models)
        return names.index(model) if model in names else len(names)


@dataclass(frozen=True)
class Paper:
    """A paper, or the lack of one.

    Attributes:
        folder: where its published values are; None without a paper.
        layout: its tables, figures and printed names.
        variants: what it trains, by id.
    """

    folder: Path | None
    layout: Layout
    variants: dict[str, Variant]

    @property
    def files(self) -> list[Path]:
        """The files that tables and figures are made from beside our own."""
        names = ("results.csv", "aggregates.csv", "statistics.csv", "layout.yaml")
        return [self.folder / name for name in names] if self.folder else []


NO_PAPER = Paper(None, Layout(), {})


def load_paper(folder: Path | None) -> Paper:
    """Return the paper whose folder is given; without one NO_PAPER.

    Raises:
        SettingsError: there is no such folder, or a file in it is wrong.
        MissingFileError: a file is missing from it.
    """
    if folder is None:
        return NO_PAPER
    if not folder.is_dir():
        known = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        raise SettingsError(
            f"unknown paper {folder.name!r}: there is no folder {folder}."
            f"{nearest(folder.name, known)} Allowed: {', '.join(known) or 'none'}, or null."
        )
    return Paper(
        folder, load(Layout, folder / "layout.yaml"), load_variants(folder / "variants.csv")
    )
