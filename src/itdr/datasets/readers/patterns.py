"""Cells of text that have to follow a pattern."""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.fields import BadCellError, Field


@dataclass(frozen=True)
class Matching(Field):
    """A cell of text that is all of one pattern.

    pattern: a regular expression that Python and RE2 read alike.
    form: the pattern in words, for the reason of a rejection: "usersha1 is not {form}".
    """

    pattern: str = ""
    form: str = ""

    def value(self, cell: str) -> str | None:
        """Return the cell as it is."""
        if not re.fullmatch(self.pattern, cell):
            raise BadCellError(f"{self.name} is not {self.form}")
        return cell

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the cells as they are."""
        fine = pc.all(pc.match_substring_regex(cells, f"^(?:{self.pattern})$")).as_py()
        return None if fine is False else cells
