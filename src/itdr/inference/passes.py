"""Forward passes of prompts side by side, whose shared prefix is computed once."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from itdr.inference.cache import PreallocatedKVCache

_TOGETHER = 16  # prompts that are read in one forward pass
_TOKENS_ON_CPU = 1024  # in one of them; more leave the processor's caches and take longer each
PAD = 0  # any token: the mask leaves it out


class PromptBatch:
    """Prompts side by side: first their shared prefix, then padding, the rest, and what follows.

    Attributes:
        end: the place behind the prompts.
        full: whether every layer sees all tokens, so that what follows can be written again.
        device: where tokens must be.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], room: int) -> None:
        """Keep the prompts; room: most tokens that follow them."""
        self._model = model
        self.device = model.device
        self.end = max(map(len, prompts))
        self._cache = PreallocatedKVCache(model.config, len(prompts), self.end + room)
        self.full = self._cache.full
        self._shared = _shared_length(prompts) if self.full else 0
        padding = [self.end - len(ids) for ids in prompts]
        rests = [
            [PAD] * empty + list(ids[self._shared :])
            for empty, ids in zip(padding, prompts, strict=True)
        ]
        self._ids = torch.tensor(rests, device=self.device)
        self._padding = torch.tensor(padding, device=self.device)[:, None]
        self._places = torch.arange(self.end + room, device=self.device)
        self._prefix = list(prompts[0][: self._shared])

    def read(self, keep: int = 1) -> Iterator[tuple[slice, Tensor]]:
        """Yield some of the prompts with their logits, shape (prompts, keep, vocabulary).

        Prompts are computed some at a time, so that those of similar length need little padding.
        keep: positions at the end of the prompts to give logits of.
        """
        if self._prefix:
            prefix = torch.tensor([self._prefix], device=self.device)
            self.forward(prefix, slice(0, len(self._ids)), 0)
        start = 0
        while start < len(self._ids):
            rows = slice(start, start + self._together(start))
            empty = int(self._padding[rows].min())
            yield rows, self.forward(self._ids[rows, empty:], rows, self._shared + empty, keep)
            start = rows.stop

    def _together(self, start: int) -> int:
        """Return how many prompts from here on share a forward pass."""
        if not self.full:
            return len(self._ids)
        if self.device.type != "cpu":
            return _TOGETHER
        longest = self._ids.shape[1] - int(self._padding[start : start + _TOGETHER].min())
        return min(_TOGETHER, max(1, _TOKENS_ON_CPU // longest))

    def keep(self, rows: list[int]) -> None:
        """Go on with these prompts, in this order."""
        kept = torch.tensor(rows, dtype=torch.long, device=self.device)
        self._cache.batch_select_indices(kept)
        self._padding = self._padding[kept]

    def forward(self, ids: Tensor, rows: slice, begin: int, keep: int = 1) -> Tensor:
        """Return the logits behind the last `keep` tokens, shape (rows, keep, vocabulary).

        ids: shape (rows, tokens); they stand from the place `begin` on, over what stood there.
        """
        self._cache.write_at(rows, begin)
        places = self._places[: begin + ids.shape[1]]
        padding = self._padding[rows][: len(ids)]
        seen = (places < self._shared) | (places >= self._shared + padding)
        positions = places - torch.where(places < self._shared, 0, padding)
        logits: Tensor = self._model(
            input_ids=ids,
            attention_mask=seen.long(),
            position_ids=positions[:, begin:].clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits
        return logits


def _shared_length(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with, one at least of each row being left to itself."""
    if len(rows) == 1:
        return 0
    alike = (len(set(tokens)) == 1 for tokens in zip(*rows, strict=False))
    return min(sum(takewhile(bool, alike)), min(map(len, rows)) - 1)
