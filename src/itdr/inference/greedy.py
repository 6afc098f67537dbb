"""Greedy decoding of prompts that share a forward pass.

transformers' own generate() copies all keys and values at every step, goes on computing answers
that have ended until the last one has, and computes the prefix that all prompts share, their task
description, for each of them. The loop stands here because these three cost most of the time.
"""

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from itdr.inference.cache import PreallocatedKVCache
from itdr.inference.tokens import TokenPrompt

_TOGETHER = 16  # prompts that are read in one forward pass
_PAD = 0  # any token: the mask leaves it out


@torch.inference_mode()
def greedy(model: Any, prompts: Sequence[TokenPrompt], ends: Collection[int]) -> list[list[int]]:
    """Return the most probable token, again and again, up to an end or the prompt's limit.

    An end is part of the output. ends: token ids.
    """
    batch = _Batch(model, prompts)
    outputs: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    tokens = batch.first()
    while True:
        for row, token in zip(rows, tokens, strict=True):
            outputs[row].append(token)
        going = [
            at
            for at, row in enumerate(rows)
            if outputs[row][-1] not in ends and len(outputs[row]) < prompts[row].limit
        ]
        if not going:
            return outputs
        if len(going) < len(rows):
            going = _closed_up(going)
            rows = [rows[at] for at in going]
            batch.keep(going)
        tokens = batch.following()


class _Batch:
    """Prompts side by side: first their shared prefix, then padding, the rest, and the answers."""

    def __init__(self, model: Any, prompts: Sequence[TokenPrompt]) -> None:
        self._model = model
        ids = [prompt.ids for prompt in prompts]
        longest = max(map(len, ids))
        room = longest + max(prompt.limit for prompt in prompts)
        self._cache = PreallocatedKVCache(model.config, len(prompts), room)
        self._shared = _shared_length(ids) if self._cache.full else 0
        padding = [longest - len(i) for i in ids]
        rests = [[_PAD] * empty + i[self._shared :] for empty, i in zip(padding, ids, strict=True)]
        self._ids = torch.tensor(rests, device=model.device)
        self._padding = torch.tensor(padding, device=model.device)[:, None]
        self._places = torch.arange(room, device=model.device)
        self._end = longest
        if self._shared:
            prefix = torch.tensor([ids[0][: self._shared]], device=model.device)
            self._forward(prefix, slice(0, len(ids)), 0)

    def first(self) -> list[int]:
        """Return the first token of every prompt's answer.

        Prompts are computed some at a time, so that those of similar length need little padding.
        """
        size = _TOGETHER if self._cache.full else len(self._ids)
        tokens = []
        for start in range(0, len(self._ids), size):
            rows = slice(start, start + size)
            empty = int(self._padding[rows].min())
            tokens.append(self._forward(self._ids[rows, empty:], rows, self._shared + empty))
        return self._next(torch.cat(tokens))

    def following(self) -> list[int]:
        """Return the next token of every prompt's answer."""
        begin, self._end = self._end, self._end + 1
        return self._next(self._forward(self._ids, slice(0, len(self._ids)), begin))

    def keep(self, rows: list[int]) -> None:
        """Go on with these prompts, in this order."""
        kept = torch.tensor(rows, dtype=torch.long, device=self._ids.device)
        self._cache.batch_select_indices(kept)
        self._ids, self._padding = self._ids[kept], self._padding[kept]

    def _next(self, tokens: Tensor) -> list[int]:
        self._ids = tokens
        return tokens.flatten().tolist()

    def _forward(self, ids: Tensor, rows: slice, begin: int) -> Tensor:
        """Return the most probable tokens behind these, which stand from `begin` on."""
        self._cache.write_at(rows, begin)
        places = self._places[: begin + ids.shape[1]]
        padding = self._padding[rows][: len(ids)]
        seen = (places < self._shared) | (places >= self._shared + padding)
        positions = places - torch.where(places < self._shared, 0, padding)
        logits = self._model(
            input_ids=ids,
            attention_mask=seen.long(),
            position_ids=positions[:, begin:].clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        return logits[:, -1].argmax(-1, keepdim=True)


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
