"""A model card with scores, and the same scores as a hub's evaluation results."""

import shutil
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import yaml

from itdr.errors import DataError
from itdr.files.atomic import atomic_folder
from itdr.files.formats import read_json_object, write_text
from itdr.instructions.protocol import origins
from itdr.instructions.tasks import TaskSettings
from itdr.reporting.scores import Key, Score, read_scores
from itdr.settings.metric import metric_title
from itdr.training.card import PICTURES, model_card
from itdr.vocabulary import Origin


def write_model_card(
    adapter: Path, scores: Path, out: Path, dataset: str, tasks: Mapping[str, TaskSettings]
) -> int:
    """Write README.md and .eval_results/itdr.yaml into the folder `out`, which is replaced.

    adapter: a folder of 'itdr train'. scores: of its answers. dataset: the id that the dataset has
    on a hub, which its results name.

    Returns:
        The number of values.

    Raises:
        MissingFileError, DataError: run.json or the scores are not there or not in their form.
    """
    record = read_json_object(adapter / "run.json")
    if "model" not in record or "settings" not in record:
        raise DataError(f"{adapter / 'run.json'}: not of 'itdr train'. Name an adapter's folder.")
    found = {key: score for key, score in read_scores(scores).items() if not isnan(score.value)}
    if any(Origin.SIMULATED in origins(score.protocol) for score in found.values()):
        record["data"] = Origin.SIMULATED.value
    with atomic_folder(out, "export model-card") as folder:
        rows = [_row(key, score) for key, score in found.items()]
        write_text(folder / "README.md", model_card(record, _index(found, tasks), rows))
        for name in PICTURES:
            if (adapter / name).is_file():
                shutil.copyfile(adapter / name, folder / name)
        (folder / ".eval_results").mkdir()
        results = [_result(key, score, dataset) for key, score in found.items()]
        text = yaml.safe_dump(results, sort_keys=False, allow_unicode=True)
        write_text(folder / ".eval_results" / "itdr.yaml", text)
    return len(found)


def _index(scores: Mapping[Key, Score], tasks: Mapping[str, TaskSettings]) -> list[dict[str, Any]]:
    """Return the results of a model-index: one per task and dataset."""
    cells: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (task, dataset, metric), score in scores.items():
        value = {"type": metric, "name": metric_title(metric), "value": round(score.value, 6)}
        cells.setdefault((task, dataset), []).append(value)
    return [
        {
            "task": {"type": "text-generation", "name": tasks[task].title},
            "dataset": {"type": dataset, "name": f"{task}/{dataset}", "split": "test"},
            "metrics": metrics,
        }
        for (task, dataset), metrics in cells.items()
    ]


def _result(key: Key, score: Score, dataset: str) -> dict[str, Any]:
    task, source, metric = key
    interval = "" if isnan(score.low) else f"95% interval {score.low:.4f} to {score.high:.4f}, "
    said = "".join(f", {origin} data" for origin in sorted(origins(score.protocol)))
    return {
        "dataset": {"id": dataset, "task_id": f"{task}/{source}/{metric}"},
        "value": round(score.value, 6),
        "notes": f"{interval}n = {score.n}, {score.n_unreadable} unreadable{said}",
    }


def _row(key: Key, score: Score) -> Sequence[str]:
    task, dataset, metric = key
    interval = "" if isnan(score.low) else f"{score.low:.3f} to {score.high:.3f}"
    return [task, dataset, metric_title(metric), f"{score.value:.3f}", interval, f"{score.n:,}",
            f"{score.n_unreadable:,}"]  # fmt: skip
