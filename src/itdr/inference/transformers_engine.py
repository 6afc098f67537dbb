"""Answers and likelihoods from a model of transformers, in batches of prompts of like length."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from itdr.inference.batches import batches
from itdr.inference.engine import Answered, Prompt
from itdr.inference.greedy import greedy
from itdr.inference.likelihood import likelihoods
from itdr.inference.tokens import TokenPrompt, Tokens
from itdr.models.loading import load_adapted, load_model
from itdr.models.threads import side_by_side
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings


class TransformersEngine:
    """Greedy decoding with a model in memory, an adapter merged into its weights."""

    def __init__(self, model: ModelSettings, settings: InferenceSettings) -> None:
        """Keep the settings; the weights are loaded for the first prompts."""
        self._model, self._settings = model, settings
        self._tokens = Tokens(model, settings.max_length)

    def answer(
        self, prompts: Sequence[Prompt], answered: Collection[int], adapter: Path | None
    ) -> Iterator[Answered]:
        """Yield answers one batch at a time, as an Engine does."""
        model = load_adapted(self._model, adapter) if adapter else load_model(self._model)
        return self.answer_with(model, prompts, answered)

    def answer_with(
        self, model: Any, prompts: Sequence[Prompt], answered: Collection[int]
    ) -> Iterator[Answered]:
        """Yield the answers of a model that is loaded already."""
        tokens = self._tokens
        asked = tokens.prompts(prompts)
        if skipped := tokens.skipped(asked, answered):
            yield skipped
        at_once = self._settings.batches_at_once
        whole = [
            batch
            for scored in (False, True)
            for batch in batches(
                asked,
                [
                    position
                    for position, prompt in enumerate(asked)
                    if tokens.fits(prompt) and bool(prompt.choices) is scored
                ],
                size=self._settings.batch_size,
                tokens=self._settings.batch_tokens // at_once,
            )
        ]
        missing = ([position for position in batch if position not in answered] for batch in whole)

        def answers(batch: list[int]) -> Answered:
            of_batch = [asked[position] for position in batch]
            if of_batch[0].choices:
                told = likelihoods(model, of_batch)
                return [
                    (position, tokens.chosen(prompts[position], asked[position], of_prompt))
                    for position, of_prompt in zip(batch, told, strict=True)
                ]
            outputs = self._generate(model, of_batch)
            return [
                (position, tokens.answer(asked[position], ids))
                for position, ids in zip(batch, outputs, strict=True)
            ]

        with side_by_side(at_once) as do:
            yield from (do or map)(answers, filter(None, missing))

    def _generate(self, model: Any, prompts: list[TokenPrompt]) -> list[list[int]]:
        """Return the output of each prompt as token ids."""
        return greedy(model, prompts, self._tokens.ends)
