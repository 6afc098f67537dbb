"""A fresh copy of the repository, and a Slurm that runs it as a user would have it run."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.cluster.slurm import Cluster, Job, running_cluster
from tests.conftest import ROOT

MINIATURE = {
    "pairs": ["RP/movielens-32m"],
    "columns": ["tiny/base", "tiny/itdr", "tiny/data-50"],
    "trivial_answers": ["user-mean"],
    "recommenders": ["item-mean"],
    "simulated_world": {"users": 80, "items": 60, "interactions_per_user": 24},
    "build": {"max_examples": 60},
    "split": {"shares": [0.6, 0.1, 0.3]},
    "training": {"epochs": 1, "batch_size": 32, "max_length": 1024, "row_length": 1024,
                 "gradient_checkpointing": False},
    "inference": {"rows_per_cell": 12, "batch_size": 64, "max_length": 1500, "answer_limit": 16},
    "scoring": {"resamples": 200},
}  # fmt: skip
# Slurm is asked for states sooner than the profile says, and a job keeps to one of two processors.
SOONER = ("--slurm-init-seconds-before-status-checks", "7")
NARROW = ("--set-threads", "train_adapter=1", "infer_model=1")


@dataclass
class Seen:
    """What was seen of a run.

    Attributes:
        status: exit status of Snakemake.
        output: what it printed.
        jobs: the Slurm jobs that it submitted, as they ended.
        moments: the jobs as Slurm listed them, twice a second.
        devices: Slurm job to the devices that CUDA_VISIBLE_DEVICES named inside it.
    """

    status: int = -1
    output: str = ""
    jobs: list[Job] = field(default_factory=list)
    moments: list[list[Job]] = field(default_factory=list)
    devices: dict[str, set[str]] = field(default_factory=dict)

    def of(self, comment: str) -> list[Job]:
        """Return the jobs of a rule and its wildcards, in the order of submission."""
        return [job for job in self.jobs if comment in job.comment]


class Clone:
    """The repository as a fresh clone has it, set up for a cluster as the README says."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self.cluster = cluster
        words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(words, cwd=ROOT, check=True, capture_output=True).stdout
        pack = ["tar", "-c", "--null", "--files-from=-"]
        packed = subprocess.run(pack, cwd=ROOT, input=files, check=True, capture_output=True)
        subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
        profile = "workflow/profiles/slurm/profile.yaml"
        self.change(profile, "  partition: null", "  partition: cpu")
        self.change(profile, "  gpu_partition: null", "  gpu_partition: gpu")
        # The profile asks for GPUs, because the model's file would have them used.
        self.change(profile, "  gpu_model: null", "  gpu_model: fake")
        for rule in ("train_adapter", "infer_model"):
            self.change(profile, f"  {rule}:\n", f"  {rule}:\n    gpu: 1\n")

    def change(self, file: str, old: str, new: str) -> None:
        """Replace text in a file."""
        text = (self.folder / file).read_text()
        assert text.count(old) == 1, f"{file}: {old!r}"
        (self.folder / file).write_text(text.replace(old, new))

    def run(
        self, *words: str, meanwhile: Callable[[Cluster], None] = lambda _: None, **changes: object
    ) -> Seen:
        """Run `snakemake --profile slurm` to its end while `meanwhile` does its mischief."""
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(MINIATURE | changes))
        bin_folder = Path(sys.executable).parent
        environment = self.cluster.environment | {
            "PATH": f"{self.cluster.folder}/bin:{bin_folder}:{self.cluster.environment['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "HF_HUB_OFFLINE": "1",
        }
        # Targets first, because the options of several words would take them for theirs.
        command = ["snakemake", *words, "--profile", "slurm", "--configfile", "mine.yaml",
                   *SOONER, *NARROW]  # fmt: skip
        earlier = {job.number for job in self.cluster.jobs()}
        seen = Seen()
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            reader = threading.Thread(target=lambda: setattr(seen, "output", process.stdout.read()))
            watcher = threading.Thread(target=self._watch, args=(process, seen, earlier))
            reader.start()
            watcher.start()
            try:
                meanwhile(self.cluster)
                reader.join()
            finally:
                process.terminate()
                watcher.join()
        seen.status = process.wait()
        seen.jobs = [job for job in self.cluster.jobs() if job.number not in earlier]
        return seen

    def _watch(self, process: subprocess.Popen[str], seen: Seen, earlier: set[str]) -> None:
        while process.poll() is None:
            try:
                jobs = self.cluster.jobs()
            except subprocess.CalledProcessError:  # the controller is down
                continue
            seen.moments.append([job for job in jobs if job.number not in earlier])
            for job in seen.moments[-1]:
                if job.state == "RUNNING":
                    found = self.cluster.variable_of(job, "CUDA_VISIBLE_DEVICES")
                    seen.devices.setdefault(job.number, set()).update(found)
            time.sleep(0.5)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Slurm that is stopped when the tests end, also by SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def clone(cluster, tmp_path_factory) -> Clone:
    """A fresh clone of the repository."""
    return Clone(tmp_path_factory.mktemp("clone"), cluster)


@pytest.fixture(scope="session")
def demo(clone) -> Seen:
    """A miniature of the demo, run on the cluster from its raw files to its page."""
    return clone.run()


def lines(jobs: list[Job]) -> str:
    """Return jobs as squeue would list them."""
    heads = ("JOBID", "PARTITION", "STATE", "GPUS", "REASON", "JOB")
    rows = [(job.number, job.partition, job.state, job.gpus, job.reason,
             re.sub(r"^rule_|wildcards_", "", job.comment)) for job in jobs]  # fmt: skip
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                     for row in [heads, *rows])  # fmt: skip
