"""Task files for EleutherAI's lm-evaluation-harness, without a row of data.

A task file names a test part and the functions of a small module beside it, which come from
itdr.evaluation.harness.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_text
from itdr.instructions.asked import first_rows
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.settings.metric import lower_is_better

_MODULE = '''"""What the task files beside this one name; it needs the package itdr."""

from itdr.evaluation import harness

load = harness.load
prompt = harness.prompt
collect = harness.collect
'''


class _Function(str):
    """The name of a function of the module beside a task file."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Function, lambda dumper, name: dumper.represent_scalar("!function", f"utils.{name}")
)


def export(parts: Sequence[Path], out: Path, rows_per_cell: int, folders: Sequence[Path]) -> int:
    """Write a task file for each test part and utils.py into the folder `out`, which is replaced.

    parts: files test.parquet of 'itdr split', which the task files name by absolute paths.
    rows_per_cell: most rows of each that are asked.

    Returns:
        The number of task files.

    Raises:
        MissingFileError, DataError: a part is not there, not in the form of RECORD or empty.
    """
    aggregations: dict[str, str] = {}
    with atomic_folder(out, "export lm-eval") as folder:
        for part in parts:
            row = first_rows([part], 1)[0]
            task = load_task(row["task"], folders)
            source = {"part": str(part.resolve()), "rows": rows_per_cell,
                      "folders": [str(path) for path in folders]}  # fmt: skip
            text = _task_file(task, row["dataset"], source, aggregations)
            write_text(folder / f"itdr_{row['task']}_{row['dataset']}.yaml", text)
        lines = [f'{name} = harness.aggregation("{metric}")\n' for name, metric in
                 aggregations.items()]  # fmt: skip
        write_text(folder / "utils.py", _MODULE + "".join(lines))
    return len(parts)


def _task_file(
    task: TaskSettings, dataset: str, source: Mapping[str, Any], aggregations: dict[str, str]
) -> str:
    """Return a task file and note the functions that it names; source: what `load` takes."""
    metrics = []
    for metric in task.metrics_of(dataset):
        name = "".join(c if c.isalnum() else "_" for c in metric)
        aggregations[name] = metric
        metrics.append({"metric": metric, "aggregation": _Function(name),
                        "higher_is_better": not lower_is_better(metric)})  # fmt: skip
    value = {
        "task": f"itdr_{task.task}_{dataset}",
        "tag": "itdr",
        "custom_dataset": _Function("load"),
        "dataset_kwargs": dict(source),
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": _Function("prompt"),
        "doc_to_target": "reference",
        "process_results": _Function("collect"),
        "generation_kwargs": {"until": [], "max_gen_toks": task.max_answer_tokens,
                              "do_sample": False},
        "metric_list": metrics,
        "metadata": {"version": task.version},
    }  # fmt: skip
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
