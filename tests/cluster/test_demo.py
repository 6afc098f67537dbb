"""A miniature of the demo through `snakemake --profile slurm` on a real Slurm."""

import pandas as pd

from tests.cluster.conftest import lines

GPU_RULES = ("train_adapter", "infer_model")


def uses_gpu(job) -> bool:
    return any(rule in job.comment for rule in GPU_RULES)


def test_the_miniature_runs_to_its_page(demo, clone, capsys):
    assert demo.status == 0, demo.output[-3000:]
    results = clone.folder / "results"
    assert (results / "report/index.html").exists()
    table = pd.read_csv(results / "report/tables/main.csv")
    assert set(table["variant"]) >= {"base", "itdr", "user-mean"}
    assert {job.state for job in demo.jobs} == {"COMPLETED"}
    with capsys.disabled():
        print(f"\n{len(demo.jobs)} Slurm jobs:\n{lines(demo.jobs)}")


def test_two_gpu_jobs_run_side_by_side_and_a_third_waits(demo, capsys):
    full = [
        moment
        for moment in demo.moments
        if [job.state for job in moment if uses_gpu(job)].count("RUNNING") == 2
        and any(uses_gpu(job) and job.state == "PENDING" for job in moment)
    ]
    assert full
    with capsys.disabled():
        waiting = [job for job in full[-1] if job.state in ("RUNNING", "PENDING")]
        print(f"\nWhile two GPU jobs ran:\n{lines(waiting)}")
    for moment in demo.moments:
        running = [job.number for job in moment if uses_gpu(job) and job.state == "RUNNING"]
        assert len(running) <= 2
        devices = [next(iter(demo.devices[number])) for number in running if demo.devices[number]]
        assert len(set(devices)) == len(devices)
    used = [demo.devices[job.number] for job in demo.jobs if uses_gpu(job)]
    assert set().union(*used) == {"0", "1"}
    assert all(len(devices) == 1 for devices in used)


def test_only_training_and_inference_hold_gpus(demo):
    for job in demo.jobs:
        expected = ("gpu", "gpu:fake:1") if uses_gpu(job) else ("cpu", "none")
        assert (job.partition, job.gpus) == expected
        assert uses_gpu(job) or not demo.devices.get(job.number)


def test_small_jobs_share_slurm_jobs(demo):
    assert len(demo.jobs) == 14
    assert len(demo.of("rule_prepare")) == len(demo.of("rule_report")) == 1
