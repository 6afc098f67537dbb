"""Running the workflow as a user does, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
import yaml

from itdr.recommenders.methods import METHODS
from tests.conftest import ROOT

RECOMMENDERS = sum(not method.missing for method in METHODS.values())
"""How many conventional recommenders the default experiment has here."""

QUICK = {
    "pairs": ["RP/movielens-32m", "TKR/movielens-32m", "NIR/movielens-32m", "UAP/movielens-1m"],
    "columns": ["tiny/base", "tiny/itdr"],
    "recommenders": ["user-item-bias", "item-knn"],
    "build": {"max_examples": 60},
    "split": {"shares": [0.6, 0.1, 0.3]},
    "training": {"epochs": 1, "batch_size": 32, "micro_batch_size": 32, "max_length": 1024,
                 "gradient_checkpointing": False},
    "inference": {"rows_per_cell": 12, "batch_size": 64, "max_length": 1500,
                  "answer_limit": 16},
    "scoring": {"resamples": 200},
}  # fmt: skip


class Project:
    """A folder in which `snakemake` finds the project's configuration and writes its results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {"HF_HUB_OFFLINE": "1"}
        (folder / "config").symlink_to(ROOT / "config")
        (folder / "profiles").symlink_to(ROOT / "workflow" / "profiles")

    def configure(self, **changes) -> None:
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(QUICK | changes))

    def snakemake(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("--cores", "2", *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake with nothing but these words, on as many cores as the profile says."""
        process = self._begin(words, subprocess.PIPE)
        said = process.communicate()[0]
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def start(self, *words: str, log: IO[str] | int) -> "subprocess.Popen[str]":
        """Start Snakemake on two cores, as the first of a process group."""
        return self._begin(("--cores", "2", *words), log)

    def _begin(self, words: tuple[str, ...], log: IO[str] | int) -> "subprocess.Popen[str]":
        bin_folder = Path(sys.executable).parent
        command = [bin_folder / "snakemake", "--snakefile", ROOT / "Snakefile", *words]
        if (self.folder / "mine.yaml").exists():
            command += ["--configfile", "mine.yaml"]
        path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.folder,
            env=os.environ | {"PATH": path} | self.variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def jobs(self, *words: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run would do."""
        done = self.snakemake(*words, "--dry-run", "--quiet", "rules")
        assert done.returncode == 0, done.stdout
        counts = {}
        for line in done.stdout.splitlines():
            name, _, count = line.strip().rpartition(" ")
            if count.isdigit() and name.strip().replace("_", "").isalpha():
                counts[name.strip()] = int(count)
        return counts


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)
