"""Two commands that write the same: one is refused, or the last of two whole files stays."""

import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.faults.stages import STAGES, contents

UNFINISHED = {
    "fetch": "raw/movielens-32m",
    "normalise": "tables/movielens-32m",
    "train": "adapters/tiny/itdr/1.checkpoints",
    "infer": "predictions/tiny/itdr/1.answers",
}
HOLDER = """
import sys, time; from pathlib import Path; from itdr.files.locks import directory_lock
with directory_lock(Path(sys.argv[1])):
    print("in", flush=True); time.sleep(600)
"""
WRITER = """
import sys; from pathlib import Path; from itdr.files.atomic import atomic_file, atomic_folder
out, letter = Path(sys.argv[1]), sys.argv[2]
for _ in range(40):
    with atomic_file(out / "file") as part:
        part.write_text(letter * 10_000)
    with atomic_folder(out / "folder", "split") as part:
        for name in "xyz":
            (part / name).write_text(letter)
"""


def start(program, *words):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, text=True
    )


@contextmanager
def busy(folder):
    """Have another process at work in a folder."""
    with start(HOLDER, folder) as process:
        assert process.stdout.readline() == "in\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("stage", UNFINISHED)
def test_the_second_is_refused_by_the_name_of_the_first_and_may_start_when_that_is_gone(
    whole, tmp_path, capsys, stage
):
    folder = tmp_path / UNFINISHED[stage]
    with busy(folder) as other:
        assert STAGES[stage].start(whole, tmp_path) == 1
        assert f"{folder}: the process {other.pid} on " in capsys.readouterr().err
        assert list(contents(tmp_path)) == [f"{UNFINISHED[stage]}/.lock"]
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (folder / ".lock").exists()  # left behind, and no lock
        assert STAGES[stage].start(whole, tmp_path) == 0
    assert not (folder / ".lock").exists()


def test_of_several_writers_the_last_one_stays_whole(tmp_path):
    letters = "abc"
    processes = [start(WRITER, tmp_path, letter) for letter in letters]
    while any(process.poll() is None for process in processes):
        path = tmp_path / "file"
        if path.exists():
            text = path.read_text()
            assert text in {letter * 10_000 for letter in letters}
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert len({path.read_text() for path in (tmp_path / "folder").glob("[!.]*")}) == 1
    for process in processes:
        process.stdout.close()
