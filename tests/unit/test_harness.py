"""EleutherAI's lm-evaluation-harness loads our tasks, and its scores are ours."""

import pandas as pd
import pytest

from itdr.cli.main import main
from tests.conftest import ROOT

lm_eval = pytest.importorskip("lm_eval", reason="needs the package's extra 'harness'")

MODEL = ROOT / "config" / "models" / "tiny"
ROWS = 16


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Return the test parts of two cells of a simulated world."""
    folder = tmp_path_factory.mktemp("world")
    size = ["--users", "60", "--items", "60", "--interactions-per-user", "20"]
    made = []
    for dataset, tasks in (("movielens-32m", ("RP", "NIR")), ("movielens-1m", ("UAP",))):
        raw, tables = folder / "raw" / dataset, folder / "tables" / dataset
        run("simulate", dataset, "--out", raw, *size)
        run("normalise", dataset, "--raw", raw, "--out", tables)
        for task in tasks:
            examples, out = folder / f"{task}.parquet", folder / task
            run("build", task, dataset, "--tables", tables, "--out", examples)
            run("split", "--examples", examples, "--out", out, "--shares", "0.5,0.1,0.4")
            made.append(out / "test.parquet")
    return made


def run(*words):
    assert main([str(word) for word in words]) == 0


def test_the_tiny_model_has_the_same_scores_in_both(parts, tmp_path):
    from lm_eval.tasks import TaskManager

    tasks = tmp_path / "tasks"
    run("export", "lm-eval", "--parts", *parts, "--rows-per-cell", ROWS, "--out", tasks)
    names = sorted(path.stem for path in tasks.glob("*.yaml"))
    assert names == ["itdr_NIR_movielens-32m", "itdr_RP_movielens-32m", "itdr_UAP_movielens-1m"]
    theirs = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(MODEL), "dtype": "float32", "max_length": 1024},
        tasks=names,
        task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
        apply_chat_template=True,
        device="cpu",
        batch_size=1,
        bootstrap_iters=0,
    )["results"]
    answers, scores = tmp_path / "answers.parquet", tmp_path / "scores.csv"
    model = ROOT / "config" / "models" / "tiny.yaml"
    run("infer", "--model", model, "--test", *parts, "--out", answers, "--rows-per-cell", ROWS,
        "--max-length", 1024, "--engine", "transformers")  # fmt: skip
    run("score", "--predictions", answers, "--out", scores)
    ours = pd.read_csv(scores)
    ours = ours[(ours.reading == "strict") & ~ours.metric.str.contains("midpoint|repaired")]
    assert len(ours) >= 4 and ours.value.notna().any()
    assert ours.n_unreadable.sum() < ours.n.sum()  # something was read
    for row in ours.itertuples():
        found = theirs[f"itdr_{row.task}_{row.dataset}"][f"{row.metric},none"]
        assert found == pytest.approx(row.value, abs=1e-6, nan_ok=True), (row.task, row.metric)
