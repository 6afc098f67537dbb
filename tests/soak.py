"""The demo's workflow with a random disturbance each time: the tables are the same bytes.

`python -m tests.soak 20`, or `make soak N=20`. Each round runs the whole chain on a smaller world
in a folder of its own, is disturbed once at a random moment, goes on with the same command, and its
main.csv is held against that of a run that nothing disturbed. ITDR_SOAK_SEED makes a soak again.
"""

import argparse
import ctypes.util
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from tests.conftest import ROOT

SMALLER = {
    "results": "results",
    "pairs": ["RP/movielens-32m", "TKR/movielens-32m", "UAP/movielens-1m"],
    "columns": ["tiny/base", "tiny/itdr"],
    "simulated_world": {"users": 120, "items": 80, "interactions_per_user": 20},
    "build": {"max_examples": 60, "max_examples_of": {}},
    "split": {"shares": [0.6, 0.1, 0.3]},
    "training": {"epochs": 1, "batch_size": 16, "save_steps": 2},
    "inference": {"rows_per_cell": 10, "answer_limit": 16},
    "scoring": {"resamples": 100},
}
TABLE = "results/report/tables/main.csv"
LONGEST_S = 1800


class Round:
    """A run of the workflow in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("Snakefile", "rules", "src", "config", "workflow", "envs"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "smaller.yaml").write_text(yaml.safe_dump(SMALLER))
        self.log = (folder / "log").open("wb")

    def start(self, *words: str, **more) -> subprocess.Popen[bytes]:
        """Start Snakemake on the whole of main.csv."""
        files = ["--configfile", "config/demo.yaml", "smaller.yaml"]
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *(words or (TABLE,)), *files,
                   "--rerun-incomplete"]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
        environment |= more.pop("environment", {})
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **more,
        )

    def finish(self) -> int:
        """Go on until the table is there, and return how often it had to be started."""
        for started in range(1, 4):
            process = self.start("--unlock")
            process.wait(LONGEST_S)
            process = self.start()
            if process.wait(LONGEST_S) == 0:
                return started
        raise SystemExit(f"{self.folder}: does not come to an end; see its log")

    def table(self) -> bytes:
        """Return the bytes of the table."""
        return (self.folder / TABLE).read_bytes()


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the jobs of a running Snakemake, those that work and not their shells."""
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid).children(recursive=True)
        return [child for child in found if "itdr" in " ".join(_words(child))]
    return []


def _words(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def kill_child(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Kill a job; Snakemake ends with an error."""
    if jobs := children(process):
        with suppress(psutil.NoSuchProcess):
            after.choice(jobs).kill()
    process.wait(LONGEST_S)


def kill_parent(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Kill Snakemake alone; its jobs run on for themselves until they are done."""
    jobs = children(process)
    process.kill()
    process.wait()
    psutil.wait_procs(jobs, timeout=LONGEST_S)


def kill_tree(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Kill all of it at once, as when a machine loses its power."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def interrupt(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Press Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)
    process.wait(LONGEST_S)


def stop_and_go(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Hold all processes for some seconds, as a laptop that is closed does."""
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(after.uniform(1, 8))
    os.killpg(process.pid, signal.SIGCONT)
    process.wait(LONGEST_S)


def full_disk(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Begin again with a limit on the size of files, which is met as a full disk is."""
    kill_tree(run, process, after)
    run.start("--unlock").wait(LONGEST_S)
    size = after.choice([4_000, 20_000, 100_000, 1_000_000])

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    run.start(preexec_fn=limit).wait(LONGEST_S)


def hold_locks(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """Hold the lock of every folder that has one for some seconds."""
    held = []
    for path in (run.folder / "results").rglob(".lock"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            held.append(handle)
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    time.sleep(after.uniform(1, 4))
    for handle in held:
        os.close(handle)
    process.wait(LONGEST_S)


def move_clock(run: Round, process: subprocess.Popen[bytes], after: random.Random) -> None:
    """End it, and go on with the clock an hour back or a day on (needs the library faketime)."""
    kill_tree(run, process, after)
    library = faketime()
    jump = {"LD_PRELOAD": library, "FAKETIME": after.choice(["-1h", "+1d"]),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    run.start("--unlock").wait(LONGEST_S)
    run.start(environment=jump if library else {}).wait(LONGEST_S)


def faketime() -> str:
    """Return the path of libfaketime, or nothing."""
    places = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
    return str(places[0]) if places else ctypes.util.find_library("faketime") or ""


DISTURBANCES: list[Callable[[Round, subprocess.Popen[bytes], random.Random], None]] = [
    kill_child, kill_parent, kill_tree, interrupt, stop_and_go, full_disk, hold_locks, move_clock,
]  # fmt: skip


def main() -> int:
    """Soak; return 1 if a table differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, help="how many runs are disturbed")
    args = parser.parse_args()
    seed = int(os.environ.get("ITDR_SOAK_SEED", time.time()))
    chance = random.Random(seed)
    chosen = [d for d in DISTURBANCES if d is not move_clock or faketime()]
    print(f"seed {seed}; {', '.join(d.__name__ for d in chosen)}", flush=True)
    folder, different = Path(tempfile.mkdtemp(prefix="itdr-soak-")), 0
    begun = time.monotonic()
    whole = Round(folder / "whole")
    whole.finish()
    lasted = time.monotonic() - begun
    print(f"undisturbed: {lasted:.0f} s", flush=True)
    for number in range(args.rounds):
        disturb = chosen[number % len(chosen)] if number < len(chosen) else chance.choice(chosen)
        moment = chance.uniform(0.05, 0.95) * lasted
        run, begun = Round(folder / f"{number:03}"), time.monotonic()
        process = run.start()
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        if process.poll() is None:
            disturb(run, process, chance)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        starts = run.finish()
        same = run.table() == whole.table()
        left = [str(p) for p in (run.folder / "results").rglob("*.part")]
        different += not same or bool(left)
        print(f"{number + 1:3} {disturb.__name__:12} after {moment:5.1f} s, {starts} more starts, "
              f"{time.monotonic() - begun:4.0f} s: {'the same' if same else 'DIFFERENT'}"
              f"{', left: ' + left[0] if left else ''}", flush=True)  # fmt: skip
        if same and not left:
            shutil.rmtree(run.folder)
    print(f"{args.rounds} rounds, {different} different", flush=True)
    if not different:
        shutil.rmtree(folder)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
