"""Prompts per second whose choices are scored, and how far the ways are apart, with the tiny model.

    PYTHONPATH=src:. .venv-vllm/bin/python tests/benchmarks/likelihood.py [--rounds N] [--no-vllm]

200 prompts have two choices (Yes. and No.), 50 have ten titles; they are about 100 words long and
invented. The usual ways score each choice by itself: one forward pass of transformers for prompt
and choice, and vLLM's log-probabilities of a prompt that ends with the choice. With an adapter vLLM
cannot tell those on a CPU, so our engine on vLLM is held against transformers there. Ways take
turns, vLLM with an empty prefix cache; the median of the rounds counts. `largest_difference` is of
sums of log-probabilities, in nats, from those of transformers by themselves. Writes
results/likelihood.csv.
"""

import argparse
import csv
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from tests.benchmarks.infer import ROOT, circumstances

RESULTS = Path(__file__).parent / "results" / "likelihood.csv"
FIELDS = ("choices", "prompts", "adapter", "way", "seconds", "prompts_per_s", "times_by_itself",
          "largest_difference", "greedy_otherwise", "machine", "versions", "commit")  # fmt: skip
WORDS = ["Heat", "Alien", "Fargo", "Brazil", "Seven", "Psycho", "Matrix", "Speed", "Toy", "Story",
         "the", "of", "and", "in", "a", "(1995)", "(1979)", "Night", "Day", "River"]  # fmt: skip
BY_ITSELF = "transformers, each choice by itself"
VLLM_BY_ITSELF = "vLLM, each choice by itself"
Told = dict[int, list[tuple[float, bool]]]
Way = Callable[[Sequence], Told]


