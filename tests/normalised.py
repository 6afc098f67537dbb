"""What tests of the sources share: raw rows in, tables out, and any lines at all through a form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from hypothesis import settings
from hypothesis import strategies as st

from itdr.datasets.normalise import normalise
from itdr.datasets.readers.fields import NeedsTextError
from itdr.datasets.readers.lines import Block
from itdr.files.formats import read_json
from itdr.settings.dataset import DatasetSettings, load_dataset


@dataclass(frozen=True)
class Normalised:
    """The tables as rows; users and items also by id."""

    interactions: list[dict[str, Any]]
    items: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]
    rejected: list[dict[str, Any]]
    quality: dict[str, Any]

    def reasons(self) -> list[tuple[str, int, str]]:
        """Return file, line and reason of the rejected rows."""
        return [(row["file"], row["line"], row["reason"]) for row in self.rejected]


def normalised(
    folder: Path, dataset: str | DatasetSettings, files: dict[str, str | bytes] | None = None
) -> Normalised:
    """Normalise the files (name to content) of a dataset, or those that lie in the folder."""
    for name, content in (files or {}).items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
    out = folder / "tables"
    settings_of = load_dataset(dataset) if isinstance(dataset, str) else dataset
    normalise(settings_of, folder, out, threads=2)
    rows = {
        name: pq.read_table(out / f"{name}.parquet").to_pylist()
        for name in ("interactions", "items", "users", "rejected")
    }
    for item in rows["items"]:
        item["attributes"] = dict(item["attributes"] or {})
    quality = read_json(out / "quality.json")
    assert quality["rows_read"] == quality["rows_kept"] + quality["rows_rejected"]
    assert quality["rows_rejected"] == len(rows["rejected"])
    return Normalised(
        rows["interactions"],
        {row["item_id"]: row for row in rows["items"]},
        {row["user_id"]: row for row in rows["users"]},
        rows["rejected"],
        quality,
    )


unhurried = settings(deadline=None)
"""For property tests on a machine that others use, too."""

any_lines = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.text("a1,;\"\\\t\r'[]X.-é", max_size=30).map(str.encode),
    ).map(lambda line: line.replace(b"\n", b"")),
    min_size=1,
    max_size=12,
)
"""Lines of bytes, many of them with the characters that separate and quote."""


def check_account(form, lines: list[bytes]) -> None:
    """Check that a form accounts for each of the lines once, as kept or as rejected."""
    block = Block(b"".join(line + b"\n" for line in lines), 2)
    try:
        parsed = form.parse(block)
    except NeedsTextError:
        parsed = form.with_text_ids().parse(block)
    numbers = [number for number, _ in parsed.rejected]
    for batch in parsed.batches:
        numbers += batch.column("line").to_pylist()
    assert sorted(numbers) == list(np.arange(2, 2 + len(lines)))
