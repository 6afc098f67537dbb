"""Every example's values: to check a cell, to group by user, to test in other ways."""

import json
from collections.abc import Iterable, Iterator
from math import isinf, isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.cells import CellScores
from itdr.evaluation.predictions import Example
from itdr.files.atomic import atomic_file
from itdr.files.checksums import sidecar
from itdr.files.formats import write_checksum, write_parquet

ROWS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("user_id", pa.string()),
        pa.field("reading", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("read", pa.string(), nullable=False),
        pa.field("problem", pa.string()),
    ]
)
"""One row per example, reading and metric; an attribute that an example does not ask for has none.

id, user_id: as in the predictions; user_id is null where it is not known.
value: the example's own; a cell's value is their mean, for metrics that begin with rmse, whose
    examples have squared errors, its root. Null where the example does not count, and in metrics of
    a whole cell, which have no values of examples.
read: JSON of what was read: the number, the places of the candidates from 1 (null for an entry that
    is none), the attributes, the choices with their log-probabilities (null for minus infinity),
    the text; null where nothing could be read.
problem: why nothing could be read; null where something was.
"""


def write_rows(path: Path, scored: Iterable[CellScores]) -> None:
    """Write the values of all examples (columns: ROWS) as CSV or Parquet, with a checksum."""
    rows = [row for scores in scored for row in _rows(scores)]
    table = pa.Table.from_pylist(rows, schema=ROWS)
    if path.suffix == ".parquet":
        write_parquet(path, table)
        return
    sidecar(path).unlink(missing_ok=True)
    with atomic_file(path) as part:
        pacsv.write_csv(table, part, pacsv.WriteOptions(quoting_style="needed"))
    write_checksum(path)


def _rows(scores: CellScores) -> Iterator[dict[str, Any]]:
    for place, (example, answer) in enumerate(
        zip(scores.cell.examples, scores.answers, strict=True)
    ):
        read = json.dumps(_read(answer, example), ensure_ascii=False)
        for column in scores.columns:
            attribute = column.metric.partition(":")[2]
            if attribute and attribute not in example.truth:
                continue
            value = float(column.values[place])
            yield {
                "id": example.id,
                "user_id": example.user_id,
                "reading": scores.reading.value,
                "metric": column.metric,
                "value": None if isnan(value) else value,
                "read": read,
                "problem": answer.problem,
            }


def _read(answer: ParsedAnswer, example: Example) -> Any:
    if not answer.readable:
        return None
    match example.form.kind:
        case "number":
            return answer.number
        case "ranked_list" | "title":
            return [None if place is None else place + 1 for place in answer.ranking]
        case "attributes":
            numbers = example.form.ranges
            return {name: float(value) if name in numbers else value
                    for name, value in answer.attributes.items()}  # fmt: skip
        case "choice":
            return {choice.text: None if isinf(choice.logprob) else choice.logprob
                    for choice in answer.likelihoods}  # fmt: skip
        case "text":
            return answer.text