def main() -> None:
    """Time all ways and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--no-vllm", action="store_true", help="time transformers alone")
    args = parser.parse_args()
    rows = []
    for adapted in (False, True):
        # A process can hold one vLLM.
        with ProcessPoolExecutor(1, get_context("spawn")) as own:
            rows += own.submit(measured, adapted, args.rounds, not args.no_vllm).result()
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | circumstances() for row in rows)


def measured(adapted: bool, rounds: int, with_vllm: bool) -> list[dict[str, object]]:
    """Return the rows with or without an adapter."""
    from itdr.settings.experiment import InferenceSettings
    from itdr.settings.model import load_model_settings
    from tests.models import make_random_adapter

    model = load_model_settings(ROOT / "config/models/tiny.yaml")
    model = model.model_copy(update={"source": str(ROOT / model.source)})
    settings = InferenceSettings()
    with tempfile.TemporaryDirectory() as name:
        adapter = make_random_adapter(model, Path(name) / "adapter", 8) if adapted else None
        vllm = None
        if with_vllm:
            from itdr.inference.vllm_engine import VllmEngine

            vllm = VllmEngine(model, settings, [adapter] if adapter else [])
        ways = ways_of(model, settings, adapter, vllm)
        return [row for prompts in (two_choices(), ten_titles())
                for row in timed(ways, prompts, rounds, adapter)]  # fmt: skip


def _text(chance: random.Random, least: int, most: int) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(least, most)))


def two_choices():
    """Return 200 prompts with two choices."""
    from itdr.inference.engine import Prompt

    chance = random.Random(1)
    return [Prompt(str(i), "Will the user like the target film? Answer Yes. or No.",
                   _text(chance, 40, 160), 0, ("Yes.", "No.")) for i in range(200)]  # fmt: skip


def ten_titles():
    """Return 50 prompts with ten titles."""
    from itdr.inference.engine import Prompt

    chance = random.Random(2)
    titles = [tuple(dict.fromkeys(_text(chance, 1, 4) for _ in range(40)))[:10] for _ in range(50)]
    return [Prompt(str(i), "Choose the film that comes next.", _text(chance, 40, 160), 0, of)
            for i, of in enumerate(titles)]  # fmt: skip


def ways_of(model, settings, adapter, vllm) -> dict[str, Way]:
    """Return the ways by name; vllm: an engine, or None."""
    from itdr.inference.transformers_engine import TransformersEngine

    ways = {
        BY_ITSELF: by_itself(model, adapter),
        "itdr infer, transformers": engine_way(TransformersEngine(model, settings), adapter),
    }
    if vllm and not adapter:
        ways[VLLM_BY_ITSELF] = vllm_by_itself(vllm)
    if vllm:
        ways["itdr infer, vllm"] = engine_way(vllm, adapter)
    return ways


def timed(ways: dict[str, Way], prompts: Sequence, rounds: int, adapter) -> list[dict[str, object]]:
    """Return one row per way."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    told: dict[str, Told] = {}
    for turn in range(rounds + 1):  # the first warms up
        for name, way in ways.items():
            begin = time.perf_counter()
            told[name] = way(prompts)
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    rows = []
    for name in ways:
        pairs = [pair for i in told[name]
                 for pair in zip(told[name][i], told[BY_ITSELF][i], strict=True)]  # fmt: skip
        of_vllm = VLLM_BY_ITSELF in ways and "vllm" in name.lower()
        usual = VLLM_BY_ITSELF if of_vllm else BY_ITSELF
        took = median(seconds[name])
        row = {
            "choices": len(prompts[0].choices),
            "prompts": len(prompts),
            "adapter": "yes" if adapter else "no",
            "way": name,
            "seconds": f"{took:.2f}",
            "prompts_per_s": f"{len(prompts) / took:.1f}",
            "times_by_itself": f"{median(seconds[usual]) / took:.1f}",
            "largest_difference": f"{max(abs(one[0] - other[0]) for one, other in pairs):.1e}",
            "greedy_otherwise": sum(one[1] != other[1] for one, other in pairs),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def engine_way(engine, adapter) -> Way:
    """Return what asks one of our engines."""

    def way(prompts: Sequence) -> Told:
        if hasattr(engine, "_llm"):
            engine._llm.reset_prefix_cache()
        return {
            position: [(choice.logprob, choice.greedy) for choice in answer.choices]
            for came in engine.answer(prompts, (), adapter)
            for position, answer in came
        }

    return way


def by_itself(model, adapter) -> Way:
    """Return what gives transformers prompt and choice, one choice after the other."""
    import torch

    from itdr.models.loading import load_adapted, load_model, load_tokenizer
    from itdr.models.prompt import PromptRenderer

    weights = load_adapted(model, adapter) if adapter else load_model(model)
    renderer = PromptRenderer(load_tokenizer(model))

    def one(ids: list[int], choice: Sequence[int]) -> tuple[float, bool]:
        with torch.inference_mode():
            logits = weights(input_ids=torch.tensor([[*ids, *choice]]), use_cache=False,
                             logits_to_keep=len(choice) + 1).logits[0, :-1]  # fmt: skip
        tokens = torch.tensor(choice)[:, None]
        own = logits.float().log_softmax(-1).gather(-1, tokens).double()
        return float(own.sum()), bool((logits.argmax(-1) == tokens[:, 0]).all())

    def way(prompts: Sequence) -> Told:
        found = {}
        for position, prompt in enumerate(prompts):
            ids, choices = renderer.choices(prompt.instruction, prompt.text, prompt.choices)
            found[position] = [one(ids, choice) for choice in choices]
        return found

    return way


def vllm_by_itself(engine) -> Way:
    """Return what asks vLLM for the log-probabilities of prompts that end with a choice."""
    from vllm import SamplingParams
    from vllm.inputs import tokens_input

    parameters = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)

    def way(prompts: Sequence) -> Told:
        asked = engine._tokens.prompts(prompts)
        inputs = [
            tokens_input([*prompt.ids, *choice]) for prompt in asked for choice in prompt.choices
        ]
        outputs = iter(engine._llm.generate(inputs, parameters, use_tqdm=False))
        found = {}
        for position, prompt in enumerate(asked):
            found[position] = []
            for choice in prompt.choices:
                told = next(outputs).prompt_logprobs[len(prompt.ids) :]
                of = [step[token] for step, token in zip(told, choice, strict=True)]
                found[position].append((sum(x.logprob for x in of), all(x.rank == 1 for x in of)))
        return found

    return way


if __name__ == "__main__":
    main()
