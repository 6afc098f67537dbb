"""Variants: which examples a model is fine-tuned on, if it is at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import MOST_ROWS, Strict, check, once, read_csv

_VARIANT = r"^[a-z0-9-]+$"


class MixtureOptions(Strict):
    """What a training mixture is made of."""

    tasks: Annotated[tuple[str, ...], AfterValidator(once)] = Field(
        (), description="tasks to train on; none: no fine-tuning"
    )
    datasets: Annotated[tuple[str, ...], AfterValidator(once)] = Field(
        (), description="datasets of these tasks to train on; none: all"
    )
    share: float = Field(1.0, ge=0, le=1, description="share of each cell's training part")
    rows: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description="rows of each cell's training part, drawn with the seed: those of a smaller "
        "number lie among those of every larger one; null: as many as the share is",
    )
    description: bool = Field(True, description="whether prompts hold the task description")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "MixtureOptions":
        if self.tasks and not self.share:
            raise ValueError("a variant that is trained has a share above 0")
        if self.rows and self.share < 1:
            raise ValueError("either 'share' or 'rows' says how much is taken, not both")
        return self


class VariantOptions(MixtureOptions):
    """What makes a variant."""

    start_from: str | None = Field(
        None,
        pattern=_VARIANT,
        description="variant whose adapter, of the same model and seed, is trained further; null: "
        "a new adapter",
    )
    released: bool = Field(
        False,
        description="whether its adapter is not trained here but is one that the authors have "
        "published; released_adapters says which",
    )
    training: dict[str, Any] = Field(
        {},
        description="settings of training that are not those of the experiment, as '{epochs: 200}'",
    )

    @field_validator("start_from", "training")
    @classmethod
    def _is_trained_itself(cls, value: Any, info: ValidationInfo) -> Any:
        if value and not info.data.get("tasks"):
            raise ValueError("belongs to a variant that is trained, and this one names no tasks")
        return value

    @model_validator(mode="after")
    def _is_not_trained_here(self) -> "VariantOptions":
        if self.released and self.tasks:
            raise ValueError("a variant with a released adapter is not trained: it names no tasks")
        return self


class Variant(VariantOptions):
    """A variant with its id: a line of a paper's variants.csv, or one of an experiment."""

    variant: str = Field(pattern=_VARIANT, description="id")

    @property
    def is_trained(self) -> bool:
        """Whether the variant is fine-tuned at all."""
        return bool(self.tasks)

    @property
    def has_adapter(self) -> bool:
        """Whether an adapter is used, trained here or released."""
        return self.is_trained or self.released


_COLUMNS = ("variant", "tasks", "share", "description")
_MORE = ("datasets", "rows", "start_from")
_ANSWERS = {"yes": True, "no": False}


def load_variants(path: Path) -> dict[str, Variant]:
    """Return the variants of a CSV file by id.

    Its columns are variant, tasks (with blanks between), share and description (yes or no); then
    may come datasets (with blanks between), rows and start_from, where an empty cell says nothing.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: a column or a value is wrong, or an id stands twice.
    """
    columns, rows = read_csv(path)
    more = columns[len(_COLUMNS) :]
    wrong = set(more) - set(_MORE) or len(set(more)) < len(more)
    if tuple(columns[: len(_COLUMNS)]) != _COLUMNS or wrong:
        raise SettingsError(
            f"{path}: the columns are {', '.join(columns or ['none'])}; needed are "
            f"{', '.join(_COLUMNS)}, and behind them may stand {', '.join(_MORE)}."
        )
    found: dict[str, Variant] = {}
    for number, row in rows:
        where = f"{path}:{number}"
        variant = _variant(row, where)
        if variant.variant in found:
            raise SettingsError(f"{where}: the variant {variant.variant!r} stands twice.")
        found[variant.variant] = variant
    return found


def find_variant(variants: Mapping[str, Variant], name: str, where: str | Path) -> Variant:
    """Return a variant by id; `where` names the file or option that asks for it.

    Raises:
        SettingsError: there is no such variant.
    """
    if name not in variants:
        raise SettingsError(
            f"{where}: unknown variant {name!r}.{nearest(name, variants)} Allowed: "
            f"{', '.join(variants)}."
        )
    return variants[name]


def chain_of(variants: Mapping[str, Variant], name: str, where: str | Path) -> list[str]:
    """Return the variants whose adapters are trained one after another, `name` last.

    Raises:
        SettingsError: one starts from what is unknown or untrained, or in the end from itself.
    """
    chain = [name]
    while start := variants[chain[0]].start_from:
        asks = f"{where}: 'start_from' of the variant {chain[0]!r}"
        if not find_variant(variants, start, asks).has_adapter:
            raise SettingsError(
                f"{asks}: {start!r} is not trained, so it has no adapter. Name another, or leave "
                "start_from out."
            )
        if start in chain:
            raise SettingsError(
                f"{asks}: {' starts from '.join([*reversed(chain), start])}, which is a circle. "
                "Let the first of them start from nothing."
            )
        chain.insert(0, start)
    return chain


def _variant(row: dict[str, str], where: str) -> Variant:
    share = _number(row, "share", float, where)
    if row["description"] not in _ANSWERS:
        found = row["description"]
        raise SettingsError(f"{where}: 'description' is {found!r}; needed is yes or no.")
    value = {
        **row,
        "tasks": (row["tasks"] or "").split(),
        "share": share,
        "description": _ANSWERS[row["description"]],
        "datasets": (row.get("datasets") or "").split(),
        "rows": _number(row, "rows", int, where) if row.get("rows") else None,
        "start_from": row.get("start_from") or None,
    }
    return check(Variant, value, where)


def _number(row: dict[str, str], name: str, kind: type[float], where: str) -> float:
    try:
        return kind(row[name] or "")
    except ValueError:
        whole = "whole " if kind is int else ""
        raise SettingsError(
            f"{where}: {name!r} is {row[name]!r}; a {whole}number is needed."
        ) from None
