"""Inference with vLLM that is killed goes on where it was."""

import os
import signal
import subprocess
import sys
import time

import pyarrow as pa

from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.record import PREDICTION, RECORD
from tests.conftest import ROOT

ROWS = 400


def test_a_killed_run_ends_with_the_same_file(tmp_path):
    rows = [
        {"id": f"NIR/movielens-32m/{n}", "task": "NIR", "dataset": "movielens-32m",
         "instruction": "Choose.", "input": f"Heat ({n})", "output": "Heat", "template_version": 1}
        for n in range(ROWS)
    ]  # fmt: skip
    write_parquet(tmp_path / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))

    def start(out):
        command = [sys.executable, "-m", "itdr", "infer", "--model", "config/models/tiny.yaml",
                   "--engine", "vllm", "--test", tmp_path / "test.parquet", "--out", out,
                   "--rows-per-cell", str(ROWS)]  # fmt: skip
        return subprocess.Popen(
            command, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE, text=True
        )

    journal = tmp_path / "killed.answers" / "answers.jsonl"
    run = start(tmp_path / "killed.parquet")
    while run.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert run.returncode == -signal.SIGKILL and not (tmp_path / "killed.parquet").exists()
    before = journal.read_text().count('"id"')
    assert 0 < before < ROWS

    again = start(tmp_path / "killed.parquet")
    assert f"going on after {before} of {ROWS} answers" in again.communicate()[1]
    start(tmp_path / "whole.parquet").communicate()
    killed, whole = (read_parquet(tmp_path / f"{name}.parquet", PREDICTION)
                     for name in ("killed", "whole"))  # fmt: skip
    assert killed == whole and len(whole) == ROWS
