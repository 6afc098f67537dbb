"""Jobs on several GPUs: worked out by hand, and as the plan tells and draws it."""

import pytest

from itdr.errors import SettingsError
from itdr.planning.estimate import cost, gpus_of, hours
from itdr.planning.jobs import Job
from itdr.planning.measured import Measured
from itdr.planning.needs import Needs
from itdr.planning.schedule import Task, enough, simulate
from itdr.planning.several_gpus import draw, several_gpus
from tests.unit.test_plan import TRAIN, sizes  # noqa: F401

# One hour of preparing, then four trainings of 4, 3, 2 and 1 hours, then half an hour for a table.
DIAMOND = [Task(1.0), *(Task(hours, 1, (0,)) for hours in (4.0, 3.0, 2.0, 1.0)),
           Task(0.5, 0, (1, 2, 3, 4))]  # fmt: skip


def test_on_one_gpu_jobs_wait_for_each_other():
    found = simulate(DIAMOND, 1)
    assert found.starts == (0, 1, 5, 8, 10, 11)
    assert found.hours == 11.5 and found.busy == 10
    assert found.idle == pytest.approx(1.5 / 11.5)
    assert found.queued == 4 + 7 + 9
    assert found.chain == (0, 1, 2, 3, 4, 5), "each waited for the GPU of the one before"


def test_two_gpus_are_shared_in_the_order_in_which_jobs_became_ready():
    found = simulate(DIAMOND, 2)
    assert found.starts == (0, 1, 1, 4, 5, 6)
    assert found.hours == 6.5 and found.queued == 3 + 4
    assert found.idle == pytest.approx(1 - 10 / 13)


def test_with_gpus_enough_the_longest_path_is_left():
    found = simulate(DIAMOND, 4)
    assert found.hours == 5.5 and found.queued == 0 and found.chain == (0, 1, 5)
    # With three, the shortest starts at 3 and ends at 4: as soon done.
    assert simulate(DIAMOND, 3).hours == 5.5 and enough(DIAMOND) == 3


def test_a_job_on_several_gpus_waits_for_all_of_them_and_others_pass_it():
    tasks = [Task(2.0, 1), Task(1.0, 2), Task(3.0, 1)]
    found = simulate(tasks, 2)
    assert found.starts == (0, 3, 0)
    assert found.busy == 7 and found.chain == (2, 1)
    with pytest.raises(SettingsError, match=r"--gpus 1: a job of this target needs 2 at once"):
        simulate(tasks, 1)


def test_without_jobs_on_gpus_there_is_nothing_to_share():
    assert enough([Task(1.0), Task(2.0, 0, (0,))]) == 0
    assert simulate([Task(1.0), Task(2.0, 0, (0,))], 0).hours == 3 and simulate([], 1).hours == 0


def test_a_job_takes_its_cost_divided_by_the_gpus_that_share_it(sizes, monkeypatch):  # noqa: F811
    alone = cost(TRAIN, sizes, Measured())
    glm = sizes.workflow.models["glm-4-9b"]
    two = glm.model_copy(update={"training_gpus": 2})
    monkeypatch.setitem(sizes.workflow.models, "glm-4-9b", two)
    assert gpus_of(TRAIN, sizes) == 2
    start = sizes.rates.training.start_s / 3600
    assert hours(TRAIN, sizes, Measured()) == pytest.approx((alone.gpu_hours + start) / 2)
    assert cost(TRAIN, sizes, Measured()).gpu_hours == pytest.approx(alone.gpu_hours + start)
    assert gpus_of(Job("infer_model", TRAIN.wildcards), sizes) == 1
    assert gpus_of(Job("fetch_dataset", {"dataset": "yelp"}), sizes) == 0


@pytest.fixture
def needs(sizes):  # noqa: F811
    """Two trainings of which each waits for a download, and the answers of one."""
    fetch = Job("fetch_dataset", {"dataset": "movielens-32m"})
    trainings = [Job("train_adapter", TRAIN.wildcards | {"variant": variant}, (0,))
                 for variant in ("itdr", "data-25")]  # fmt: skip
    answers = Job("infer_model", TRAIN.wildcards, (1,))
    return Needs((), (fetch, *trainings, answers), sizes, Measured(training={"glm-4-9b": 1e4}))


def test_the_table_says_how_long_and_what_decides_it(needs):
    text = several_gpus(needs, [1, 2])
    rows = [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()]
    durations = [hours(job, needs.sizes, needs.measured) for job in needs.jobs]
    assert float(rows[0][1].replace(",", "")) == pytest.approx(sum(durations), abs=0.06)
    longest = durations[0] + durations[1] + durations[3]
    assert float(rows[1][1].replace(",", "")) == pytest.approx(longest, abs=0.06)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "From 2 GPUs on more do not help" in words
    assert "train_adapter glm-4-9b/itdr" in words and "data-25" not in words


def test_the_figure_is_the_same_twice(needs, tmp_path):
    for name in ("a", "b"):
        draw(needs, tmp_path / name, most=4)
    for kind in ("png", "svg"):
        first, second = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b"))
        assert first == second and len(first) > 5000
