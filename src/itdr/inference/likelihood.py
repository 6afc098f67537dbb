"""Likelihoods of the choices of prompts that share a forward pass.

A prompt is computed once. Its keys and values stay where they are, and one choice after the other
is written behind them, over the one before. The first token of every choice is told by the logits
at the end of the prompt, so a choice of one token needs no pass of its own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from itdr.inference.passes import PAD, PromptBatch
from itdr.inference.tokens import TokenPrompt

Told = tuple[float, bool]
"""The sum of a choice's log-probabilities, and whether each token was the most probable one."""


@torch.inference_mode()
def likelihoods(model: Any, prompts: Sequence[TokenPrompt]) -> list[list[Told]]:
    """Return what a model tells of every choice of every prompt, in their order."""
    # Those with most choices stand first, so that the n-th choices are those of the first rows.
    order = sorted(range(len(prompts)), key=lambda at: -len(prompts[at].choices))
    sorted_prompts = [prompts[at] for at in order]
    room = max(prompt.limit for prompt in prompts)
    batch = PromptBatch(model, [prompt.ids for prompt in sorted_prompts], room)
    tell = _after_prompts if batch.full else _by_themselves
    told = tell(model, batch, sorted_prompts)
    found: list[list[Told]] = [[] for _ in prompts]
    for at, of_prompt in zip(order, told, strict=True):
        found[at] = of_prompt
    return found


def _after_prompts(
    model: Any, batch: PromptBatch, prompts: Sequence[TokenPrompt]
) -> list[list[Told]]:
    """Write choices behind their prompts, first the shortest one of each, and so on."""
    first = _padded([[choice[0] for choice in p.choices] for p in prompts], batch.device)
    sums = torch.zeros(first.shape, dtype=torch.float64, device=batch.device)
    tops = torch.zeros(first.shape, dtype=torch.bool, device=batch.device)
    for some, logits in batch.read():
        sums[some], tops[some] = _of_tokens(logits[:, -1], first[some])
    by_length = [sorted(enumerate(p.choices), key=_length) for p in prompts]
    for place in range(len(prompts[0].choices)):
        written = [choices[place] for choices in by_length if len(choices) > place]
        texts = [ids for _, ids in written]
        if max(map(len, texts)) == 1:
            continue
        rows = slice(0, len(written))
        given = _padded([ids[:-1] for ids in texts], batch.device)
        logits = batch.forward(given, rows, batch.end, given.shape[1])
        more, top = _of_texts(logits, [ids[1:] for ids in texts])
        index = torch.tensor([at for at, _ in written], device=batch.device)[:, None]
        sums[rows] = sums[rows].scatter_add(1, index, more[:, None])
        tops[rows] = tops[rows].scatter(1, index, tops[rows].gather(1, index) & top[:, None])
    return _told(sums, tops, prompts)


def _length(choice: tuple[int, Sequence[int]]) -> int:
    return len(choice[1])


def _by_themselves(
    model: Any, batch: PromptBatch, prompts: Sequence[TokenPrompt]
) -> list[list[Told]]:
    """Compute every choice with its prompt, where layers do not keep all of a prompt."""
    most = len(prompts[0].choices)
    sums = torch.zeros((len(prompts), most), dtype=torch.float64, device=batch.device)
    tops = torch.zeros((len(prompts), most), dtype=torch.bool, device=batch.device)
    for place in range(most):
        asked = [p for p in prompts if len(p.choices) > place]
        texts = [list(p.choices[place]) for p in asked]
        whole = [[*p.ids, *ids[:-1]] for p, ids in zip(asked, texts, strict=True)]
        longest = max(map(len, texts))
        ((_, logits),) = PromptBatch(model, whole, 0).read(longest)
        # Prompts end together at the right, so a short choice begins later than a long one.
        for row, ids in enumerate(texts):
            of_text = logits[row : row + 1, longest - len(ids) :]
            total, top = _of_texts(of_text, [ids])
            sums[row, place], tops[row, place] = total[0], top[0]
    return _told(sums, tops, prompts)


def _of_tokens(logits: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of tokens, shape (rows, tokens), and whether none is more probable.

    logits: shape (rows, vocabulary).
    """
    logits = logits.float()
    own = logits.gather(-1, tokens)
    logprobs = own - logits.logsumexp(-1, keepdim=True)
    return logprobs.double(), own >= logits.amax(-1, keepdim=True)


def _of_texts(logits: Tensor, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return the sum of each row's log-probabilities and whether each token is the most probable.

    logits: shape (rows, tokens, vocabulary); texts: as many tokens a row at most.
    """
    tokens = _padded(texts, logits.device)
    lengths = torch.tensor([len(ids) for ids in texts], device=logits.device)
    sums = torch.zeros(len(texts), dtype=torch.float64, device=logits.device)
    tops = torch.ones(len(texts), dtype=torch.bool, device=logits.device)
    for place in range(tokens.shape[1]):  # one at a time, for the copy of the logits in 32 bits
        logprobs, top = _of_tokens(logits[:, place], tokens[:, place : place + 1])
        counts = lengths > place
        sums += torch.where(counts, logprobs[:, 0], 0.0)
        tops &= top[:, 0] | ~counts
    return sums, tops


def _padded(rows: Sequence[Sequence[int]], device: Any) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*ids, *[PAD] * (longest - len(ids))] for ids in rows], device=device)


def _told(sums: Tensor, tops: Tensor, prompts: Sequence[TokenPrompt]) -> list[list[Told]]:
    return [
        list(zip(of_sums, of_tops, strict=True))[: len(prompt.choices)]
        for of_sums, of_tops, prompt in zip(sums.tolist(), tops.tolist(), prompts, strict=True)
    ]
