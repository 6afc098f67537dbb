"""What was run: data, tasks, models, settings, machine and commit, each in a line."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from itdr.instructions.tasks import TaskSettings
from itdr.provenance import machine, provenance
from itdr.reporting.printing import task_title
from itdr.reporting.results import Results
from itdr.reporting.run import Run
from itdr.settings.paper import TRIVIAL, Layout
from itdr.vocabulary import Origin, Part

Fact = tuple[str, str]

ORIGINS = {
    Origin.REAL: "real",
    Origin.SIMULATED: "simulated, from a program and not from users",
    Origin.RELEASED: "released, the examples that the paper's authors published",
}


def facts(
    results: Results, run: Run, layout: Layout, tasks: Mapping[str, TaskSettings]
) -> list[Fact]:
    """Return names with texts, most important first; what is not known is left out."""
    found = [
        ("Data", _data(results, run)),
        ("Tasks", _tasks(results, run, tasks)),
        ("Models", "; ".join(layout.column_title(column) for column in results.columns)),
        ("Baselines", _baselines(results)),
        ("Examples", _examples(results, run)),
        ("How examples were made", _protocol(results)),
        ("Training", "; ".join(_training(c, run, layout) for c in run.trainings)),
        ("Inference", _inference(run)),
        ("Seed", _seed(run)),
        ("Machine", _machine(run)),
        ("Code", _code(run)),
        ("Time", _time(run)),
    ]
    return [(name, text) for name, text in found if text]


def places(results: Results, run: Run) -> list[tuple[str, str]]:
    """Return the tasks and datasets that were answered, or, before any was, those built."""
    return list(dict.fromkeys(key[:2] for key in results.rows)) if results.is_run else list(
        run.examples)  # fmt: skip


def _data(results: Results, run: Run) -> str:
    known = results.origins.of if results.is_run else run.origins.of
    cells = places(results, run)
    counts = Counter(origin for cell in cells for origin in known.get(cell, ()))
    parts = [f"{ORIGINS[origin]} ({many} of {len(cells)} pairs of task and dataset)"
             for origin, many in counts.items()]  # fmt: skip
    silent = sum(not known.get(cell) for cell in cells)
    parts += [f"not said ({silent} of {len(cells)} pairs)"] if silent and cells else []
    return "; ".join([*parts, *_raw(run)])


def _raw(run: Run) -> list[str]:
    files = [file for raw in run.raw.values() if raw.get("data") == Origin.REAL
             for file in raw.get("files", ())]  # fmt: skip
    if not files:
        return []
    same = Counter(file.get("published") for file in files)
    kinds = {True: "as published, by checksum", False: "unlike the published ones, as samples are",
             None: "without a published checksum"}  # fmt: skip
    named = [f"{same[kind]} {said}" for kind, said in kinds.items() if same[kind]]
    return [f"raw files: {', '.join(named)}"]


def _tasks(results: Results, run: Run, tasks: Mapping[str, TaskSettings]) -> str:
    counts = Counter(task for task, _ in places(results, run))
    return "; ".join(
        f"{task_title(task, tasks)} ({task}), {many} dataset{'' if many == 1 else 's'}"
        for task, many in counts.items()
    )


def _baselines(results: Results) -> str:
    return ", ".join(variant for model, variant in results.scores if model == TRIVIAL)


def _examples(results: Results, run: Run) -> str:
    cells = run.audit.get("cells", ())
    by_part = ", ".join(f"{sum(cell[part] for cell in cells):,} {part}" for part in Part)
    built = f"{sum(run.examples.values()):,} ({by_part})" if cells else ""
    sizes = {score.n for column in results.columns
             for score in results.scores.get(column, {}).values()}  # fmt: skip
    asked = f"{_range(sizes)} test rows answered in each cell" if sizes else ""
    return "; ".join(filter(None, (built, asked)))


def _protocol(results: Results) -> str:
    """Return what the scores of the models say of how examples were made."""
    texts = [text for column in results.columns for score in results.scores.get(column, {}).values()
             for text in score.protocol.split(" | ")]  # fmt: skip
    parts = dict.fromkeys(part for text in texts for part in text.split("; ")
                          if part.startswith(("split: ", "negatives: ")))  # fmt: skip
    return "; ".join(parts)


def _training(column: tuple[str, str], run: Run, layout: Layout) -> str:
    facts = run.trainings[column].run
    settings = facts.get("settings", {})
    return (
        f"{layout.column_title(column)}: LoRA of rank {settings.get('lora_rank')} (alpha "
        f"{settings.get('lora_alpha')}), learning rate {settings.get('learning_rate'):g}, "
        f"{settings.get('epochs'):g} epochs, {settings.get('batch_size')} "
        f"{settings.get('batch_unit', 'examples')} a step, {facts.get('steps', 0):,} steps over "
        f"{facts.get('examples', 0):,} examples"
    )


def _inference(run: Run) -> str:
    settings = run.started.get("settings", {}).get("inference", {})
    if not settings:
        return ""
    limit = settings.get("answer_limit")
    return (
        f"greedy, engine {settings.get('engine')}, at most {settings.get('rows_per_cell')} rows a "
        f"cell, {settings.get('max_length'):,} tokens"
        + (f", of these {limit} for the answer" if limit else "")
    )


def _seed(run: Run) -> str:
    seeds = {training.run.get("seed") for training in run.trainings.values()}
    seeds |= {run.started.get("settings", {}).get("seed")}
    return ", ".join(sorted(str(seed) for seed in seeds if seed is not None))


def _machine(run: Run) -> str:
    """Return where trainings ran, or else where the workflow was started, or else this machine."""
    trained = [training.run["machine"] for training in run.trainings.values()
               if training.run.get("machine")]  # fmt: skip
    known = trained or [run.started.get("machine") or machine()]
    texts = dict.fromkeys(
        f"{here['processor']}, {here['cores']} cores, {here['memory_gb']} GB of memory, "
        f"GPUs: {here['gpus']} ({here['system']})"
        for here in known
    )
    return "; ".join(texts)


def _code(run: Run) -> str:
    """Return the commits of trainings, of the workflow's start and of this report."""
    stages: list[tuple[str, Mapping[str, Any]]] = [
        *(("training", training.run.get("provenance", {})) for training in run.trainings.values()),
        ("start of the workflow", run.started.get("provenance", {})),
        ("this report", provenance()),
    ]
    by_commit: dict[str, list[str]] = {}
    for stage, made in stages:
        if commit := made.get("commit"):
            by_commit.setdefault(str(commit), []).append(stage)
    here = provenance()
    named = [f"commit {commit} ({', '.join(dict.fromkeys(stages))})"
             for commit, stages in by_commit.items()]  # fmt: skip
    return f"ITDR-pipeline {here['itdr']}, {'; '.join(named)}; Python {here['python']}"


def _time(run: Run) -> str:
    if not run.seconds:
        return ""
    return f"{duration(sum(run.seconds.values()))} in {len(run.seconds):,} jobs"


def duration(seconds: float) -> str:
    """Return a time for people, such as "1 h 05 min" or "4 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _range(sizes: Iterable[int]) -> str:
    found: Sequence[int] = sorted(set(sizes))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"
