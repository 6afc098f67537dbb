"""What a dataset's file says of its own columns: which of them become which of our tables.

Keys are columns of the tables in itdr.datasets.tables.schema, values are columns of the files.
"""

import re
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from itdr.settings.reading import Strict

NonEmptyText = Annotated[str, StringConstraints(min_length=1)]

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_lines",
    ".parquet": "parquet",
}
"""Format by the end of a file's name, without .gz."""


def _inside(pattern: str) -> str:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("a name, folder or pattern inside the raw folder is needed")
    return pattern


def _time_unit(unit: str) -> str:
    if unit not in ("s", "ms", "us", "iso") and "%" not in unit:
        raise ValueError(
            "allowed: s, ms, us (since 1970), iso (2024-05-01, 2024-05-01T10:30:00Z), or a pattern "
            "of strptime such as '%d.%m.%Y %H:%M'"
        )
    try:
        datetime.strptime("", unit)
    except (ValueError, re.error) as error:
        if "does not match" not in str(error):
            raise ValueError(f"no pattern of strptime: {error}") from None
    return unit


class Column(Strict):
    """One column of a file."""

    column: NonEmptyText = Field(description="its name in the file")
    missing: tuple[str, ...] = Field(
        (), description="words in it that mean no value, beside those of the whole file"
    )


class TextColumn(Column):
    """A column of text."""

    values: dict[str, NonEmptyText] = Field(
        {}, description="what its codes stand for; with these, any other word is an error"
    )


class RatingColumn(Column):
    """A column of ratings, and their scale."""

    low: float = Field(description="lowest rating")
    high: float = Field(description="highest rating")
    step: float = Field(0.0, ge=0, description="ratings go up in such steps; 0: any number")

    @model_validator(mode="after")
    def _is_a_scale(self) -> Self:
        if self.low >= self.high:
            raise ValueError("'low' must be below 'high'")
        return self


class TimeColumn(Column):
    """A column of times. Those without a time zone are taken for UTC."""

    unit: Annotated[str, AfterValidator(_time_unit)] = Field(
        description="s, ms or us since 1970; iso: ISO 8601; or a pattern of strptime"
    )


class ListColumn(Column):
    """A column of lists: of JSON or Parquet as they are, else text with a separator."""

    separator: NonEmptyText | None = Field(None, description="between the parts of a text")


def _of(model: type[Column]) -> BeforeValidator:
    """Let a column's name alone stand for the column."""

    def spelled_out(value: Any) -> Any:
        return model.model_construct(column=value) if isinstance(value, str) and value else value

    return BeforeValidator(spelled_out, json_schema_input_type=str | model)


Plain = Annotated[Column, _of(Column)]
Words = Annotated[TextColumn, _of(TextColumn)]
Listed = Annotated[ListColumn, _of(ListColumn)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]


class TableColumns(Strict):
    """A file, or several with the same columns, and how they are read."""

    file: Annotated[str, AfterValidator(_inside)] = Field(
        description="name of a file, of a folder of files, or a pattern such as parts/*.csv"
    )
    format: Literal["csv", "tsv", "json_lines", "parquet"] | None = Field(
        None, description="null: by the end of the name (.csv .tsv .jsonl .parquet, also .gz)"
    )
    separator: NonEmptyText | None = Field(
        None, description="between cells; null: a comma for csv, a tab for tsv"
    )
    quoted: bool = Field(True, description="cells may stand in double quotes")
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    header: tuple[NonEmptyText, ...] = Field(
        (), description="names of all columns, where the file has no line with them"
    )
    missing: tuple[str, ...] = Field(
        (), description="words that mean no value in any column; an empty cell always does"
    )

    @property
    def reading(self) -> tuple:
        """How the file is read; tables of one file must agree on it."""
        return self.format, self.separator, self.quoted, self.encoding, self.header

    @model_validator(mode="after")
    def _can_be_split(self) -> Self:
        if self.separator and not re.fullmatch(r"[ !#-~\t]+", self.separator):
            raise ValueError("a 'separator' is of ASCII characters, and no double quote")
        if self.quoted and self.separator and len(self.separator) > 1:
            raise ValueError("a 'separator' of several characters needs 'quoted: false'")
        return self


class InteractionColumns(TableColumns):
    """What users did with items."""

    user_id: Plain
    item_id: Plain
    domain: Words | None = None
    rating: RatingColumn | None = None
    timestamp: TimeColumn | None = None
    position: Plain | None = None
    plays: Plain | None = None
    review_title: Words | None = None
    review: Words | None = None


class ItemColumns(TableColumns):
    """What is known of items."""

    item_id: Plain
    domain: Words | None = None
    title: Words | None = None
    categories: Listed | None = None
    description: Words | None = None
    creator: Words | None = None
    year: Plain | None = None
    price: Plain | None = None
    attributes: dict[AttributeName, Words] = Field({}, description="further properties by name")


class UserColumns(TableColumns):
    """What is known of users."""

    user_id: Plain
    gender: Words | None = None
    age: Plain | None = None
    age_group: Words | None = None
    birth_year: Plain | None = None
    occupation: Words | None = None
    country: Words | None = None
    location: Words | None = None
    attributes: dict[AttributeName, Words] = Field(
        {}, description="further columns of the users table, as text, by name"
    )

    @model_validator(mode="after")
    def _attributes_are_new(self) -> Self:
        twice = sorted(self.attributes.keys() & {*type(self).model_fields, "line"})
        if twice:
            raise ValueError(f"attributes: {twice[0]!r} is another column's name; take a new one")
        return self


class ColumnsSettings(Strict):
    """The mapping of a whole dataset. Tables may come from the same file."""

    interactions: InteractionColumns
    items: ItemColumns | None = None
    users: UserColumns | None = None

    @property
    def tables(self) -> dict[str, TableColumns]:
        """The tables that come from a file."""
        named = {"interactions": self.interactions, "items": self.items, "users": self.users}
        return {name: table for name, table in named.items() if table is not None}

    @property
    def patterns(self) -> list[str]:
        """The files, folders and patterns, each once."""
        return list(dict.fromkeys(table.file for table in self.tables.values()))

    @model_validator(mode="after")
    def _one_file_is_read_in_one_way(self) -> Self:
        seen: dict[str, tuple[str, TableColumns]] = {}
        for name, table in self.tables.items():
            other, first = seen.setdefault(table.file, (name, table))
            if first.reading != table.reading:
                raise ValueError(
                    f"{name} and {other} are of one file, {table.file!r}, but differ in format, "
                    "separator, quoted, encoding or header"
                )
        return self


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a name, a folder's name or a pattern means, plain or as .gz.

    In folders, files whose names begin with '.' or '_' are passed over.
    """
    named = folder / pattern
    if named.is_dir():
        found = set(named.iterdir())
    else:
        found = {*folder.glob(pattern), *folder.glob(f"{pattern}.gz")}
    return sorted(path for path in found if _is_data(path))


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "_"))


def format_of(name: str) -> str | None:
    """Return the format that a file's name says, or None."""
    return FORMATS.get(PurePosixPath(name.lower().removesuffix(".gz")).suffix)
