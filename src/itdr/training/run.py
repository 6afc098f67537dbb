"""What is kept of a training: the adapter with its losses, its curve, its settings and its card."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from itdr.files.atomic import atomic_folder
from itdr.files.checksums import sha256
from itdr.files.formats import write_checked_json, write_text
from itdr.provenance import machine, provenance
from itdr.training.batches import Steps
from itdr.training.card import model_card
from itdr.training.curve import loss_curve, running_mean, validation_curve
from itdr.training.examples import Tokenized
from itdr.training.validation import best_of, values_in

_CARD = "README.md"
_PACKAGES = ("torch", "transformers", "peft", "accelerate")


@dataclass(frozen=True)
class Run:
    """A training that has come to its end.

    Attributes:
        manifest: what was asked for: model, checksums of weights and mixture, settings, seed, and
            the adapter that it starts from.
        data: the examples.
        passes: which of them each step had.
        state: the Trainer's state, with the history of losses.
        seconds, tokens: time of the optimiser steps since the last start, and tokens in them.
        validated_rows: how many rows validations were of; 0 without any.
        origin: where the examples come from, if that is known.
    """

    manifest: dict[str, Any]
    data: Tokenized
    passes: Steps
    state: Any
    seconds: float
    tokens: int
    validated_rows: int = 0
    origin: str | None = None

    @property
    def validation(self) -> dict[str, Any] | None:
        """What validations found: metric, rows, best step and value, and whether they ended it."""
        if not self.validated_rows:
            return None
        settings = self.manifest["settings"]["validation"]
        values = values_in(self.state)
        best = best_of(values, settings["metric"])
        return {
            "metric": settings["metric"],
            "rows": self.validated_rows,
            "best_step": best,
            "best_value": dict(values).get(best) if best else None,
            "stopped_early": self.state.global_step < self.state.max_steps,
        }


def write_run(out: Path, adapter: Path, run: Run) -> None:
    """Write the folder `out` with the files of the adapter in the folder `adapter`, and more.

    The losses in run.json are running means, those of single steps in losses.csv. What TensorBoard
    was given lies beside `adapter` in "runs" and comes along. `files` has the SHA-256 of each file
    but run.json and the card.
    """
    history = [entry for entry in run.state.log_history if "loss" in entry]
    losses = running_mean(np.array([entry["loss"] for entry in history]))
    record = run.manifest | {
        "data": run.origin,
        "datasets": sorted({place for name in run.data.names for place in name.split("/")[1:2]}),
        "examples": len(run.data.examples),
        "dropped": dict(run.data.dropped),
        "cut": dict(run.data.cut),
        "tokens": sum(len(example.ids) for example in run.data.examples),
        "steps": run.state.global_step,
        "first_loss": round(float(losses[0]), 6),
        "final_loss": round(float(losses[-1]), 6),
        "validation": run.validation,
        "tokens_per_second": round(run.tokens / run.seconds),
        "seconds": round(run.seconds, 1),
        "machine": machine(),
        "provenance": provenance(_PACKAGES),
    }
    rows = ["step,loss,learning_rate"]
    for entry in history:
        rows.append(f"{entry['step']},{entry['loss']:.6f},{entry['learning_rate']:.3e}")
    with atomic_folder(out, "train") as folder:
        for file in adapter.iterdir():
            if file.name != "training_args.bin":  # a pickle that nobody needs
                shutil.copyfile(file, folder / file.name)
        if (tracked := adapter.with_name("runs")).is_dir():
            shutil.copytree(tracked, folder / "runs")
        write_text(folder / "losses.csv", "\n".join(rows) + "\n")
        loss_curve(folder / "losses.png", [(entry["step"], entry["loss"]) for entry in history])
        if record["validation"]:
            _write_validation(folder, values_in(run.state), record["validation"])
        files = (
            path for path in sorted(folder.glob("[!.]*")) if path.is_file() and path.name != _CARD
        )
        record["files"] = {path.name: sha256(path) for path in files}
        write_checked_json(folder / "run.json", record)
        write_text(folder / _CARD, model_card(record))


def _write_validation(folder: Path, values: list[tuple[int, float | None]], told: Any) -> None:
    """Write validation.csv, where what was no finite number is empty, and its picture."""
    rows = ["step,metric,value,best"]
    for step, value in values:
        number = "" if value is None else f"{value:.6f}"
        best = "yes" if step == told["best_step"] else "no"
        rows.append(f"{step},{told['metric']},{number},{best}")
    write_text(folder / "validation.csv", "\n".join(rows) + "\n")
    known = [(step, value) for step, value in values if value is not None]
    if known:
        validation_curve(folder / "validation.png", known, told["metric"], told["best_step"])
