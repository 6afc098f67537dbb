"""Training examples as tensors: tokenized once, ordered in advance, padded in batches."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from itdr.errors import DataError
from itdr.models.prompt import PromptRenderer, TokenizedExample
from itdr.settings.experiment import TrainingSettings

_IGNORED = -100  # label that the loss leaves out
_GROUPED_BATCHES = 16  # batches that are drawn together and divided by length


@dataclass(frozen=True)
class Tokenized:
    """The examples that are short enough, and how many of each task were not."""

    examples: list[TokenizedExample]
    too_long: dict[str, int]


def tokenize(mixture: pa.Table, renderer: PromptRenderer, settings: TrainingSettings) -> Tokenized:
    """Return the examples of a mixture (columns: RECORD) as token ids.

    Raises:
        DataError: no example is left, or one is too long and the settings refuse that.
    """
    kept: list[TokenizedExample] = []
    too_long: Counter[str] = Counter()
    columns = ("id", "task", "instruction", "input", "output")
    rows = zip(*(mixture[name].to_pylist() for name in columns), strict=True)
    for name, task, instruction, text, answer in rows:
        example = renderer.example(instruction, text, answer)
        if len(example.ids) <= settings.max_length:
            kept.append(example)
            continue
        too_long[task] += 1
        if settings.too_long == "refuse":
            raise DataError(
                f"example {name!r} has {len(example.ids)} tokens; max_length is "
                f"{settings.max_length}. Raise it, or set too_long to drop."
            )
    if not kept:
        raise DataError(f"no example has at most {settings.max_length} tokens; raise max_length.")
    return Tokenized(kept, dict(too_long))


def order(lengths: list[int], settings: TrainingSettings, seed: int) -> list[int]:
    """Return the rows in the order of training, all epochs one after another.

    The order is fixed in advance so that a run that was stopped can go on where it was. Each epoch
    is shuffled anew; then, where several examples share a forward pass, 16 batches at a time are
    sorted by length and shuffled as batches, so that little is padded.
    """
    whole, part = divmod(settings.epochs, 1)
    counts = [len(lengths)] * int(whole) + ([round(part * len(lengths))] if part else [])
    rows: list[int] = []
    for epoch, count in enumerate(counts):
        rng = np.random.default_rng([seed, epoch])
        shuffled = rng.permutation(len(lengths))[:count]
        grouped = _grouped(shuffled, lengths, settings.batch_size, rng)
        rows += (grouped if settings.micro_batch_size > 1 else shuffled).tolist()
    return rows


def _grouped(
    rows: np.ndarray, lengths: list[int], batch_size: int, rng: np.random.Generator
) -> np.ndarray:
    size = batch_size * _GROUPED_BATCHES
    batches: list[np.ndarray] = []
    for start in range(0, len(rows), size):
        group = sorted(rows[start : start + size], key=lambda row: (lengths[row], row))
        # The rest of a group that is no whole batch must stay at its end, or all later batches
        # would straddle two groups.
        cut = [np.array(group[i : i + batch_size]) for i in range(0, len(group), batch_size)]
        full = [batch for batch in cut if len(batch) == batch_size]
        batches += [full[i] for i in rng.permutation(len(full))]
        batches += [batch for batch in cut if len(batch) < batch_size]
    return np.concatenate(batches)


class OrderedExamples(torch.utils.data.Dataset):
    """Examples in the order of training; row n is the n-th that training sees."""

    def __init__(self, examples: list[TokenizedExample], rows: list[int]) -> None:
        """Keep the examples and the order."""
        self._examples, self._rows = examples, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> TokenizedExample:
        return self._examples[self._rows[position]]


def collate(batch: list[TokenizedExample], pad_id: int) -> dict[str, torch.Tensor]:
    """Return input_ids, attention_mask and labels, each (batch, longest), padded on the right.

    Labels are ignored (-100) in prompts and padding, so the loss is on answers alone.
    """
    longest = max(len(example.ids) for example in batch)
    tensors: dict[str, Any] = {
        "input_ids": torch.full((len(batch), longest), pad_id),
        "attention_mask": torch.zeros((len(batch), longest), dtype=torch.long),
        "labels": torch.full((len(batch), longest), _IGNORED),
    }
    for row, example in enumerate(batch):
        ids = torch.tensor(example.ids)
        tensors["input_ids"][row, : len(ids)] = ids
        tensors["attention_mask"][row, : len(ids)] = 1
        tensors["labels"][row, example.prompt_length : len(ids)] = ids[example.prompt_length :]
    return tensors
