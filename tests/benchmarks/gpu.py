"""Training and answering on a GPU, at full depth, with random weights: nothing is downloaded.

    PYTHONPATH=src:. python tests/benchmarks/gpu.py [--device cpu] [--models NAME ...]

Each of the paper's models is trained for 15 steps that are not timed and 40 that are, of eight
examples each, whose lengths are drawn from config/papers/itdr/statistics.csv. Each way to train
runs on the same weights. Then vLLM, if .venv-vllm has it, answers 1,000 prompts with an adapter,
its weights made up as well. The last table holds what was measured against the bounds for one H200
and says what to write into config/rates.yaml. Writes results/gpu.csv.

tokens_per_s counts the tokens of the examples, computed_share those of them that were computed
(shared prefixes are once). mfu is the operations on computed tokens, four for each frozen weight of
the layers (two forward, two for the gradient of activations), as a share of --peak, and busy_share
the share of time in which a kernel ran. On a CPU (--device cpu) the models are small and few steps
are made, to try the benchmark itself; nothing is written.
"""

import argparse
import csv
import gc
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from itdr.models.prompt import TokenizedExample
from itdr.provenance import provenance
from itdr.settings.model import ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.checkpointing import memory_of
from itdr.training.setup import make_trainer, training_arguments
from tests.gpu import models
from tests.gpu.counting import kernels

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "gpu.csv"
VLLM_PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
WAYS: dict[str, dict[str, Any]] = {
    "as configured": {},
    "prefixes not shared": {"share_prefixes": False},
    "all layers checkpointed": {"gradient_checkpointing": True},
    "compiled": {"compile": True},
}
MFU = {"qwen2.5-7b": 0.45, "glm-4-9b": 0.45, "llama-3.2-3b": 0.38}
ANSWERING = 20_000  # tokens per second of prompts and answers, Qwen2.5-7B
FIELDS = ("model", "way", "examples_per_s", "tokens_per_s", "computed_share", "mfu", "busy_share",
          "launches_per_step", "peak_gb", "reckoned_gb", "machine", "versions",
          "commit")  # fmt: skip
EXAMPLES = 8  # of a step


def main() -> None:
    """Measure, print the tables and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--models", nargs="+", choices=models.NAMES, default=models.NAMES)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--peak", type=float, default=989e12, help="operations per second (default: an H200's)"
    )
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)  # in vLLM's Python
    args = parser.parse_args()
    if args.answer:
        answer(args.answer)
        return
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("There is no GPU here. To try the benchmark itself: make bench-gpu DEVICE=cpu")
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in args.models:
            rows += trained(name, Path(folder), args)
        rows += answered(Path(folder), args)
    if args.device == "cuda":
        with RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(rows)
    show(rows, args.device)


def trained(name: str, folder: Path, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the row of each way to train a model."""
    untimed, timed = (15, 40) if args.device == "cuda" else (1, 2)
    plan, examples = steps(untimed + timed + 5, args.device)
    for way in args.ways:
        base = models.make(name, args.device, _dtype(args.device), _layers(args.device))
        weights = sum(m.weight.numel() for n, m in base.named_modules()
                      if isinstance(m, torch.nn.Linear) and "lm_head" not in n)  # fmt: skip
        settings = TrainingSettings(**WAYS[way], save_steps=10**6)
        model = ModelSettings(model=name, title=name, source=name, memory_mb=500)
        out = folder / f"{name}-{way.replace(' ', '-')}"
        arguments = training_arguments(model, out, settings, len(plan), 0)
        trainer = make_trainer(base, model, examples, plan, settings=settings, arguments=arguments)
        clock = Clock(untimed, timed)
        trainer.add_callback(clock)
        trainer.train()
        first, last = untimed, untimed + timed
        tokens = sum(trainer.steps.tokens(step) for step in range(first, last))
        rows = [row for step in range(first, last) for row in trainer.steps[step]]
        computed = sum(row["input_ids"].numel() for row in rows)
        longest = max(rows, key=lambda row: row["input_ids"].numel())
        memory = memory_of(trainer.model)
        checkpointed = memory.layers if settings.gradient_checkpointing is True else 0
        reckoned = memory.needed(
            longest["input_ids"].numel(), longest["wanted"].numel(), checkpointed
        )
        row = {
            "model": name,
            "way": way,
            "examples_per_s": round(EXAMPLES * timed / clock.seconds, 2),
            "tokens_per_s": round(tokens / clock.seconds),
            "computed_share": round(computed / tokens, 3),
            "mfu": round(4 * weights * computed / clock.seconds / args.peak, 4),
            "reckoned_gb": round(reckoned / 1e9, 1),
            **clock.found,
            **machine(args.device),
        }
        print({key: row[key] for key in list(row)[:-3]}, flush=True)
        yield row
        if way == "as configured":
            trainer.save_model(str(folder / name / "adapter"))
        del base, trainer
        gc.collect()
        torch.cuda.empty_cache()


