"""LoRA training against LLaMA-Factory 0.9.5: same model, examples, order, batches, first adapter.

    PYTHONPATH=src python tests/benchmarks/train.py --mixture FILE --llama-factory PYTHON

FILE is a mixture of the demo, PYTHON the interpreter of an environment with llamafactory==0.9.5,
which cannot share ours. Without it our own settings are timed alone. All settings run in turn, the
whole turn several times; each in a process of its own with the same number of threads. The clock
covers transformers' Trainer.train on both sides and nothing else.

Both sides learn the same: LLaMA-Factory gets the examples in our order, a template that labels what
ours does (its own `chatml` adds a line feed to every answer), and the same seed, from which both
draw the same adapter. So losses agree, but for neat_packing, whose batches are of its own making.
final_loss is the mean loss per answer token, in nats, of examples that neither side has seen,
computed in the same way from the adapters of both.

Writes results/train.csv and prints medians. The goals: three times the examples per second of
LLaMA-Factory with the paper's settings, one and a half times those with any other, and losses
within 2%. With --only and --append a long measurement can be made in parts.

processor_s is the processor time of the same stretch: on a busy machine it says more than the
clock.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from peft import PeftModel
from safetensors.torch import load_file

from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.export import llama_factory
from itdr.instructions.record import RECORD
from itdr.models.loading import load_model, load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.provenance import provenance
from itdr.settings.flags import as_flags
from itdr.settings.model import load_model_settings
from itdr.settings.training import TrainingSettings
from itdr.training.batches import answer_loss, packed
from itdr.training.examples import tokenize
from itdr.training.packing import steps

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "train.csv"
MODEL = ROOT / "config" / "models" / "tiny.yaml"
MIXTURE = Path("results/demo/mixtures/itdr/42/train.parquet")
# Runs `python -m MODULE ARGUMENTS` and notes how long training took. The template is that of the
# tiny model.
TIMED = """
import json, runpy, sys, time
from transformers import Trainer
note, module, sys.argv = sys.argv[1], sys.argv[2], sys.argv[2:]
train = Trainer.train
def timed(*arguments, **options):
    begin = time.perf_counter(), time.process_time()
    done = train(*arguments, **options)
    end = time.perf_counter(), time.process_time()
    with open(note, "w") as file:
        json.dump([end[0] - begin[0], end[1] - begin[1]], file)
    return done
Trainer.train = timed
if module.startswith("llamafactory"):
    from llamafactory.data.formatter import StringFormatter
    from llamafactory.data.template import register_template
    register_template(
        name="itdr",
        format_user=StringFormatter(
            slots=["<|im_start|>user\\n{{content}}<|im_end|>\\n<|im_start|>assistant\\n"]
        ),
        format_assistant=StringFormatter(slots=["{{content}}<|im_end|>"]),
        stop_words=["<|im_end|>"],
        replace_eos=True,
    )
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
MEASURED: dict[str, Any] = {
    "run": int, "examples_per_s": float, "tokens_per_s": int, "final_loss": float,
    "processor_s": float,
}  # fmt: skip
COMMON = TrainingSettings(epochs=1, max_length=1024, save_steps=10_000)
OURS: dict[str, dict[str, Any]] = {
    "paper": {},
    "prefixes not shared": {"share_prefixes": False},
    "one example a pass": {"packing": False, "micro_batch_size": 1},
}
THEIRS: dict[str, dict[str, Any]] = {
    "paper": {"disable_gradient_checkpointing": False},
    "no checkpointing": {},
    "no checkpointing, batch 8": {
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 1,
    },
    # Rows of about eight examples, so that a step has as many as with the other settings.
    "no checkpointing, neat_packing": {"neat_packing": True, "gradient_accumulation_steps": 1},
}


