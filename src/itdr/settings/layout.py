"""What config/paper/layout.yaml says: which columns a table has, and what is printed for an id."""

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from itdr.settings.reading import Strict, load
from itdr.vocabulary import REPAIRED, Dataset

Column = tuple[str, str]
"""A model and a variant."""

TRIVIAL = "trivial"
"""The model whose variants are the answers that need no model."""

_METRICS = {"rmse": "RMSE", "ndcg": "NDCG", "hit": "HR", "precision": "Precision",
            "accuracy": "Accuracy", "bleu": "BLEU", "rouge": "ROUGE"}  # fmt: skip


class TableLayout(Strict):
    """The columns of one table."""

    title: str = Field(description="printed title")
    variants: tuple[str, ...] = Field(min_length=1, description="in their order within a model")
    models: tuple[str, ...] = Field((), description="models to take; none: those no table names")
    needs: tuple[str, ...] = Field((), description="only models with one of these variants")


class Layout(Strict):
    """The whole of config/paper/layout.yaml."""

    tables: dict[str, TableLayout]
    models: dict[str, str] = Field(description="id to printed name, in the tables' order")
    variants: dict[str, str] = Field(description="id to printed name")
    datasets: dict[Dataset, str] = Field(description="id to printed name")

    def columns_of(self, table: str, columns: Iterable[Column]) -> list[Column]:
        """Return those of the columns that belong to a table, in the table's order.

        Models that the layout does not know come last, in the order given.
        """
        layout = self.tables[table]
        given = list(dict.fromkeys(columns))
        named = {model for other in self.tables.values() for model in other.models}
        found = []
        for model in sorted(dict.fromkeys(model for model, _ in given), key=self._rank):
            variants = {variant for name, variant in given if name == model}
            wanted = model in layout.models if layout.models else model not in named
            if wanted and model != TRIVIAL and (not layout.needs or variants & set(layout.needs)):
                found += [(model, variant) for variant in layout.variants if variant in variants]
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
        """Return a dataset's printed name."""
        return self.datasets[Dataset(dataset)]

    def _rank(self, model: str) -> int:
        names = list(self.models)
        return names.index(model) if model in names else len(names)


def metric_title(metric: str) -> str:
    """Return a metric's printed name, such as "HR@1" for hit@1 or "RMSE (age)" for rmse:age."""
    whole, repaired, _ = metric.partition(REPAIRED)
    name, attribute = whole.partition(":")[::2]
    stem, mark, rest = re.fullmatch(r"([a-z]+)([@-]?)(.*)", name).groups()  # type: ignore[union-attr]
    title = _METRICS.get(stem, stem) + mark + (rest.upper() if mark == "-" else rest)
    if name == "rmse-midpoint":
        title = "RMSE, unreadable as midpoint"
    title += ", repaired" if repaired else ""
    return f"{title} ({attribute.replace('_', ' ')})" if attribute else title


def load_layout(path: Path) -> Layout:
    """Return the layout in the file at `path`.

    Raises:
        MissingFileError, SettingsError: there is no such file, or a key in it is wrong.
    """
    return load(Layout, path)
