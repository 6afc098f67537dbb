"""The tensors of a forward pass, and its loss.

A step's loss is a weighted sum over the tokens that its examples learn: their answers, or all but
the first (see TokenizedExample). The weights are known beforehand, so forward passes and processes
can be summed in any division.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from itdr.models.prompt import TokenizedExample
from itdr.settings.training import TrainingSettings
from itdr.training.attention import knows_layouts, row_layout
from itdr.training.packing import passes
from itdr.training.prefixes import Prefix, shared_prefixes


class Steps(torch.utils.data.Dataset):
    """What process p does in step s, as item s * processes + p: a list of forward passes."""

    def __init__(
        self,
        examples: Sequence[TokenizedExample],
        steps: Sequence[Sequence[int]],
        settings: TrainingSettings,
        *,
        share: bool = False,
        rows: int = 1,
    ) -> None:
        """Keep the examples and which of them each step has.

        share: whether packed rows have shared prefixes once. rows: see passes.
        """
        self._examples, self._steps, self._settings = examples, steps, settings
        self._collate = partial(packed, share=share) if settings.packing else padded
        self._lengths = [len(example.ids) for example in examples]
        self._rows = rows

    def __len__(self) -> int:
        return len(self._steps) * self._settings.processes

    def __getitem__(self, item: int) -> list[dict[str, Any]]:
        number, process = divmod(item, self._settings.processes)
        step = self._steps[number]
        weights = self._weights(step)
        done = []
        for chosen in passes(step, self._lengths, self._settings, self._rows)[process]:
            # Without an example of its own a process goes through the motions, for no loss.
            shown = chosen or [min(step, key=self._lengths.__getitem__)]
            examples = [self._examples[i] for i in shown]
            done.append(self._collate(examples, [weights[i] if chosen else 0.0 for i in shown]))
        return done

    def tokens(self, number: int) -> int:
        """Return the tokens of a step, padding not counted."""
        return sum(self._lengths[i] for i in self._steps[number])

    def _weights(self, step: Sequence[int]) -> dict[int, float]:
        """Return what a learnt token of each example of the step weighs in the step's loss."""
        learnt = {i: len(self._examples[i].ids) - self._examples[i].unlearnt for i in step}
        if self._settings.loss_over == "examples":
            return {i: 1 / (len(step) * learnt[i]) for i in step}
        return dict.fromkeys(step, 1 / sum(learnt.values()))


def packed(
    examples: Sequence[TokenizedExample], weights: Sequence[float], *, share: bool = False
) -> dict[str, Any]:
    """Return examples side by side in one row, with positions that start anew in each.

    share: leave out of an example what an earlier one of the row begins with too.

    Returns:
        input_ids, position_ids: (1, length).
        layout, answer_layout: which keys each query sees, of all queries and of those at the places
            `kept` (see row_layout); the second is None where a prompt is learnt too.
        kept: (learnt tokens,), the places whose logits foretell one; those of a shared prefix stand
            there for each example.
        wanted, weights: (1, learnt tokens), that token and what it weighs.
    """
    prefixes = shared_prefixes(examples) if share else [Prefix(i, 0) for i in range(len(examples))]
    firsts = [prefix.length for prefix in prefixes]
    lengths = [len(example.ids) - first for example, first in zip(examples, firsts, strict=True)]
    starts = np.cumsum([0, *lengths[:-1]])
    places: list[np.ndarray] = []  # in the row, of all tokens of each example
    for prefix, start, length in zip(prefixes, starts, lengths, strict=True):
        own = np.arange(start, start + length)
        shared = places[prefix.owner][: prefix.length] if prefix.length else own[:0]
        places.append(np.concatenate([shared, own]))
    kept = [place[e.unlearnt - 1 : -1] for place, e in zip(places, examples, strict=True)]
    learnt = [example.ids[example.unlearnt :] for example in examples]
    counts = [len(one) for one in learnt]
    whole = any(example.learns_prompt for example in examples)
    parts = list(zip(examples, firsts, strict=True))
    return {
        "input_ids": _longs([example.ids[first:] for example, first in parts])[None],
        "position_ids": _longs([np.arange(first, len(e.ids)) for e, first in parts])[None],
        "layout": row_layout(lengths, places, sum(lengths)),
        # Nothing looks at the last token.
        "answer_layout": None
        if whole
        else row_layout(counts, [one[:-1] for one in places], sum(lengths)),
        "kept": _longs(kept),
        "wanted": _longs(learnt)[None],
        "weights": torch.tensor(np.repeat(weights, counts), dtype=torch.float32)[None],
    }


def padded(examples: Sequence[TokenizedExample], weights: Sequence[float]) -> dict[str, Any]:
    """Return one example a row, padded on the right.

    Returns:
        input_ids, attention_mask: (rows, length). kept: (places,), all places at which some row
            has a learnt token to foretell. wanted, weights: (rows, places); what has no label
            weighs nothing.
    """
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros((len(examples), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    weighed = torch.zeros((len(examples), longest), dtype=torch.float32)
    for row, (example, weight) in enumerate(zip(examples, weights, strict=True)):
        length = len(example.ids)
        ids[row, :length] = torch.as_tensor(example.ids)
        mask[row, :length] = 1
        weighed[row, example.unlearnt : length] = weight
    first = min(example.unlearnt for example in examples)
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "kept": torch.arange(first, longest) - 1,
        "wanted": ids[:, first:],
        "weights": weighed[:, first:],
    }


def answer_loss(model: Any, one: dict[str, Any], attention: str) -> torch.Tensor:
    """Return the part of a step's loss that a forward pass has, in nats.

    Logits are computed where a learnt token follows and nowhere else.
    """
    given: dict[str, Any] = {
        name: one[name] for name in ("input_ids", "position_ids", "attention_mask") if name in one
    }
    if "layout" in one and knows_layouts(attention):
        given["layout"] = one["layout"]
        if one["answer_layout"]:
            given |= {"answer_layout": one["answer_layout"], "answer_places": one["kept"]}
    logits = model(**given, use_cache=False, logits_to_keep=one["kept"]).logits
    losses = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), one["wanted"].flatten(), reduction="none"
    )
    return (losses * one["weights"].flatten()).sum()


def _longs(parts: Sequence[Any]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([np.asarray(part, dtype=np.int64) for part in parts]))
