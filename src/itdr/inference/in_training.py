"""Answers of a model while it is trained."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from itdr.inference.rows import predictions_of, prompts_of
from itdr.inference.transformers_engine import TransformersEngine
from itdr.instructions.record import PREDICTION
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings

_NOTHING_SAID = dict.fromkeys(PREDICTION.names)
"""A prediction that nobody tells anything of, such as by which engine it was made."""


def answers_in_training(
    model: ModelSettings,
    rows: Sequence[Mapping[str, Any]],
    *,
    folders: Sequence[Path],
    description: bool,
    batch_tokens: int,
) -> Callable[[Any, Sequence[int]], list[dict[str, Any]]]:
    """Return what answers some of the rows, by their places, with a loaded model.

    rows: of RECORD, with `protocol`. folders: of configuration. description: whether prompts hold
    the task description. batch_tokens: most tokens in a forward pass. What comes back are rows of
    PREDICTION.

    Raises:
        ModelError: the tokenizer cannot be had.
        SettingsError: a task has no file.
    """
    engine = TransformersEngine(model, InferenceSettings(batch_tokens=batch_tokens))
    prompts = prompts_of(rows, folders, description=description)

    def answer(loaded: Any, places: Sequence[int]) -> list[dict[str, Any]]:
        asked = [prompts[place] for place in places]
        answers = {
            asked[at].id: given
            for came in engine.answer_with(loaded, asked, ())
            for at, given in came
        }
        given = predictions_of([rows[place] for place in places], answers)
        return [_NOTHING_SAID | row for row in given]

    return answer
