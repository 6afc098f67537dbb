"""Greedy decoding of prompts that share a forward pass.

transformers' own generate() copies all keys and values at every step, goes on computing answers
that have ended until the last one has, and computes the beginning that all prompts have in common,
their task description, for each of them. The loop stands here because these three cost most of the
time.
"""

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from itdr.inference.cache import roomy_cache
from itdr.inference.tokens import TokenPrompt


@torch.inference_mode()
def greedy(
    model: Any, prompts: Sequence[TokenPrompt], ends: Collection[int], pad: int
) -> list[list[int]]:
    """Return the most probable token, again and again, up to an end or the prompt's limit.

    An end is part of the output. ends, pad: token ids.
    """
    batch = _Batch(model, prompts, pad)
    outputs: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    while rows:
        tokens = batch.step()
        for row, token in zip(rows, tokens, strict=True):
            outputs[row].append(token)
        going = [
            at
            for at, row in enumerate(rows)
            if outputs[row][-1] not in ends and len(outputs[row]) < prompts[row].limit
        ]
        if len(going) < len(rows):
            going = _closed_up(going)
            rows = [rows[at] for at in going]
            batch.keep(going)
    return outputs


class _Batch:
    """Prompts side by side: first what all begin with, then padding, the rest, and the answers."""

    def __init__(self, model: Any, prompts: Sequence[TokenPrompt], pad: int) -> None:
        self._model = model
        ids = [prompt.ids for prompt in prompts]
        longest = max(map(len, ids))
        room = longest + max(prompt.limit for prompt in prompts)
        self._cache, shareable = roomy_cache(model, len(prompts), room)
        self._shared = _shared_length(ids) if shareable else 0
        padding = [longest - len(i) for i in ids]
        rests = [[pad] * empty + i[self._shared :] for empty, i in zip(padding, ids, strict=True)]
        self._ids = torch.tensor(rests, device=model.device)
        self._padding = torch.tensor(padding, device=model.device)[:, None]
        self._places = torch.arange(room, device=model.device)
        self._end = self._shared
        if self._shared:
            self._forward(torch.tensor([ids[0][: self._shared]], device=model.device), 0)

    def step(self) -> list[int]:
        """Return the next token of every prompt."""
        begin, self._end = self._end, self._end + self._ids.shape[1]
        logits = self._forward(self._ids, begin)
        self._ids = logits[:, -1].argmax(-1, keepdim=True)
        return self._ids.flatten().tolist()

    def keep(self, rows: list[int]) -> None:
        """Go on with these prompts, in this order."""
        kept = torch.tensor(rows, dtype=torch.long, device=self._ids.device)
        self._cache.batch_select_indices(kept)
        self._ids, self._padding = self._ids[kept], self._padding[kept]

    def _forward(self, ids: Tensor, begin: int) -> Tensor:
        places, padding = self._places[: self._end], self._padding[: len(ids)]
        seen = (places < self._shared) | (places >= self._shared + padding)
        positions = places - torch.where(places < self._shared, 0, padding)
        return self._model(
            input_ids=ids,
            attention_mask=seen.long(),
            position_ids=positions[:, begin:].clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits


def _shared_length(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with, one at least of each row being left to itself."""
    if len(rows) == 1:
        return 0
    alike = (len(set(tokens)) == 1 for tokens in zip(*rows, strict=False))
    return min(sum(takewhile(bool, alike)), min(map(len, rows)) - 1)


def _closed_up(places: Sequence[int]) -> list[int]:
    """Return places 0, 1, 2, ... where they are among those given; the last ones fill the gaps."""
    count = len(places)
    last = [place for place in places if place >= count]
    kept = set(places)
    return [place if place in kept else last.pop() for place in range(count)]
