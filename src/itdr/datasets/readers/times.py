"""Cells that hold a time: as people write it, or as a number of seconds since 1970 or less."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.fields import BadCellError, Field, Number
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


_YEARS = f"outside the years {FIRST_YEAR} to {LAST_YEAR}"


@dataclass(frozen=True)
class TimeNumber(Number):
    """A time in seconds since 1970, or in parts of seconds; `per_second` is 1, 1e3 or 1e6."""

    required: bool = True
    per_second: float = 1.0

    def _wrong(self, number: float) -> str | None:
        first = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * self.per_second
        end = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp() * self.per_second
        return None if first <= number < end else f"{self.name} is {_YEARS}"


_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True)
class IsoTime(Field):
    """A date or time as in ISO 8601, "2024-05-01" or "2024-05-01T10:30:00.5+02:00"; else UTC."""

    required: bool = True
    type: ClassVar[pa.DataType] = pa.timestamp("us")

    def value(self, cell: str) -> datetime:
        """Return the time in UTC, without its zone."""
        if not _ISO.fullmatch(cell):
            raise BadCellError(f"{self.name} is not a time such as 2024-05-01T10:30:00Z")
        return self._in_utc(cell)

    def parsed(self, cell: str) -> datetime:
        """Return the time that a cell stands for. Raises ValueError if there is none."""
        return datetime.fromisoformat(cell)

    def _in_utc(self, cell: str) -> datetime:
        try:
            time = self.parsed(cell)
            if time.tzinfo is not None:
                time = time.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise BadCellError(f"{self.name} is no such time or date") from None
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise BadCellError(f"{self.name} is {_YEARS}")
        return time

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the times; quickly where all cells have a zone, or none has."""
        plain = pc.all(pc.match_substring_regex(cells, f"^(?:{_ISO.pattern})$")).as_py()
        if plain is False:
            return None
        zoned = pc.match_substring_regex(cells, r"(Z|[+-][0-9]{2}:?[0-9]{2})$")
        has_time = pc.match_substring(cells, ":")
        zoned = pc.and_(zoned, has_time)
        if pc.any(zoned).as_py() and not pc.all(zoned).as_py():
            return self._one_by_one(cells)
        kind = pa.timestamp("us", "UTC") if pc.any(zoned).as_py() else self.type
        try:
            times = cells.cast(kind).cast(self.type)
        except pa.ArrowInvalid:
            return self._one_by_one(cells)
        ends = pc.min_max(pc.year(times)).as_py()
        inside = ends["min"] is None or (ends["min"] >= FIRST_YEAR and ends["max"] <= LAST_YEAR)
        return times if inside else None

    def _one_by_one(self, cells: pa.Array) -> pa.Array | None:
        """Return the times; each different cell is read once."""
        codes = cells.dictionary_encode()
        try:
            times = [self.value(cell) for cell in codes.dictionary.to_pylist()]
        except BadCellError:
            return None
        return pa.array(times, self.type).take(codes.indices)


@dataclass(frozen=True)
class PatternTime(IsoTime):
    """A time in a form of one's own, given as a pattern of strptime; without a zone it is UTC."""

    pattern: str = ""

    def value(self, cell: str) -> datetime:
        """Return the time in UTC, without its zone."""
        return self._in_utc(cell)

    def parsed(self, cell: str) -> datetime:
        """Return the time that a cell stands for. Raises ValueError if there is none."""
        return datetime.strptime(cell, self.pattern)

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the times."""
        return self._one_by_one(cells)
