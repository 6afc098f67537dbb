"""Greedy decoding of prompts that share a forward pass.

transformers' own generate() copies all keys and values at every step, and goes on computing answers
that have ended until the last one has. Both cost most of the time in large batches, so the loop
stands here.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from itdr.inference.tokens import TokenPrompt


@torch.inference_mode()
def greedy(
    model: Any, prompts: Sequence[TokenPrompt], ends: Collection[int], pad: int
) -> list[list[int]]:
    """Return the most probable token, again and again, up to an end or the prompt's limit.

    An end is part of the output. ends, pad: token ids.
    """
    longest = max(len(prompt.ids) for prompt in prompts)
    room = longest + max(prompt.limit for prompt in prompts)
    # Answers go on at the right end, so padding stands on the left.
    lefts = [longest - len(prompt.ids) for prompt in prompts]
    filled = [[pad] * left + prompt.ids for left, prompt in zip(lefts, prompts, strict=True)]
    ids = torch.tensor(filled, device=model.device)
    left = torch.tensor(lefts, device=model.device)[:, None]
    places = torch.arange(room, device=model.device)
    cache = _cache(model, room)
    outputs: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    begin, end = 0, longest
    while True:
        logits = model(
            input_ids=ids,
            attention_mask=(places[:end] >= left).long(),
            position_ids=(places[begin:end] - left).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        ids = logits[:, -1].argmax(-1, keepdim=True)
        for row, token in zip(rows, ids.flatten().tolist(), strict=True):
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
            kept = torch.tensor(going, device=model.device)
            cache.batch_select_indices(kept)
            ids, left, rows = ids[kept], left[kept], [rows[at] for at in going]
        begin, end = end, end + 1


def _closed_up(places: Sequence[int]) -> list[int]:
    """Return places 0, 1, 2, ... where they are among those given; the last ones fill the gaps."""
    count = len(places)
    last = [place for place in places if place >= count]
    kept = set(places)
    return [place if place in kept else last.pop() for place in range(count)]


def _cache(model: Any, room: int) -> DynamicCache:
    """Return an empty cache; layers of another kind, such as sliding windows, stay as they are."""
    cache = DynamicCache(config=model.config)
    cache.layers = [
        _RoomyLayer(room) if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache


class _RoomyLayer(DynamicLayer):
    """The keys and values of one layer, in memory that is taken once.

    Shape of both: (prompts, heads, tokens, width of a head).
    """

    def __init__(self, room: int) -> None:
        """room: most tokens of a prompt and its answer."""
        super().__init__()
        self._room = room

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the memory."""
        super().lazy_initialization(key_states, value_states)
        self._whole = [
            states.new_empty((*states.shape[:2], self._room, states.shape[3]))
            for states in (key_states, value_states)
        ]
        self.keys, self.values = (whole[:, :, :0] for whole in self._whole)

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the states behind those that are there; return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        rows, _, new, _ = key_states.shape
        begin = self.keys.shape[2]
        for whole, states in zip(self._whole, (key_states, value_states), strict=True):
            whole[:rows, :, begin : begin + new] = states
        self.keys, self.values = (whole[:rows, :, : begin + new] for whole in self._whole)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these prompts, in this order; those that keep their place are not copied."""
        moved = (indices != torch.arange(len(indices), device=indices.device)).nonzero().flatten()
        for states in (self.keys, self.values):
            states[moved] = states[indices[moved]]
        self.keys, self.values = self.keys[: len(indices)], self.values[: len(indices)]
