"""The stages on a miniature, each as the command that a user types."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from itdr.cli.main import main

WORLD = "--users 60 --items 40 --interactions-per-user 15"
TRAINING = (
    "--epochs 1 --batch-size 8 --save-steps 3 --max-length 1024 --gradient-checkpointing false"
)


@dataclass(frozen=True)
class Stage:
    """A command; {run} is the folder of what it reads, {out} what it makes there."""

    name: str
    command: str
    makes: str

    def words(self, run: Path, out: Path | None = None) -> list[str]:
        """Return the command line; out: folder to write to instead of `run`."""
        made = (out or run) / self.makes
        return [self.name, *self.command.format(run=run, out=made).split()]

    def start(self, run: Path, out: Path | None = None) -> int:
        """Run the command in this process and return its exit status."""
        return main(self.words(run, out))


ALL = [
    Stage("simulate", f"movielens-32m --seed 1 {WORLD} --out {{out}}", "simulated"),
    Stage("fetch", "movielens-32m --from {run}/simulated --out {out}", "raw/movielens-32m"),
    Stage(
        "normalise",
        "movielens-32m --raw {run}/raw/movielens-32m --out {out} --threads 2",
        "tables/movielens-32m",
    ),
    Stage(
        "build",
        "RP movielens-32m --tables {run}/tables/movielens-32m --seed 1 --threads 2 --out {out}",
        "examples.parquet",
    ),
    Stage(
        "annotate",
        "--examples {run}/drafts.parquet --tables {run}/tables/movielens-32m --kind rules"
        " --out {out}",
        "annotated.parquet",
    ),
    Stage("split", "--examples {run}/examples.parquet --seed 1 --out {out}", "parts"),
    Stage(
        "audit",
        "--parts {run}/parts/train.parquet {run}/parts/val.parquet {run}/parts/test.parquet"
        " --tables {run}/tables --threads 2 --out {out}",
        "audit",
    ),
    Stage(
        "mix",
        "--train {run}/parts/train.parquet --audit {run}/audit/audit.json --out {out}",
        "mixture.parquet",
    ),
    Stage(
        "train",
        "--model config/models/tiny.yaml --mixture {run}/mixture.parquet --seed 1"
        f" {TRAINING} --out {{out}}",
        "adapters/tiny/itdr/1",
    ),
    Stage(
        "infer",
        "--model config/models/tiny.yaml --adapter {run}/adapters/tiny/itdr/1"
        " --test {run}/parts/test.parquet --engine transformers --max-length 1024"
        " --answer-limit 4 --batch-size 2 --rows-per-cell 6 --out {out}",
        "predictions/tiny/itdr/1.parquet",
    ),
    Stage(
        "score",
        "--predictions {run}/predictions/tiny/itdr/1.parquet --resamples 50 --out {out}",
        "scores/tiny/itdr/1.csv",
    ),
    Stage(
        "report",
        "--scores {run}/scores/tiny/itdr/1.csv --results {run} --make main --out {out}",
        "report",
    ),
]
STAGES = {stage.name: stage for stage in ALL}
DRAFTS = Stage(
    "build",
    "TUI movielens-32m --tables {run}/tables/movielens-32m --seed 1 --max-examples 20 --out {out}",
    "drafts.parquet",
)


def run_all(run: Path) -> None:
    """Run all stages in a folder."""
    for stage in ALL:
        assert stage.start(run) == 0
        if stage.name == "normalise":
            assert DRAFTS.start(run) == 0


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of all files of a folder by their path, hidden ones too."""
    if path.is_file():
        return {path.name: path.read_bytes()}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def comparable(found: dict[str, bytes]) -> dict[str, bytes]:
    """Return contents without what tells times: speeds, and pictures that hold none of the result.

    Weights of adapters differ in their last bits where the number of threads does.
    """
    timed = ("run.json", "README.md", "losses.png")
    return {name: data for name, data in found.items() if name not in timed}


@contextmanager
def restored(path: Path) -> Iterator[Path]:
    """Yield a file that may be damaged, and put it right afterwards."""
    data = path.read_bytes()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(data)