def main() -> None:
    """Run all settings in turn and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mixture", type=Path, default=MIXTURE, help="(default: the demo's)")
    parser.add_argument("--llama-factory", type=Path, metavar="PYTHON")
    parser.add_argument("--examples", type=int, default=2000, help="(default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=[], metavar="SIDE/SETTING")
    parser.add_argument("--append", action="store_true", help="keep the runs in the results")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: all)")
    args = parser.parse_args()
    if not args.mixture.is_file():
        print(f"{args.mixture} is not there; run 'make demo' first. Nothing was timed.")
        return
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), args)
        rows = read() if args.append else []
        first = 1 + max((row["run"] for row in rows), default=0)
        for row in bench.runs(range(first, first + args.runs), args.only):
            rows.append(row)
            write(rows)
    show(rows)


class Bench:
    """The examples in both sides' forms, and how each side is run."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        """Divide the mixture into examples to train on and held-out ones."""
        self.folder, self.factory, self.threads = folder, args.llama_factory, args.threads
        table = read_parquet(args.mixture, RECORD)
        self.model = load_model_settings(MODEL)
        # Those that are too long we would leave out and LLaMA-Factory would cut.
        whole = COMMON.model_copy(update={"max_length": sys.maxsize})
        found = tokenize(table, PromptRenderer(load_tokenizer(self.model)), whole).examples
        order = np.random.default_rng(0).permutation(table.num_rows).tolist()
        fit = [i for i in order if len(found[i].ids) <= COMMON.max_length]
        rows = sorted(fit[: args.examples])
        self.held = [found[i] for i in sorted(fit[args.examples : args.examples + 500])]
        chosen = table.take(rows)
        self.train = folder / "train.parquet"
        write_parquet(self.train, chosen)
        lengths = [len(found[i].ids) for i in rows]
        self.examples, self.tokens = len(lengths), sum(lengths)
        in_order = folder / "in-order" / "train.parquet"
        in_order.parent.mkdir()
        write_parquet(in_order, chosen.take(list(chain(*steps(lengths, COMMON, seed=0)))))
        llama_factory.export([in_order], folder / "data")
        (folder / "timed.py").write_text(TIMED)
        self.timer = [str(folder / "timed.py"), str(folder / "note.json")]
        self.versions = {"ITDR-pipeline": versions_of(Path(sys.executable), "itdr")}
        if self.factory:
            self.versions["LLaMA-Factory"] = versions_of(self.factory, "llamafactory")
        (folder / "torchaudio.py").touch()  # llamafactory imports it, and needs nothing of it
        # neat_packing fails unless the row length is a multiple of eight.
        self.row = 8 * round(COMMON.batch_size * self.tokens / self.examples / 8)

    def runs(self, numbers: Iterable[int], only: list[str]) -> Iterator[dict[str, Any]]:
        """Yield a row of the result for every setting of both sides in turn, for each number."""
        sides = [("LLaMA-Factory", self.theirs, THEIRS), ("ITDR-pipeline", self.ours, OURS)]
        for run in numbers:
            for side, command, settings in sides[0 if self.factory else 1 :]:
                for setting, changes in settings.items():
                    if not only or f"{side}/{setting}" in only:
                        yield self.timed(side, setting, run, command(changes))

    def timed(self, side: str, setting: str, run: int, command: list[str]) -> dict[str, Any]:
        """Run a command that makes self.folder/adapter, and return its row of the result."""
        adapter = self.folder / "adapter"
        shutil.rmtree(adapter, ignore_errors=True)
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": str(self.folder if side == "LLaMA-Factory" else ROOT / "src"),
        }  # fmt: skip
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{side}, {setting}:\n{done.stderr[-3000:]}")
        seconds, processor = json.loads((self.folder / "note.json").read_text())
        row = {
            "side": side, "setting": setting, "run": run,
            "examples_per_s": round(self.examples / seconds, 2),
            "tokens_per_s": round(self.tokens / seconds),
            "final_loss": round(self.loss(adapter), 4),
            "processor_s": round(processor, 1),
            **machine(self.threads, self.versions[side]),
        }  # fmt: skip
        print(row, flush=True)
        return row

    def ours(self, changes: dict[str, Any]) -> list[str]:
        """Return the command of our training."""
        settings = COMMON.model_copy(update=changes)
        out = str(self.folder / "adapter")
        return [
            sys.executable, *self.timer, "itdr", "train", "--model", str(MODEL),
            "--mixture", str(self.train), "--out", out, *as_flags(settings).split(),
        ]  # fmt: skip

    def theirs(self, changes: dict[str, Any]) -> list[str]:
        """Return the command of LLaMA-Factory's training."""
        file = self.folder / "factory.yaml"
        file.write_text(
            yaml.safe_dump(
                {
                    "stage": "sft",
                    "do_train": True,
                    "finetuning_type": "lora",
                    "model_name_or_path": str(ROOT / self.model.source),
                    "template": "itdr",
                    "dataset": "itdr_train",
                    "dataset_dir": str(self.folder / "data"),
                    "output_dir": str(self.folder / "adapter"),
                    "overwrite_output_dir": True,
                    "overwrite_cache": True,
                    "disable_shuffling": True,
                    "cutoff_len": self.row if "neat_packing" in changes else COMMON.max_length,
                    "learning_rate": COMMON.learning_rate,
                    "lr_scheduler_type": "cosine",
                    "num_train_epochs": COMMON.epochs,
                    "per_device_train_batch_size": 1,
                    "gradient_accumulation_steps": COMMON.batch_size,
                    "lora_rank": COMMON.lora_rank,
                    "lora_alpha": COMMON.lora_alpha,
                    "lora_target": "all",
                    "disable_gradient_checkpointing": True,
                    "save_strategy": "no",
                    "logging_steps": 10,
                    "report_to": "none",
                    "seed": 0,
                    "trust_remote_code": False,
                }
                | changes
            )
        )
        return [str(self.factory), *self.timer, "llamafactory.cli", "train", str(file)]

    @torch.no_grad()
    def loss(self, adapter: Path) -> float:
        """Return the mean loss per answer token on the held-out examples; check that it learnt."""
        weights = load_file(adapter / "adapter_model.safetensors")
        changed = [w.abs().max().item() for name, w in weights.items() if "lora_B" in name]
        assert min(changed) > 0, f"{adapter}: a layer has had no gradient"
        model = PeftModel.from_pretrained(load_model(self.model), str(adapter)).eval()
        answers = sum(len(example.ids) - example.prompt_length for example in self.held)
        return sum(
            answer_loss(model, packed([example], [1 / answers]), "sdpa").item()
            for example in self.held
        )


