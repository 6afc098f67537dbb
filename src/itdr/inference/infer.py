"""Letting a model answer test examples."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from itdr.inference.engine import Answer, Engine, Prompt
from itdr.instructions.record import PREDICTION, reference_columns
from itdr.instructions.split import first_rows
from itdr.models.prompt import PromptRenderer
from itdr.progress import progress
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings
from itdr.settings.task import load_task
from itdr.storage import write_parquet

log = logging.getLogger("itdr")


def infer(
    model: ModelSettings,
    adapter: Path | None,
    tests: Sequence[Path],
    out: Path,
    settings: InferenceSettings,
    *,
    tasks: Path,
) -> int:
    """Write the answers (columns: PREDICTION) to the first rows of each test part.

    Returns:
        The number of answers.

    Raises:
        MissingFileError, DataError: a test part is not there or not in the form of RECORD.
        ModelError: the model or the adapter cannot be had.
    """
    rows = first_rows(tests, settings.rows_per_cell)
    engine, renderer = _engine(model, adapter, settings)
    limits = _limits(tasks, {row["task"] for row in rows}, settings.answer_limit)
    prompts = [
        Prompt(renderer.prompt(row["instruction"], row["input"]), limits[row["task"]])
        for row in rows
    ]
    answers: dict[int, Answer] = {}
    with progress("answering", len(prompts), "prompts") as counter:
        for position, answer in engine.answer(prompts):
            answers[position] = answer
            counter.update(1)
    skipped = sum(answer.finish_reason == "skipped" for answer in answers.values())
    if skipped:
        log.warning("%d prompts leave no room for an answer in %d tokens; they count as unanswered",
                    skipped, settings.max_length)  # fmt: skip
    records = [
        reference_columns(row)
        | {
            "prompt_tokens": len(prompts[i].ids),
            "answer": answers[i].text,
            "finish_reason": answers[i].finish_reason,
            "answer_tokens": answers[i].tokens,
        }
        for i, row in enumerate(rows)
    ]
    write_parquet(out, pa.Table.from_pylist(records, schema=PREDICTION))
    return len(records)


def _limits(folder: Path, tasks: set[str], highest: int | None) -> dict[str, int]:
    own = {task: load_task(folder, task).max_answer_tokens for task in tasks}
    return {task: min(limit, highest or limit) for task, limit in own.items()}


def _engine(
    model: ModelSettings, adapter: Path | None, settings: InferenceSettings
) -> tuple[Engine, PromptRenderer]:
    from itdr.inference.transformers_engine import TransformersEngine
    from itdr.models.loading import load_adapted, load_model, load_tokenizer

    tokenizer = load_tokenizer(model)
    weights = load_adapted(model, adapter) if adapter else load_model(model)
    engine = TransformersEngine(
        weights, tokenizer, batch_size=settings.batch_size, max_length=settings.max_length
    )
    return engine, PromptRenderer(tokenizer)
