"""Variants: which examples a model is fine-tuned on, if it is at all."""

from pathlib import Path

from pydantic import Field, model_validator

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import Strict, check, read_csv


class VariantOptions(Strict):
    """What makes a variant."""

    tasks: tuple[str, ...] = Field((), description="tasks to train on; none: no fine-tuning")
    share: float = Field(1.0, ge=0, le=1, description="share of each cell's training part")
    description: bool = Field(True, description="whether prompts hold the task description")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "VariantOptions":
        if self.tasks and not self.share:
            raise ValueError("a variant that is trained has a share above 0")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("a task stands twice")
        return self


class Variant(VariantOptions):
    """A variant with its id: a line of a paper's variants.csv, or one of an experiment."""

    variant: str = Field(pattern=r"^[a-z0-9-]+$", description="id")

    @property
    def is_trained(self) -> bool:
        """Whether the variant is fine-tuned at all."""
        return bool(self.tasks)


_COLUMNS = ("variant", *VariantOptions.model_fields)
_ANSWERS = {"yes": True, "no": False}


def load_variants(path: Path) -> dict[str, Variant]:
    """Return the variants of a CSV file by id: variant, tasks (with blanks between), share, yes/no.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: a column or a value is wrong, or an id stands twice.
    """
    columns, rows = read_csv(path)
    if tuple(columns) != _COLUMNS:
        raise SettingsError(
            f"{path}: the columns are {', '.join(columns or ['none'])}; needed are "
            f"{', '.join(_COLUMNS)}."
        )
    found: dict[str, Variant] = {}
    for number, row in rows:
        where = f"{path}:{number}"
        variant = _variant(row, where)
        if variant.variant in found:
            raise SettingsError(f"{where}: the variant {variant.variant!r} stands twice.")
        found[variant.variant] = variant
    return found


def find_variant(variants: dict[str, Variant], name: str, where: str | Path) -> Variant:
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


def _variant(row: dict[str, str], where: str) -> Variant:
    try:
        share = float(row["share"] or "")
    except ValueError:
        raise SettingsError(f"{where}: 'share' is {row['share']!r}; a number is needed.") from None
    if row["description"] not in _ANSWERS:
        found = row["description"]
        raise SettingsError(f"{where}: 'description' is {found!r}; needed is yes or no.")
    value = row | {"tasks": (row["tasks"] or "").split(), "share": share,
                   "description": _ANSWERS[row["description"]]}  # fmt: skip
    return check(Variant, value, where)