def read() -> list[dict[str, Any]]:
    """Return the rows of results/train.csv."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="") as file:
        return [
            {key: MEASURED[key](value) if key in MEASURED else value for key, value in row.items()}
            for row in csv.DictReader(file)
        ]


def write(rows: list[dict[str, Any]]) -> None:
    """Write results/train.csv."""
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def versions_of(python: Path, package: str) -> str:
    """Return the versions that an interpreter finds of a package and of what it trains with."""
    names = [package, "torch", "transformers", "peft"]
    program = (
        "import sys; from importlib.metadata import version; "
        "print(*(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    done = subprocess.run([python, "-c", program, *names], capture_output=True, check=True)
    return done.stdout.decode().strip()


def machine(threads: int, version: str) -> dict[str, str]:
    """Return the columns that say what a row was measured on."""
    return {
        "machine": f"{platform.machine()}, {threads} threads, load {os.getloadavg()[0]:.1f}",
        "versions": version,
        "commit": provenance()["commit"],
    }


def show(rows: list[dict[str, Any]]) -> None:
    """Print the median of each setting and how ours compare."""
    names = list(dict.fromkeys((row["side"], row["setting"]) for row in rows))
    medians = {
        name: {
            column: statistics.median(
                row[column] for row in rows if (row["side"], row["setting"]) == name
            )
            for column in list(MEASURED)[1:]
        }
        for name in names
    }
    print(
        f"\n{'side':14} {'setting':32} {'examples/s':>10} {'tokens/s':>9} {'loss':>7} {'cpu s':>6}"
    )
    for (side, setting), found in medians.items():
        print(
            f"{side:14} {setting:32} {found['examples_per_s']:10.1f} {found['tokens_per_s']:9,.0f}"
            f" {found['final_loss']:7.4f} {found['processor_s']:6.1f}"
        )
    theirs = {setting: m for (side, setting), m in medians.items() if side == "LLaMA-Factory"}
    if not theirs or ("ITDR-pipeline", "paper") not in medians:
        return
    ours = medians["ITDR-pipeline", "paper"]
    for setting, found in theirs.items():
        times = ours["examples_per_s"] / found["examples_per_s"]
        apart = ours["final_loss"] / found["final_loss"] - 1
        goal = 3.0 if setting == "paper" else 1.5
        print(f"{times:.2f} times LLaMA-Factory, {setting} (goal {goal}); loss {apart:+.2%}")
        assert "neat_packing" in setting or abs(apart) < 0.02, "the two did not learn the same"


if __name__ == "__main__":
    main()
