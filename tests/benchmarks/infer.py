"""Answers per second of this package's engines and of two usual ways, with the tiny model.

    PYTHONPATH=src:. .venv-vllm/bin/python tests/benchmarks/infer.py [--prompts N] [--rounds N]

The usual ways: a vLLM server that is asked one request after another, and transformers with one
prompt at a time. They get the first prompts only, ours all of them. Ways take turns; the median of
the rounds counts, the start of each way does not. Needs `make setup-vllm`; other Pythons hand over.
"""

import argparse
import csv
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import httpx
import yaml

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "infer.csv"
SLOW_PROMPTS = 24
FIELDS = ("adapter", "way", "prompts", "answer_tokens", "seconds", "answers_per_s",
          "times_vllm_server", "times_transformers_1")  # fmt: skip
Way = Callable[[Sequence], int]


def main() -> None:
    """Time all ways and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=384, help="for our engines (default: 384)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    args = parser.parse_args()
    from tests.models import make_random_adapter
    from tests.vllm.server import serving

    model = tiny()
    asked = prompts(args.prompts)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        adapter = make_random_adapter(model, Path(name) / "adapter", 8)
        with serving(model.source, {"adapter": adapter}, Path(name) / "log") as address:
            engine = vllm_engine(model, adapter)
            for used in (None, adapter):
                ways = {
                    "vLLM server, one after another": server_way(address, used),
                    "transformers, one prompt at a time": transformers_way(model, used, 1),
                    "itdr infer, transformers": transformers_way(model, used, 128),
                    "itdr infer, vllm": engine_way(engine, used),
                }
                rows += timed(ways, asked, args.rounds, "yes" if used else "no")
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print("{adapter:>4} {way:<36} {answers_per_s:>8} answers/s  {times_vllm_server:>6} x server"
              "  {times_transformers_1:>6} x transformers".format(**row))  # fmt: skip


def timed(ways: dict[str, Way], asked: Sequence, rounds: int, adapter: str) -> list[dict]:
    """Return one row per way."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    tokens = {}
    for turn in range(rounds + 1):  # the first warms up
        for name, way in ways.items():
            some = asked if name.startswith("itdr") else asked[:SLOW_PROMPTS]
            begin = time.perf_counter()
            tokens[name] = way(some)
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    counts = {name: len(asked) if name.startswith("itdr") else SLOW_PROMPTS for name in ways}
    speeds = {name: counts[name] / median(seconds[name]) for name in ways}
    server, one_by_one = list(speeds.values())[:2]
    return [
        {
            "adapter": adapter,
            "way": name,
            "prompts": counts[name],
            "answer_tokens": tokens[name],
            "seconds": f"{median(seconds[name]):.2f}",
            "answers_per_s": f"{speeds[name]:.2f}",
            "times_vllm_server": f"{speeds[name] / server:.1f}",
            "times_transformers_1": f"{speeds[name] / one_by_one:.1f}",
        }
        for name in ways
    ]


def prompts(count: int) -> list:
    """Return prompts of 60 to 250 tokens that share the description of their task."""
    from itdr.inference.engine import Prompt

    task = yaml.safe_load((ROOT / "config/tasks/TKR.yaml").read_text())
    words = " ".join(str(template["template"]) for template in task["datasets"].values()).split()
    chance = random.Random(1)
    return [
        Prompt(str(n), task["description"],
               " ".join(chance.choices(words, k=chance.randrange(5, 40))), 64)
        for n in range(count)
    ]  # fmt: skip


def tiny():
    """Return the settings of the tiny model."""
    from itdr.settings.model import ModelSettings

    return ModelSettings(model="tiny", title="Tiny", source=str(ROOT / "config/models/tiny"),
                         dtype="float32", memory_mb=3000)  # fmt: skip


def server_way(address: str, adapter: Path | None) -> Way:
    """Return what asks the server one request after another, as the authors' scripts do."""
    from itdr.models.prompt import user_message

    client = httpx.Client(timeout=600)

    def way(asked: Sequence) -> int:
        tokens = 0
        for prompt in asked:
            body = {"model": "adapter" if adapter else "tiny", "temperature": 0,
                    "messages": [user_message(prompt.instruction, prompt.text)],
                    "max_tokens": prompt.max_answer_tokens}  # fmt: skip
            answer = client.post(f"{address}/chat/completions", json=body).raise_for_status()
            tokens += answer.json()["usage"]["completion_tokens"]
        return tokens

    return way


def transformers_way(model, adapter: Path | None, batch_size: int) -> Way:
    """Return what asks transformers so many prompts at a time."""
    from itdr.inference.transformers_engine import TransformersEngine
    from itdr.settings.experiment import InferenceSettings

    return engine_way(TransformersEngine(model, InferenceSettings(batch_size=batch_size)), adapter)


def vllm_engine(model, adapter: Path):
    """Return vLLM with room for the adapter."""
    from itdr.inference.vllm_engine import VllmEngine
    from itdr.settings.experiment import InferenceSettings

    return VllmEngine(model, InferenceSettings(), [adapter])


def engine_way(engine, adapter: Path | None) -> Way:
    """Return what asks one of our engines."""
    return lambda asked: sum(
        answer.tokens for came in engine.answer(asked, (), adapter) for _, answer in came
    )


if __name__ == "__main__":
    other = ROOT / ".venv-vllm" / "bin" / "python"
    if find_spec("vllm") is None:
        if not other.exists():
            print("infer.py: vLLM is not installed, so there is nothing to compare with. "
                  "Run 'make setup-vllm'.")  # fmt: skip
            sys.exit(0)
        paths = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
        os.execve(other, [other, __file__, *sys.argv[1:]], os.environ | {"PYTHONPATH": paths})
    main()
