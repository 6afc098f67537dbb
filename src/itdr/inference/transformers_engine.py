"""Answers from transformers' own generation, in batches of prompts of similar length."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig

from itdr.inference.engine import Answer, Prompt


class TransformersEngine:
    """Greedy decoding with a model that is in memory."""

    def __init__(self, model: Any, tokenizer: Any, *, batch_size: int, max_length: int) -> None:
        """Keep the model; batch_size counts prompts, max_length tokens of prompt and answer."""
        self._model, self._tokenizer = model, tokenizer
        self._batch_size, self._max_length = batch_size, max_length
        own = model.generation_config.eos_token_id
        self._ends = {tokenizer.eos_token_id, *([own] if isinstance(own, int) else own or [])}

    def answer(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Answer]]:
        """Yield the position of a prompt and its answer, for every prompt, in any order."""
        room = [self._max_length - prompt.max_answer_tokens for prompt in prompts]
        asked = [i for i, prompt in enumerate(prompts) if len(prompt.ids) <= room[i]]
        for position in sorted(set(range(len(prompts))) - set(asked)):
            yield position, Answer("", "skipped", 0)
        # Prompts with the same output limit and nearly the same length share a batch, so that
        # few answers wait for a longer one and little is padded.
        asked.sort(key=lambda i: (prompts[i].max_answer_tokens, len(prompts[i].ids), i))
        for start in range(0, len(asked), self._batch_size):
            batch = asked[start : start + self._batch_size]
            answers = self._generate([prompts[i] for i in batch])
            yield from zip(batch, answers, strict=True)

    @torch.inference_mode()
    def _generate(self, prompts: list[Prompt]) -> list[Answer]:
        longest = max(len(prompt.ids) for prompt in prompts)
        pad = self._tokenizer.pad_token_id
        # Generation goes on at the right end, so padding stands on the left.
        ids = torch.tensor([[pad] * (longest - len(p.ids)) + p.ids for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p.ids)) + [1] * len(p.ids) for p in prompts])
        limit = max(prompt.max_answer_tokens for prompt in prompts)
        output = self._model.generate(
            input_ids=ids.to(self._model.device),
            attention_mask=mask.to(self._model.device),
            # A configuration of our own, or a model's own sampling settings would come in.
            generation_config=GenerationConfig(
                max_new_tokens=limit,
                do_sample=False,
                eos_token_id=sorted(self._ends),
                pad_token_id=pad,
            ),
        )
        return [
            self._answer(row[longest:].tolist(), prompt.max_answer_tokens)
            for row, prompt in zip(output, prompts, strict=True)
        ]

    def _answer(self, ids: list[int], limit: int) -> Answer:
        end = next((i for i, token in enumerate(ids) if token in self._ends), None)
        kept = ids[: limit if end is None else min(end, limit)]
        stopped = end is not None and end <= limit
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        return Answer(text, "stop" if stopped else "length", len(kept))
