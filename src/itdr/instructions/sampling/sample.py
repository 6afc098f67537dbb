"""Drawing the examples of one kind of sampling from a folder of tables."""

from pathlib import Path
from typing import Any

from itdr.instructions.sampling.context import open_sampling_context
from itdr.instructions.sampling.draw import Draw
from itdr.registry import SAMPLING_KINDS


def sample(
    tables: Path,
    sampling: Any,
    draw: Draw,
    threads: int | None = None,
    memory_limit_mb: int = 3072,
) -> list[dict[str, Any]]:
    """Return one dictionary per example, ordered by domain within user_id or item_id.

    Those of a kind with an order of its own stay in that order.

    sampling: the settings of a registered kind.

    Each has domain (None where the source has none) and, but for described items, user_id and
    history (list of items, oldest first; most played first where plays decide). As the kind of
    sampling has it, there are target (an item), positives and candidates (lists of items),
    source_history, source_domain and target_domain, attributes (name: value), or item_id, item and
    reviews. An item has item_id, title, categories, rating, plays; what else it has is said in the
    module of the kind.

    Raises:
        MissingFileError: a table is not there.
        DataError: a table cannot be read.
    """
    with open_sampling_context(tables, draw, threads, memory_limit_mb) as context:
        kind = SAMPLING_KINDS[sampling.kind]
        chosen: list[dict[str, Any]] = kind.examples(context, sampling)
    for row in chosen:
        row["domain"] = row["domain"] or None
        del row["user_rank"]
    return chosen if kind.is_ordered else sorted(chosen, key=_place)


def _place(example: dict[str, Any]) -> tuple[str, str]:
    return example.get("user_id") or example["item_id"], example["domain"] or ""
