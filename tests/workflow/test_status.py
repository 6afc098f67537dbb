"""`itdr status`: how far jobs are, while Snakemake runs, after a failure, and when all is done."""

import json
import os
import signal
import subprocess
import sys
import time

QUALITY = "results/tables/movielens-32m/quality.json"
WORLD = {"users": 60, "items": 40, "interactions_per_user": 15}


def status(project, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "itdr", "status", *words, "--configfile", "mine.yaml"]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True)


def value(project, *words: str) -> dict:
    done = status(project, *words, "--json")
    assert not done.stderr
    return json.loads(done.stdout)


def test_what_runs_is_told_while_it_runs_and_what_was_stopped_afterwards(project, tmp_path):
    project.configure(simulated_world=WORLD | {"users": 400_000})
    with (tmp_path / "log").open("w") as log:
        process = project.start(QUALITY, log=log)
        try:
            end = time.monotonic() + 60
            while not (seen := value(project, QUALITY))["jobs"]["running"]:
                assert time.monotonic() < end and process.poll() is None
        finally:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            process.wait(60)
    assert seen["snakemake_runs"] and seen["locked"]
    first, *others = seen["left"]
    assert (first["rule"], first["state"]) == ("simulate_dataset", "running")
    assert first["wildcards"] == {"dataset": "movielens-32m"} and 0 <= first["hours"] < 0.1
    assert {one["state"] for one in others} == {"to do"}

    done = status(project, QUALITY)
    assert done.returncode == 1
    assert "Failed or stopped\n  simulate_dataset movielens-32m\n" in done.stdout
    assert "    results/logs/simulate/movielens-32m.log\n" in done.stdout
    assert "Nothing runs. Started now, all is ready in about" in done.stdout


def test_a_failed_job_stands_there_with_its_logs_last_line_until_it_is_mended(project):
    bad = project.folder / "ml"
    bad.mkdir()
    (bad / "ratings.csv").write_text("userId,movieId,rating\n1,2,3\n")
    (bad / "tags.csv").write_text("userId,movieId,tag,timestamp\n")
    (bad / "movies.csv").write_text("movieId,title,genres\n2,Moon,Drama\n")
    project.configure(raw_folders={"movielens-32m": "ml"})
    assert project.snakemake(QUALITY).returncode == 1
    told = status(project, QUALITY)
    assert told.returncode == 1
    assert "1 of 2 jobs are done" in told.stdout
    assert "Failed or stopped\n  normalise_dataset movielens-32m" in told.stdout
    assert "the first line is b'userId,movieId,rating'; needed are the columns" in told.stdout

    (bad / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,3,1112486027\n")
    assert project.snakemake(QUALITY, "--forcerun", "fetch_dataset").returncode == 0
    told = status(project, QUALITY)
    assert told.returncode == 0
    assert told.stdout == f"{QUALITY}: 2 of 2 jobs are done.\n"
