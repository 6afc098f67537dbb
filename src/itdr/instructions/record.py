"""The columns of an instruction example, the same for all tasks."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_ITEM = pa.struct([("item_id", pa.string()), ("title", pa.string()), ("rating", pa.float64())])

RECORD = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("domain", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("item_id", pa.string()),
        pa.field("instruction", pa.string(), nullable=False),
        pa.field("input", pa.string(), nullable=False),
        pa.field("output", pa.string(), nullable=False),
        pa.field("history", pa.list_(_ITEM)),
        pa.field("candidates", pa.list_(_ITEM)),
        pa.field("targets", pa.list_(pa.string())),
        pa.field("target_places", pa.list_(pa.int32())),
        pa.field("template_version", pa.int32(), nullable=False),
        pa.field("teacher_prompt", pa.string()),
        pa.field("teacher", pa.string()),
    ]
)
"""One example a row.

id: TASK/DATASET[/DOMAIN]/USER-or-ITEM[/WINDOW], unique in the whole dataset.
task, dataset, domain: ids (those of tasks and datasets name files in config/); domain is null
    where a source has none, and SOURCE-TARGET where a task crosses two.
user_id: whose example it is (null for TUI); item_id: the item that is described (TUI alone).
instruction, input, output: the text of the example.
history: the items shown, oldest first (CDR: of the source domain, then of the target domain);
    rating is null where the user gave none.
candidates: the items to choose from in the order shown; null for tasks without candidates.
targets: item ids of the true candidates in the user's order, or of the item to rate.
target_places: where the targets stand among the candidates, from 1, in the order of `targets`.
template_version: `version` of the task file that made the example.
teacher_prompt: what a teacher is asked for the output (IR, TUI); null for other tasks.
teacher: name of the teacher that gave the output; null where the output comes from the tables.
"""

DRAFT = RECORD.set(RECORD.get_field_index("output"), RECORD.field("output").with_nullable(True))
"""The same before teachers have been asked: output is null where teacher_prompt is not."""

_CHOICE = pa.struct(
    [
        ("text", pa.string()),
        ("logprob", pa.float64()),
        ("tokens", pa.int32()),
        ("greedy", pa.bool_()),
    ]
)
MAKER = (
    pa.field("engine", pa.string()),
    pa.field("model", pa.string()),
    pa.field("revision", pa.string()),
    pa.field("adapter", pa.string()),
    pa.field("seed", pa.int64()),
    pa.field("commit", pa.string()),
)
"""What gave an answer, as itdr.provenance.Maker has it, and the commit of this code then."""

PREDICTION = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("domain", pa.string()),
        pa.field("prompt_tokens", pa.int32()),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("finish_reason", pa.string(), nullable=False),
        pa.field("answer_tokens", pa.int32()),
        pa.field("reference", pa.string(), nullable=False),
        pa.field("candidates", pa.list_(pa.string())),
        pa.field("targets", pa.list_(pa.string())),
        pa.field("choices", pa.list_(_CHOICE)),
        pa.field("user_id", pa.string()),
        pa.field("protocol", pa.string()),
        *MAKER,
    ]
)
"""One answer a row, with all that scoring needs.

id, task, dataset, domain: as in the example.
prompt_tokens, answer_tokens: counts; null where no tokenizer was used.
answer: the model's text as it came, special tokens removed; of choices, the most probable one.
finish_reason: "stop" (the model ended), "length" (the output limit), "refused" (an endpoint gave no
    answer) or "skipped" (not asked, because the prompt is too long).
reference: the example's output.
candidates: titles in the order shown, targets: titles of the positives; null without candidates.
choices: the choices with the sum of the natural logarithms of their tokens' probabilities, the
    number of their tokens, and whether each token was the most probable one at its place (see
    itdr.instructions.choices); null where the answer is a text, or there is none.
user_id: whose example it is; null for TUI and where the example does not say.
protocol: how examples were divided, negatives drawn, and what the method sees, in words; null where
    nobody said.
The others are those of MAKER; null where nobody said.
"""


def reference_columns(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a prediction that come from its example (a row of RECORD).

    protocol: where the example has it, as those of itdr.instructions.asked.first_rows.
    """
    candidates = record["candidates"]
    titles = {item["item_id"]: item["title"] for item in candidates or []}
    return {
        **{name: record[name] for name in ("id", "task", "dataset", "domain")},
        "user_id": record.get("user_id"),
        "reference": record["output"],
        "candidates": [item["title"] for item in candidates] if candidates is not None else None,
        "targets": [titles[item] for item in record["targets"]] if titles else None,
        "protocol": record.get("protocol"),
    }
