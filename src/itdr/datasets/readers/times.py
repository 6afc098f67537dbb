"""Cells that hold a time as people write it: ISO 8601 in UTC, and the 12-hour times of the USA."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.fields import BadCellError, Field
from itdr.datasets.tables.schema import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True)
class Time(Field):
    """A time, held in UTC; here "2009-05-04T23:08:57Z", to the second."""

    required: bool = True
    type: ClassVar[pa.DataType] = pa.timestamp("us")
    pattern: ClassVar[str] = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
    form: ClassVar[str] = "%Y-%m-%dT%H:%M:%SZ"
    example: ClassVar[str] = "2009-05-04T23:08:57Z"

    def value(self, cell: str) -> datetime:
        """Return the time without its zone."""
        wrong = BadCellError(f"{self.name} is not a time such as {self.example}")
        if not re.fullmatch(self.pattern, cell):
            raise wrong
        try:
            time = datetime.strptime(cell, self.form)
        except ValueError:
            raise wrong from None
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise BadCellError(f"{self.name} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
        return time

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the times."""
        if pc.all(pc.match_substring_regex(cells, f"^{self.pattern}$")).as_py() is False:
            return None
        times = self.parsed(cells)
        if times is None or times.null_count != cells.null_count:
            return None
        ends = pc.min_max(pc.year(times)).as_py()
        inside = ends["min"] is None or (ends["min"] >= FIRST_YEAR and ends["max"] <= LAST_YEAR)
        return times if inside else None

    def parsed(self, cells: pa.Array) -> pa.Array | None:
        """Return the times of cells in the right form, or None if there is no such time."""
        try:
            return cells.cast(pa.timestamp("us", "UTC")).cast(self.type)
        except pa.ArrowInvalid:
            return None


@dataclass(frozen=True)
class TimeOfUsa(Time):
    """A time such as "11/12/2019 2:14:46 PM": month first, no zeros in front, taken as UTC."""

    pattern: ClassVar[str] = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AP]M"
    form: ClassVar[str] = "%m/%d/%Y %I:%M:%S %p"
    example: ClassVar[str] = "11/12/2019 2:14:46 PM"

    def parsed(self, cells: pa.Array) -> pa.Array | None:
        """Return the times of cells in the right form, or None if there is no such time."""
        times = pc.strptime(cells, format=self.form, unit="us", error_is_null=True)
        # A 30 February comes back as 2 March.
        day = pc.replace_substring_regex(cells, "^[0-9]+/0?([0-9]+)/.*$", "\\1")
        same = pc.all(pc.equal(pc.day(times).cast(pa.string()), day)).as_py()
        return None if same is False else times