class Clock(TrainerCallback):
    """Times the steps after the first ones, and looks at the kernels of five more."""

    def __init__(self, untimed: int, timed: int) -> None:
        """Keep how many steps of each kind there are."""
        self.first, self.last = untimed, untimed + timed
        self.seconds = 0.0
        self.found: dict[str, float] = {}
        self._profile: Any = None

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start or stop the clock, or what looks at kernels."""
        cuda = torch.cuda.is_available()
        if state.global_step == self.first:
            self._wait(cuda)
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            self._begin = time.monotonic()
        elif state.global_step == self.last:
            self._wait(cuda)
            self.seconds = time.monotonic() - self._begin
            if cuda:
                self.found["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 1)
                self._profile = kernels()
                self._kernels = self._profile.__enter__()
                self._begin = time.monotonic()
        elif state.global_step == state.max_steps and self._profile:
            self._wait(cuda)
            seconds = time.monotonic() - self._begin
            self._profile.__exit__(None, None, None)
            count = state.max_steps - self.last
            self.found["launches_per_step"] = round(self._kernels.total() / count)
            self.found["busy_share"] = round(self._kernels.seconds / seconds, 3)

    def _wait(self, cuda: bool) -> None:
        if cuda:
            torch.cuda.synchronize()


def steps(count: int, device: str) -> tuple[list[list[int]], list[TokenizedExample]]:
    """Return steps of examples whose tasks and lengths are the paper's mixture's, by chance."""
    with (ROOT / "config" / "papers" / "itdr" / "statistics.csv").open(newline="") as file:
        pairs = list(csv.DictReader(file))
    chance, scale = random.Random(0), 1 if device == "cuda" else 8
    head = [chance.randrange(250) for _ in range(24)]  # of a chat template
    tasks = {row["task"]: [chance.randrange(250) for _ in range(46)] for row in pairs}
    drawn = chance.choices(pairs, [int(row["examples"]) for row in pairs], k=EXAMPLES * count)
    examples = []
    for row in drawn:
        spread = chance.uniform(0.5, 1.5)
        prompt = max(2, round(float(row["mean_input_tokens"]) * spread) // scale)
        answer = max(2, round(float(row["mean_output_tokens"]) * spread) // scale)
        start = [*head, *tasks[row["task"]]]
        ids = [*start, *(chance.randrange(250) for _ in range(prompt + answer))]
        ids = ids[:2048]
        examples.append(TokenizedExample(np.array(ids, np.int32), max(1, len(ids) - answer)))
    numbers = list(range(len(examples)))
    plan = [numbers[start : start + EXAMPLES] for start in range(0, len(numbers), EXAMPLES)]
    return plan, examples


def answered(folder: Path, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the row of vLLM, which runs in a Python of its own."""
    name = args.models[0]
    if not VLLM_PYTHON.exists() or not (folder / name / "adapter").is_dir():
        print("vLLM is not installed (make setup-vllm), or no adapter was made: not measured")
        return
    work = {
        "model": str(models.write_described(folder, name, args.device, _layers(args.device))),
        "adapter": str(folder / name / "adapter"),
        "prompts": 1000 if args.device == "cuda" else 8,
        "device": args.device,
    }
    (folder / "work.json").write_text(json.dumps(work))
    done = subprocess.run(
        [VLLM_PYTHON, __file__, "--answer", folder / "work.json"], capture_output=True, text=True,
        check=False, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"vLLM failed:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    yield {"model": name, "way": "vLLM, one adapter", **found, **machine(args.device)}


def answer(work: Path) -> None:
    """Time vLLM's answers to prompts of the paper's lengths and print what was found."""
    import vllm

    from itdr.inference.engine import Prompt
    from itdr.inference.vllm_engine import VllmEngine
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.model import load_model_settings

    given = json.loads(work.read_text())
    whole = vllm.LLM
    vllm.LLM = lambda **options: whole(**options | {"load_format": "dummy"})  # type: ignore
    model, adapter = load_model_settings(Path(given["model"])), Path(given["adapter"])
    engine = VllmEngine(model, InferenceSettings(max_length=4096), [adapter])
    _, examples = steps(given["prompts"] // EXAMPLES, given["device"])
    # One byte is one token; the description is the same for an eighth of them.
    prompts = [
        Prompt(str(n), f"Task {n % 8}. " + "describe " * 20, "word " * (len(one.ids) // 5), 64)
        for n, one in enumerate(examples)
    ]
    list(engine.answer(prompts[:8], (), adapter))
    begin = time.monotonic()
    answers = [one for came in engine.answer(prompts, (), adapter) for _, one in came]
    seconds = time.monotonic() - begin
    tokens = sum((one.prompt_tokens or 0) + (one.tokens or 0) for one in answers)
    found = {"examples_per_s": len(prompts) / seconds, "tokens_per_s": tokens / seconds}
    print(json.dumps({key: round(value, 1) for key, value in found.items()}))


def machine(device: str) -> dict[str, str]:
    """Return the columns that say what a row was measured on."""
    made = provenance(("torch", "transformers", "peft"))
    name = torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()} CPU"
    versions = " ".join(f"{package} {made[package]}" for package in ("torch", "transformers"))
    return {"machine": name, "versions": versions, "commit": made["commit"]}


def show(rows: list[dict[str, Any]], device: str) -> None:
    """Print the rows, and how they stand to the bounds."""
    columns = [field for field in FIELDS if field not in ("machine", "versions", "commit")]
    print("\n" + "  ".join(f"{column:>18}" for column in columns))
    for row in rows:
        print("  ".join(f"{row.get(column, '')!s:>18}" for column in columns))
    print()
    for row in rows:
        if row["way"] == "as configured":
            _held(f"{row['model']}: mfu", row["mfu"], MFU[row["model"]], device)
        if row["way"].startswith("vLLM") and row["model"] == "qwen2.5-7b":
            _held(f"{row['model']}: answering, tokens/s", row["tokens_per_s"], ANSWERING, device)
    best = [row["mfu"] for row in rows if row["way"] == "as configured"]
    twice = [row["mfu"] for row in rows if row["way"] == "all layers checkpointed"]
    if device == "cuda" and best and twice:
        print(f"config/rates.yaml: training.share: {sum(best) / len(best):.2f}, "
              f"share_with_checkpointing: {sum(twice) / len(twice):.2f}")  # fmt: skip


def _held(name: str, value: float, least: float, device: str) -> None:
    told = "not held on a CPU" if device == "cpu" else "passed" if value >= least else "FAILED"
    print(f"{name:40} {value:>10,.4g}  >= {least:<10,g}  {told}")


def _dtype(device: str) -> torch.dtype:
    return torch.bfloat16 if device == "cuda" else torch.float32


def _layers(device: str) -> int | None:
    return None if device == "cuda" else 2


if __name__ == "__main__":
    main()
