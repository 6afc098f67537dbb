"""Letting a model answer test examples."""

import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.checksums import fingerprint, sha256
from itdr.files.formats import read_json_object, write_parquet
from itdr.files.progress import progress
from itdr.files.resume import resume_state
from itdr.inference.engine import Engine, GeneratedAnswer, Prompt
from itdr.inference.engines import engine_name, open_engine
from itdr.inference.journal import Journal
from itdr.inference.rows import predictions_of, prompts_of
from itdr.instructions.asked import first_rows
from itdr.instructions.record import PREDICTION
from itdr.models.loading import ADAPTER_WEIGHTS, check_adapter
from itdr.provenance import Maker
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import REQUESTED, ModelEndpoint, ModelSettings

log = logging.getLogger("itdr")

# What a model's file says that does not change its answers.
_NOT_IN_ANSWERS: Any = {
    "title": True,
    "gated": True,
    "lora_targets": True,
    **dict.fromkeys(REQUESTED, True),
    "endpoint": {
        name
        for name in ModelEndpoint.model_fields
        if name not in ("base_url", "model", "temperature", "reasoning_effort")
    },
}
_NAMED = 5  # unanswered examples that the log names


def infer(
    model: ModelSettings,
    outputs: Mapping[Path, Path | None],
    tests: Sequence[Path],
    settings: InferenceSettings,
    *,
    folders: Sequence[Path],
    description: bool = True,
) -> int:
    """Write the answers (columns: PREDICTION) to the first rows of each test part.

    Until a file of answers is there, the answers so far lie beside it in a folder that ends with
    ".answers"; started again, only what is missing is asked.

    outputs: file to write, with the adapter whose answers it gets (None: the base model). The base
        model is loaded once for all of them.
    description: whether prompts hold the task description.

    Returns:
        The number of answers in each file.

    Raises:
        MissingFileError, DataError: a test part is not there or not in the form of RECORD, or the
            answers so far belong to another run.
        ModelError: the model or an adapter cannot be had.
        BusyError: another process is writing one of the outputs.
        DiskFullError: there is no room for the answers.
    """
    rows = first_rows(tests, settings.rows_per_cell)
    _check_ids(rows)
    prompts = prompts_of(rows, folders, settings.answer_limit, description=description)
    adapters = list(dict.fromkeys(filter(None, outputs.values())))
    engine: Engine | None = None
    for out, adapter in outputs.items():
        folder = out.with_name(f"{out.stem}.answers")
        with resume_state(folder):
            manifest = _manifest(model, adapter, prompts, settings)
            with closing(Journal(folder, manifest, [row["id"] for row in rows])) as journal:
                if (there := len(journal.answers)) < len(rows):
                    if there:
                        log.info("%s: going on after %s of %s answers",
                                 out, f"{there:,}", f"{len(rows):,}")  # fmt: skip
                    engine = engine or open_engine(model, settings, adapters)
                    _ask(engine, adapter, rows, prompts, journal)
            _report_unanswered(out, rows, journal.answers, settings.max_length)
            maker = _maker(model, adapter, manifest)
            predictions = predictions_of(rows, journal.answers, maker.columns)
            write_parquet(out, pa.Table.from_pylist(predictions, schema=PREDICTION))
            shutil.rmtree(folder)
    return len(rows)


def _check_ids(rows: Sequence[Mapping[str, Any]]) -> None:
    name, times = Counter(row["id"] for row in rows).most_common(1)[0] if rows else ("", 0)
    if times > 1:
        raise DataError(
            f"the test parts hold the id {name!r} {times} times; every example may be answered "
            "once. Name each part once."
        )


def _ask(
    engine: Engine,
    adapter: Path | None,
    rows: Sequence[Mapping[str, Any]],
    prompts: Sequence[Prompt],
    journal: Journal,
) -> None:
    answered = {i for i, row in enumerate(rows) if row["id"] in journal.answers}
    with progress("answering", len(rows) - len(answered), "prompts") as counter:
        for came in engine.answer(prompts, answered, adapter):
            journal.add((rows[position]["id"], answer) for position, answer in came)
            counter.update(len(came))


def _report_unanswered(
    out: Path,
    rows: Sequence[Mapping[str, Any]],
    answers: Mapping[str, GeneratedAnswer],
    max_length: int,
) -> None:
    for reason, why in {
        "skipped": f"leave no room for an answer in {max_length} tokens or the model's own limit",
        "refused": "were refused",
    }.items():
        ids = [row["id"] for row in rows if answers[row["id"]].finish_reason == reason]
        if ids:
            named = ", ".join(ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
            log.warning("%s: %d prompts %s and count as unanswered: %s", out, len(ids), why, named)


def _manifest(
    model: ModelSettings,
    adapter: Path | None,
    prompts: Sequence[Prompt],
    settings: InferenceSettings,
) -> dict[str, Any]:
    """Return all that decides the answers.

    How many prompts share a forward pass may change, so that a run that ended for want of memory
    can go on with less.
    """
    if adapter:
        check_adapter(adapter)
    return {
        "model": model.model_dump(mode="json", exclude=_NOT_IN_ANSWERS),
        "weights": _folder_checksums(Path(model.source)) if model.is_local else None,
        "adapter": _folder_checksums(adapter) if adapter else None,
        "engine": engine_name(model, settings),
        "max_length": settings.max_length,
        "prompts": fingerprint(
            [
                [prompt.id, prompt.instruction, prompt.text, prompt.max_answer_tokens]
                + ([prompt.choices] if prompt.choices else [])
                for prompt in prompts
            ]
        ),
    }


def _maker(model: ModelSettings, adapter: Path | None, manifest: Mapping[str, Any]) -> Maker:
    """Return what gives the answers that a manifest describes."""
    record = adapter / "run.json" if adapter else None
    trained = read_json_object(record) if record and record.is_file() else {}
    return Maker(
        engine=manifest["engine"],
        model=model.model,
        revision=model.revision or manifest["weights"],
        adapter=sha256(adapter / ADAPTER_WEIGHTS) if adapter else None,
        seed=trained.get("seed"),
    )


def _folder_checksums(folder: Path) -> str:
    files = sorted(path for path in folder.glob("*") if path.is_file())
    return fingerprint([[path.name, sha256(path)] for path in files])
