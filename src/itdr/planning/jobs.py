"""The jobs that a target still needs, as Snakemake's dry run lists them."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itdr.errors import SettingsError

ANSWERING = ("infer_model", "infer_cell", "ask_endpoint")
"""Rules by which a model answers: on this side, all cells or one, or behind an endpoint."""


@dataclass(frozen=True)
class Job:
    """One job: its rule, and the wildcards that tell it from others of that rule."""

    rule: str
    wildcards: dict[str, str]

    @property
    def asks_model(self) -> bool:
        """Whether a model answers test rows."""
        return self.rule in ANSWERING

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The task and dataset that it is about, none where it is about all of them."""
        wildcards = self.wildcards
        return [(wildcards["task"], wildcards["dataset"])] if "task" in wildcards else []


def open_jobs(targets: Sequence[str], snakefile: Path, configfiles: Sequence[Path]) -> list[Job]:
    """Return the jobs that would run for the targets; what is done already is not among them.

    Raises:
        SettingsError: Snakemake cannot plan the targets; with its own words.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--dry-run",
               "--nocolor", "--cores", "1", *targets]  # fmt: skip
    if configfiles:
        command += ["--configfile", *map(str, configfiles)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr + done.stdout).split("Building DAG of jobs...")[-1].strip()
        raise SettingsError(f"Snakemake cannot plan {' '.join(targets) or 'all'}:\n{said[-1500:]}")
    return read_jobs(done.stdout + "\n" + done.stderr)


def read_jobs(text: str) -> list[Job]:
    """Return the jobs in the output of a dry run; targets, which do nothing, are left out."""
    jobs = []
    for block in re.split(r"^(?:local)?(?:rule|checkpoint) ", text, flags=re.MULTILINE)[1:]:
        rule, _, rest = block.partition(":\n")
        indented = re.match(r"(?:[ \t]+.*\n?)*", rest)
        lines = indented[0].splitlines() if indented else []
        fields = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
        pairs = [pair.split("=", 1) for pair in fields.get("wildcards", "").split(", ") if pair]
        if "output" in fields:
            jobs.append(Job(rule, dict(pairs)))
    return jobs
