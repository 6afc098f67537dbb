"""Greedy decoding of prompts that share a forward pass.

transformers' own generate() copies all keys and values at every step, goes on computing answers
that have ended until the last one has, and computes the prefix that all prompts share, their task
description, for each of them. The loop stands here because these three cost most of the time.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch

from itdr.inference.passes import PromptBatch
from itdr.inference.tokens import TokenPrompt


@torch.inference_mode()
def greedy(model: Any, prompts: Sequence[TokenPrompt], ends: Collection[int]) -> list[list[int]]:
    """Return the most probable token, again and again, up to an end or the prompt's limit.

    An end is part of the output. ends: token ids.
    """
    room = max(prompt.limit for prompt in prompts)
    batch = PromptBatch(model, [prompt.ids for prompt in prompts], room)
    outputs: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    best = torch.cat([logits.argmax(-1) for _, logits in batch.read()])
    end = batch.end
    while True:
        for row, token in zip(rows, best.flatten().tolist(), strict=True):
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
            best = best[going]
        best = batch.forward(best, slice(0, len(rows)), end).argmax(-1)
        end += 1


def _closed_up(places: Sequence[int]) -> list[int]:
    """Return places 0, 1, 2, ... where they are among those given; the last ones fill the gaps."""
    count = len(places)
    last = [place for place in places if place >= count]
    kept = set(places)
    return [place if place in kept else last.pop() for place in range(count)]
