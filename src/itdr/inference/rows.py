"""From test rows to prompts, and from answers to rows of predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from itdr.inference.engine import GeneratedAnswer, Prompt
from itdr.instructions.choices import choices_of
from itdr.instructions.record import reference_columns
from itdr.instructions.tasks import TaskSettings, load_task


def prompts_of(
    rows: Sequence[Mapping[str, Any]],
    folders: Sequence[Path],
    answer_limit: int | None = None,
    *,
    description: bool = True,
) -> list[Prompt]:
    """Return what is asked in rows of RECORD; options: as for infer.

    Raises:
        SettingsError: a task has no file.
    """
    tasks = {name: load_task(name, folders) for name in {row["task"] for row in rows}}
    limits = {name: _limit(task, answer_limit) for name, task in tasks.items()}
    return [
        Prompt(
            row["id"],
            row["instruction"] if description else "",
            row["input"],
            limits[row["task"]],
            choices_of(tasks[row["task"]].choices, row),
        )
        for row in rows
    ]


def predictions_of(
    rows: Sequence[Mapping[str, Any]],
    answers: Mapping[str, GeneratedAnswer],
    maker: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of PREDICTION that the answers by id to rows of RECORD make.

    maker: the columns that say what gave the answers; none: they stay empty.
    """
    return [
        reference_columns(row)
        | dict(maker or {})
        | {
            "prompt_tokens": answers[row["id"]].prompt_tokens,
            "answer": answers[row["id"]].text,
            "finish_reason": answers[row["id"]].finish_reason,
            "answer_tokens": answers[row["id"]].tokens,
            "choices": _choices(answers[row["id"]]),
        }
        for row in rows
    ]


def _choices(answer: GeneratedAnswer) -> list[dict[str, Any]] | None:
    return None if answer.choices is None else [asdict(choice) for choice in answer.choices]


def _limit(task: TaskSettings, highest: int | None) -> int:
    own = task.max_answer_tokens or 0
    return min(own, highest or own)
