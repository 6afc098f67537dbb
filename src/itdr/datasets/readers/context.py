"""The context in which raw files become tables: a DuckDB connection that spills to a folder.

Raw rows are staged as Parquet with `file` (number of the raw file) and `line`, so that a source can
say in SQL what its tables are, and every row that is dropped later can still be named.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from itdr.datasets.parallel import in_order
from itdr.datasets.readers.delimited import Parsed
from itdr.datasets.readers.fields import NeedsTextError
from itdr.datasets.readers.files import RawFile, find_file
from itdr.datasets.readers.lines import Block, read_blocks
from itdr.datasets.readers.rejections import RejectionLog
from itdr.datasets.tables.schema import with_statistics
from itdr.errors import DataError
from itdr.files.atomic import writing
from itdr.files.progress import progress

PYTHON_MB = 320
"""Memory that Python, Arrow and the blocks under way need beside DuckDB."""

LEAST_MB = 256
"""Smallest memory limit."""

_LEAST_ENGINE_MB = 128


class Format(Protocol):
    """How the lines of a file become rows; Delimited is one."""

    @property
    def header(self) -> bool:
        """Whether the first line is a header."""

    @property
    def encoding(self) -> str:
        """Encoding of the text."""

    @property
    def block_bytes(self) -> int:
        """About how many bytes are read at once."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of the rows; the last is `line`."""

    def header_error(self, line: bytes) -> str | None:
        """Return what is wrong with the header line, None if nothing is."""

    def parse(self, block: Block) -> Parsed:
        """Read a block. May raise NeedsTextError."""

    def with_text_ids(self) -> "Format":
        """Return the same form with ids held as text."""


@runtime_checkable
class InRecords(Protocol):
    """A format whose rows may go over several lines."""

    def records(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the same lines in blocks that hold whole rows, each of them in one line."""


@runtime_checkable
class InBatches(Protocol):
    """A format of rows that are no lines."""

    def batches(self, file: RawFile, read_bytes: Callable[[int], object]) -> Iterator[Any]:
        """Yield what `parse` reads, each with `count`, its number of rows."""

    def rows_at(self, file: RawFile, numbers: np.ndarray, threads: int) -> Iterator[Any]:
        """Yield number and raw text (bytes) of the rows with these numbers (ascending)."""


@dataclass
class NormalisationContext:
    """A DuckDB connection, the raw folder, and the account of the files read so far."""

    dataset: str
    raw: Path
    folder: Path
    connection: duckdb.DuckDBPyConnection
    threads: int
    accounts: list[RejectionLog] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def query(self, sql: str, values: Any = None) -> list[tuple]:
        """Run a statement and return its rows."""
        return self.connection.execute(sql, values).fetchall()

    def load(
        self,
        name: str,
        table: str,
        form: Format,
        required: bool = True,
        also: tuple[str, ...] = (),
    ) -> bool:
        """Stage the rows of the raw file `name` in a new table, with `file` and `line`.

        also: other names under which people keep the file.

        Returns:
            whether the file is there, which a required one must be.

        Raises:
            MissingFileError: the file is required and not there.
            DataError: there are two of the name, or it is empty, cut off, or has another header
                than the format says.
        """
        found = find_file(self.dataset, self.raw, name, required, also)
        if found is None:
            return False
        self.load_files([(found, form)], table)
        return True

    def load_files(self, files: Sequence[tuple[RawFile, Format]], table: str) -> None:
        """Stage the rows of files of the same columns in a new table, with `file` and `line`.

        Raises:
            DataError: one of them is empty, damaged, or has another header than its format says.
        """
        first, *others = [self._staged(found, form) for found, form in files]
        for rows in others:
            first = first.union(rows)
        first.create_view(table, replace=False)

    def _staged(self, found: RawFile, form: Format) -> duckdb.DuckDBPyRelation:
        number = len(self.accounts)
        staged = self.folder / f"{number}.parquet"
        account = RejectionLog(found, found.below(self.raw), form.encoding)
        try:
            self._stage(form, account, staged)
        except NeedsTextError:
            account = RejectionLog(found, account.name, form.encoding)
            self._stage(form.with_text_ids(), account, staged)
        self.accounts.append(account)
        if isinstance(form, InBatches):
            account.rows_at = form.rows_at
        return self.connection.read_parquet(str(staged)).project(f"*, {number}::USMALLINT AS file")

    def _stage(self, form: Format, account: RejectionLog, staged: Path) -> None:
        """Write the good rows of a file as Parquet, and put the others on the account."""
        size = account.source.path.stat().st_size
        with (
            writing(staged),
            progress(f"{self.dataset}: {account.name}", size, "B") as bar,
            # Plain pages: the rows are read back only once or twice.
            pq.ParquetWriter(
                staged,
                form.schema,
                compression="none",
                use_dictionary=False,
                write_statistics=with_statistics(form.schema),
            ) as out,
        ):
            blocks = _blocks(account.source, form, bar.update)
            for block, parsed in in_order(lambda b: (b, form.parse(b)), blocks, self.threads):
                account.rows_read += block.count
                for line, reason in parsed.rejected:
                    account.reject(line, reason)
                if parsed.batches:
                    out.write_table(pa.Table.from_batches(parsed.batches))


@contextmanager
def open_context(
    dataset: str, raw: Path, folder: Path, memory_limit_mb: int, threads: int
) -> Iterator[NormalisationContext]:
    """Open a context whose staged rows and spilled data lie in `folder`.

    memory_limit_mb: for the whole process, in MiB.
    """
    # The order of staged rows is fixed by `line`, so DuckDB need not keep it.
    settings: dict[str, Any] = {
        "threads": threads,
        "memory_limit": f"{max(memory_limit_mb - PYTHON_MB, _LEAST_ENGINE_MB)}MiB",
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": False,
    }
    # In a file, because tables that outgrow the memory of a database without one are slow.
    connection = duckdb.connect(str(folder / "staged.duckdb"), config=settings)
    try:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield NormalisationContext(dataset, raw, folder, connection, threads)
    finally:
        connection.close()


def _blocks(found: RawFile, form: Format, read_bytes: Callable[[int], object]) -> Iterator[Any]:
    """Yield what the format parses, in order."""
    if isinstance(form, InBatches):
        return form.batches(found, read_bytes)
    blocks = _without_header(found, form, read_blocks(found, read_bytes, form.block_bytes))
    return form.records(blocks) if isinstance(form, InRecords) else blocks


def _without_header(found: RawFile, form: Format, blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the blocks without the header line, which must be the right one."""
    first = next(blocks, None)
    if first is None:
        raise DataError(f"{found}: the file is empty. Fetch it again.")
    if form.header:
        line, _, data = first.data.partition(b"\n")
        wrong = form.header_error(line.removesuffix(b"\r"))
        if wrong:
            raise DataError(f"{found}: {wrong}. Is it a re-saved copy? Fetch the original.")
        first = Block(data, first.first + 1)
    if first.data:
        yield first
    yield from blocks
