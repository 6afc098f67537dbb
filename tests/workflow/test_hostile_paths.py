"""Neither the folder of the checkout nor one that a setting names is ever read as shell words."""

import os
import subprocess
import sys

import yaml

from tests.conftest import ROOT
from tests.workflow.conftest import QUICK
from tests.workflow.test_chain import WORLD

HOSTILE = "a b'ü$(touch P)`touch P`;touch P\"&"


def test_a_checkout_and_data_in_folders_whose_names_are_commands(tmp_path):
    checkout = tmp_path / HOSTILE
    checkout.mkdir()
    for name in ("Snakefile", "rules", "src", "config", "workflow", "envs"):
        (checkout / name).symlink_to(ROOT / name)
    raw = checkout / "raw data $(touch P)"
    python = [sys.executable, "-m"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [*python, "itdr", "simulate", "movielens-1m", "--out", raw, "--users=80", "--items=60",
         "--interactions-per-user=24"],
        cwd=checkout, env=environment, check=True,
    )  # fmt: skip
    changes = {
        "results": f"results {HOSTILE}",
        "pairs": ["UAP/movielens-1m", "RP/movielens-32m"],
        "columns": ["tiny/itdr"],
        "trivial_answers": ["user-mean"],
        "simulated_world": WORLD,
        "raw_folders": {"movielens-1m": str(raw)},
    }
    (checkout / "mine.yaml").write_text(yaml.safe_dump(QUICK | changes, allow_unicode=True))
    done = subprocess.run(
        [*python, "snakemake", "--cores", "2", "--configfile", "mine.yaml"],
        cwd=checkout, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert (checkout / changes["results"] / "report/index.html").is_file()
    assert not [path for path in checkout.rglob("P") if path.is_file()]
