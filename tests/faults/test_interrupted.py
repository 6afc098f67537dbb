"""Ctrl-C ends every long command within ten seconds, tidily, and the same command goes on."""

import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.files.formats import read_parquet, write_parquet
from itdr.interrupts import INTERRUPTED
from itdr.settings.experiment import WorldSettings
from tests.chat_server import ChatServer, Fault, serving
from tests.faults.apart import Apart
from tests.faults.stages import STAGES, contents

SECONDS = 10


def interrupt(run: Apart) -> str:
    """Send Ctrl-C and return what the command said at its end."""
    while True:
        with suppress(psutil.NoSuchProcess):  # a child that ended while they were listed
            children = psutil.Process(run.process.pid).children(recursive=True)
            break
    run.send(signal.SIGINT)
    assert run.end(SECONDS) == INTERRUPTED, run.said.read_text()
    assert not psutil.wait_procs(children, timeout=1)[1]
    said = run.said.read_text()
    assert "Traceback" not in said and "interrupted" in said.splitlines()[-1], said
    return said


def test_training_stops_in_a_step_and_goes_on_from_its_checkpoint(whole, tmp_path):
    words = [*STAGES["train"].words(whole, tmp_path), "--epochs", "60"]
    run = Apart(words, tmp_path / "said")
    checkpoints = tmp_path / "adapters/tiny/itdr/1.checkpoints"
    run.wait_until(lambda: list(checkpoints.glob("checkpoint-*/sha256.json")))
    interrupt(run)
    assert not (checkpoints / ".lock").exists() and not (tmp_path / "adapters/tiny/itdr/1").exists()
    again = Apart(words, tmp_path / "again")
    again.wait_until(lambda: "going on after step" in again.said.read_text())
    interrupt(again)


@pytest.mark.parametrize("at_once", ["1", "2"])
def test_inference_stops_between_passes_and_asks_the_rest(whole, tmp_path, at_once):
    words = [*STAGES["infer"].words(whole, tmp_path), "--batches-at-once", at_once]
    for flag, value in (("--rows-per-cell", "40"), ("--answer-limit", "64")):
        words[words.index(flag) + 1] = value
    words[words.index("--test") + 1] = str(whole / "parts/train.parquet")
    run = Apart(words, tmp_path / "said")
    journal = tmp_path / "predictions/tiny/itdr/1.answers/answers.jsonl"
    run.wait_until(lambda: journal.exists() and journal.stat().st_size)
    interrupt(run)
    answered = len(journal.read_bytes().splitlines())
    assert not (journal.parent / ".lock").exists()
    again = Apart(words, tmp_path / "again")
    again.wait_until(lambda: "going on after" in again.said.read_text())
    interrupt(again)
    assert len(journal.read_bytes().splitlines()) >= answered


@pytest.fixture(scope="module")
def much(tmp_path_factory):
    """Return a run with raw files that take seconds to normalise, and their tables."""
    folder = tmp_path_factory.mktemp("much")
    size = WorldSettings(users=6000, items=400, interactions_per_user=60)
    world = simulate(1, size.users, size.items, size.interactions_per_user)
    raw = folder / "raw/movielens-32m"
    raw.mkdir(parents=True)
    write_raw_files(world, "movielens-32m", raw, 1)
    return folder


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3])
def test_normalising_stops_while_it_reads_and_while_it_queries(much, tmp_path, delay):
    stage = STAGES["normalise"]
    run = Apart(stage.words(much, tmp_path), tmp_path / "said")
    out = tmp_path / stage.makes
    run.wait_until(lambda: (out / ".unfinished").exists())
    time.sleep(delay)
    interrupt(run)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("name", ["simulate", "build", "audit", "score", "report"])
def test_stages_without_a_memory_stop_and_leave_nothing_half_written(whole, tmp_path, name):
    stage = STAGES[name]
    run = Apart(stage.words(whole, tmp_path), tmp_path / "said", dies_at=None)
    time.sleep(0.15)
    if run.process.is_alive():
        run.send(signal.SIGINT)
    if run.end(SECONDS) == 0:  # it was quicker
        return
    assert run.end() == INTERRUPTED, run.said.read_text()
    assert "Traceback" not in run.said.read_text()
    # Ctrl-C may come when all is written and the command about to end.
    assert not list(tmp_path.rglob("*.part"))


def test_annotating_waits_for_what_is_paid_for_but_not_for_ever(whole, tmp_path):
    drafts = read_parquet(whole / "drafts.parquet", schema_of(whole / "drafts.parquet"))
    write_parquet(tmp_path / "drafts.parquet", drafts.slice(0, 4))
    prompts = drafts["teacher_prompt"].to_pylist()
    server = ChatServer()
    server.faults = {prompts[1]: [Fault(hang=True)]}
    with serving(server):
        words = (
            f"annotate --examples {tmp_path}/drafts.parquet --out {tmp_path}/a.parquet --kind"
            f" endpoint --base-url {server.url} --model m --key-variable HOME --cache"
            f" {tmp_path}/cache.jsonl --timeout-s 300 --requests-at-once 2"
        ).split()
        run = Apart(words, tmp_path / "said")
        run.wait_until(lambda: len(server.answered) == 3)
        run.send(signal.SIGINT)
        assert run.end(SECONDS) == INTERRUPTED
        assert "Traceback" not in run.said.read_text()
        assert Apart(words, tmp_path / "again").end() == 0, (tmp_path / "again").read_text()
    assert sorted(server.answered.values()) == [1, 1, 1, 1]


def schema_of(path):
    import pyarrow.parquet as pq

    return pq.read_schema(path)


LONG = """
import hashlib, sys
from itdr.interrupts import interruptible
with interruptible(grace_s=0.5):
    print("in", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2_000_000_000)  # not to be broken off
"""
TWICE = LONG.replace("0.5", "60")


@pytest.mark.parametrize(("program", "times"), [(LONG, 1), (TWICE, 2)], ids=["grace", "twice"])
def test_a_step_that_cannot_be_broken_off_is_ended_after_the_grace_or_at_the_second_time(
    program, times
):
    run = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "in\n"
    time.sleep(0.5)  # until the step has begun
    for _ in range(times):
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
    said = run.communicate(timeout=SECONDS)[1]
    assert run.returncode == INTERRUPTED
    assert re.fullmatch(r"interrupted.*\n", said)


def test_the_signals_handling_is_put_back(whole, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    assert STAGES["split"].start(whole, tmp_path) == 0
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.set_wakeup_fd(-1) == -1
    shutil.rmtree(tmp_path / "parts")
    assert contents(tmp_path) == {}
