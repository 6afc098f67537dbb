"""By what protocol examples were made and answered, kept in the files and shown in the scores."""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.datasets.tables import QUALITY
from itdr.files.formats import read_json_object
from itdr.vocabulary import Origin

_KEY = b"protocol"
_DATA = re.compile(r"(?:^|\| )data: (\w+)")


@dataclass(frozen=True)
class Protocol:
    """Where data come from, how candidates were drawn and examples divided, what a method sees.

    negatives: as build.negatives; None where nobody said. split: as split.by. test_begins: with a
    global time split, when the test part begins. sees: what the method learns from and is told.
    data: None where nobody said.
    """

    negatives: str | None = None
    split: str | None = None
    test_begins: datetime | None = None
    sees: str | None = None
    data: Origin | None = None

    def seeing(self, sees: str) -> "Protocol":
        """Return the same with what a method sees."""
        return replace(self, sees=sees)

    def attached(self, schema: pa.Schema) -> pa.Schema:
        """Return the schema with this protocol in its metadata."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        text = json.dumps(values, default=datetime.isoformat)
        return schema.with_metadata({**(schema.metadata or {}), _KEY: text})

    def __str__(self) -> str:
        """Return it in words: "data: real; split: user; negatives: uniform; sees: ..."."""
        split = self.split
        if self.test_begins:
            split = f"{split}, test from {self.test_begins.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        parts = {"data": self.data, "split": split, "negatives": self.negatives, "sees": self.sees}
        return "; ".join(f"{name}: {value}" for name, value in parts.items() if value)


def read_protocol(path: Path) -> Protocol:
    """Return what the metadata of a Parquet file of examples says; nothing where it is silent."""
    text = (pq.read_schema(path).metadata or {}).get(_KEY)
    values = json.loads(text) if text else {}
    if begins := values.pop("test_begins", None):
        values["test_begins"] = datetime.fromisoformat(begins)
    return Protocol(**values)


def table_origin(tables: Path) -> Origin | None:
    """Return where the tables in a folder of `itdr normalise` come from; None if nobody said.

    Raises:
        DataError: its quality.json is damaged.
    """
    quality = tables / QUALITY
    known = read_json_object(quality).get("data") if quality.is_file() else None
    return Origin(known) if known in list(Origin) else None


def origins(words: str) -> set[Origin]:
    """Return where data come from by the words of protocols, several joined by " | "."""
    return {Origin(name) for name in _DATA.findall(words) if name in list(Origin)}
