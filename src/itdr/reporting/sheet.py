"""A table as it is printed: texts, marks and footnotes, the same for every format."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableCell:
    """One printed cell.

    main: the value. details: smaller texts after it. marks: signs that footnotes explain. bold:
    best of its row. hint: explanation where there is room for one. sort: what to sort by, where
    `main` is a number. long: what `main` is short for.
    """

    main: str
    details: tuple[str, ...] = ()
    marks: str = ""
    bold: bool = False
    hint: str = ""
    sort: float | None = None
    long: str = ""


@dataclass(frozen=True)
class Sheet:
    """A printed table.

    columns: (group, name) of every column; neighbours with the same group have one heading over
    them. words: how many columns from the left hold words, the others numbers; labels: how many of
    these say what a row is of, and stay in sight. breaks: rows that a rule stands before. said:
    what the numbers mean, a paragraph that stands before the table.
    """

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[TableCell, ...], ...]
    notes: tuple[str, ...]
    words: int = 1
    labels: int = 0
    breaks: frozenset[int] = field(default_factory=frozenset)
    said: str = ""


def breaks_of(rows: Sequence[Sequence[TableCell]]) -> frozenset[int]:
    """Return the rows whose first cell differs from the one above."""
    return frozenset(i for i in range(1, len(rows)) if rows[i][0].main != rows[i - 1][0].main)
