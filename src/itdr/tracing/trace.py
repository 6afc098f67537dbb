"""Which raw lines an example was built from, and what each of them is in it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from itdr.datasets.adapters.columns import adapter_of
from itdr.settings.dataset import DatasetSettings
from itdr.tracing.examples import Found
from itdr.tracing.raw_rows import RawRow, raw_rows

_SENTENCE = re.compile(r".{1,40}?([.!?;](?= )|$)|.{40}")

Keys = dict[str, set[tuple[str, ...]]]


@dataclass(frozen=True)
class Source:
    """A raw line and what it is in an example.

    Attributes:
        role: "history", "target", "candidate", "user", "item" or "review".
        title: of the item; None of a user.
        row: the line.
    """

    role: str
    title: str | None
    row: RawRow


@dataclass(frozen=True)
class Trace:
    """An example and its raw lines.

    Attributes:
        found: the example and where it stands.
        sources: its raw lines, in the order of the example.
        note: what the lines do not tell.
    """

    found: Found
    sources: tuple[Source, ...]
    note: str = ""

    @property
    def value(self) -> dict[str, Any]:
        """The trace as JSON has it."""
        lines = [{"role": s.role, "title": s.title, **asdict(s.row)} for s in self.sources]
        for line in lines:
            del line["review"]
        return {"id": self.found.example["id"], "example": str(self.found.file),
                "row": self.found.row, "note": self.note, "lines": lines}  # fmt: skip


def trace_examples(
    found: Iterable[Found],
    datasets: Mapping[str, DatasetSettings],
    results: Path,
    memory_limit_mb: int,
) -> list[Trace]:
    """Return the raw lines of examples that were drawn from tables; each dataset is read once.

    datasets: id to what its file says. results: folder of the run, with raw/. Raises as raw_rows.
    """
    found = list(found)
    wanted: dict[str, Keys] = defaultdict(lambda: defaultdict(set))
    for one in found:
        for table, keys in _keys(one.example).items():
            wanted[one.example["dataset"]][table] |= keys
    rows = {
        name: raw_rows(datasets[name], results / "raw" / name, results, keys,
                       memory_limit_mb=memory_limit_mb)
        for name, keys in wanted.items()
    }  # fmt: skip
    return [
        Trace(one, tuple(_sources(one.example, rows[one.example["dataset"]])),
              adapter_of(datasets[one.example["dataset"]]).several_lines)
        for one in found
    ]  # fmt: skip


def _items(example: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield role and item of all items that an example shows or asks for, each once a role."""
    for item in example["history"] or ():
        yield "history", item
    targets = example["targets"] or ()
    candidates = example["candidates"] or ()
    for role in ("target", "candidate"):
        yield from ((role, item) for item in candidates
                    if (item["item_id"] in targets) == (role == "target"))  # fmt: skip
    if not candidates:
        yield from (("target", {"item_id": target, "title": None}) for target in targets)
    if example["item_id"]:
        yield "item", {"item_id": example["item_id"], "title": None}


def _keys(example: Mapping[str, Any]) -> Keys:
    """Return what is looked for in the raw files of an example's dataset."""
    user = example["user_id"]
    ids = {item["item_id"] for _, item in _items(example)}
    keys: Keys = {"items": {(name,) for name in ids}}
    if user:
        keys |= {"users": {(user,)}, "interactions": {(user, name) for name in ids}}
    else:
        keys["reviews"] = {(name,) for name in ids}
    return keys


def _sources(example: Mapping[str, Any], rows: Iterable[RawRow]) -> Iterator[Source]:
    """Yield the lines of one example among those of all."""
    by_key = {(row.table, row.key): row for row in rows}
    user = example["user_id"]
    if user and (row := by_key.get(("users", (user,)))):
        yield Source("user", None, row)
    for role, item in _items(example):
        name = item["item_id"]
        rows_of = (by_key.get(("interactions", (user, name))), by_key.get(("items", (name,))))
        yield from (Source(role, item["title"], row) for row in rows_of if row)
    shown = " ".join(example["input"].split())
    for (table, key), row in by_key.items() if not user else ():
        if table == "reviews" and key[1] == example["item_id"] and _begins(row.review, shown):
            yield Source("review", None, row)


def _begins(review: str | None, shown: str) -> bool:
    """Say whether a review's first sentence is shown; templates cut long reviews off behind one."""
    first = _SENTENCE.match(" ".join((review or "").split()))
    return first is not None and first[0] in shown
