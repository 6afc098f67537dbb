"""Intervals of values and merged seeds."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.evaluation.uncertainty import Resampling, estimates, merge_seeds, resampled_means

PLAN = Resampling(resamples=2000, confidence=0.95, seed=1, cell=("RP", "yelp"))
NAN = float("nan")


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_resampled_means_are_those_of_a_plain_loop():
    values = np.random.default_rng(0).random((7, 2))
    drawn = PLAN.generator().integers(0, 7, (PLAN.resamples, 7))
    expected = np.array([values[rows].mean(axis=0) for rows in drawn])
    np.testing.assert_allclose(resampled_means(values, PLAN), expected)


def test_large_cells_are_drawn_in_pieces_with_the_same_result(monkeypatch):
    values = np.random.default_rng(0).random((50, 1))
    whole = resampled_means(values, PLAN)
    monkeypatch.setattr("itdr.evaluation.uncertainty._CHUNK", 300)
    np.testing.assert_allclose(resampled_means(values, PLAN), whole)


def test_the_interval_of_a_share_is_wilsons():
    for right, n in ((0, 39), (13, 37), (250, 250)):
        (ours,) = estimates(column(*[1] * right, *[0] * (n - right)), [False], PLAN)
        theirs = scipy.stats.binomtest(right, n).proportion_ci(method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_none_of_39_may_still_be_one_in_ten():
    (found,) = estimates(np.zeros((39, 1)), [False], PLAN)
    assert (found.low, found.value) == (0, 0)
    assert found.high == pytest.approx(0.0897, abs=1e-4)


def test_the_interval_of_a_mean_is_nearly_students_where_nothing_is_at_a_bound():
    values = np.random.default_rng(5).beta(5, 5, 250)
    (ours,) = estimates(values[:, None], [False], PLAN)
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-3)


def test_the_interval_of_a_mean_beyond_0_to_1_is_students():
    values = np.array([[1.0], [2.0], [4.0], [1.5]])
    (found,) = estimates(values, [False], Resampling(10, 0.95, 1))
    expected = scipy.stats.t.interval(0.95, 3, values.mean(), scipy.stats.sem(values[:, 0]))
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_interval_of_an_rmse_is_the_studentised_bootstrap_of_a_plain_loop():
    errors = np.random.default_rng(3).normal(size=30) ** 2
    (found,) = estimates(errors[:, None], [True], PLAN)
    value = np.sqrt(errors.mean())
    drawn = errors[PLAN.generator().integers(0, 30, (PLAN.resamples, 30))]

    def standard_error(squares):
        return squares.std(ddof=0) * np.sqrt(1 / 29) / (2 * np.sqrt(squares.mean()))

    distances = [(np.sqrt(row.mean()) - value) / standard_error(row) for row in drawn]
    far = np.quantile(distances, [0.975, 0.025]) * standard_error(errors)
    assert (found.low, found.high) == pytest.approx(tuple(value - far))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(8)
    held = np.zeros(2)
    for trial in range(400):
        values = np.stack([rng.random(37) < 0.1, rng.normal(size=37) ** 2], axis=1)
        found = estimates(values, [False, True], Resampling(400, 0.95, trial))
        held += [one.low <= truth <= one.high for one, truth in zip(found, (0.1, 1), strict=True)]
    assert ((held / 400 >= 0.91) & (held / 400 <= 0.985)).all()


def test_errors_that_are_all_alike_have_no_interval():
    (found,) = estimates(column(4, 4, 4), [True], PLAN)
    assert found.value == 2.0
    assert np.isnan([found.low, found.high]).all()


def test_examples_that_do_not_count_are_left_out():
    for root in (False, True):
        found = estimates(column(1, NAN, 0, 1, NAN), [root], PLAN)
        assert found == estimates(column(1, 0, 1), [root], PLAN) or root
        assert found[0].value == pytest.approx((2 / 3) ** (0.5 if root else 1))


@pytest.mark.parametrize("values", [column(), column(NAN, NAN)])
def test_without_any_example_there_is_no_value(values):
    (found,) = estimates(values, [False], PLAN)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_the_draws_depend_on_seed_and_cell_alone():
    values = np.random.default_rng(1).random((30, 1))
    first = estimates(values, [True], PLAN)
    resampled_means(np.ones((5, 1)), PLAN)
    assert estimates(values, [True], PLAN) == first
    for other in (
        Resampling(2000, 0.95, seed=2, cell=PLAN.cell),
        Resampling(2000, 0.95, seed=1, cell=("RP", "anime-2023")),
    ):
        assert estimates(values, [True], other) != first


@settings(max_examples=40)
@given(
    values=st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), max_size=20),
    root=st.booleans(),
)
def test_an_interval_holds_the_value_and_more_confidence_is_a_wider_one(values, root):
    plans = [Resampling(50, confidence, 1) for confidence in (0.5, 0.99)]
    (narrow,), (wide,) = (estimates(column(*values), [root], plan) for plan in plans)
    assert narrow.value == wide.value or np.isnan(wide.value)
    if not np.isnan(narrow.low):
        assert wide.low <= narrow.low <= narrow.high <= wide.high
        assert wide.low >= 0 and (root or wide.low <= wide.value <= wide.high <= 1)


# Seeds


def test_seeds_are_averaged_over_the_same_examples():
    rng = np.random.default_rng(7)
    seeds = [rng.random(40) for _ in range(3)]
    found = merge_seeds(seeds, False, PLAN)
    assert found.value == pytest.approx(np.mean(seeds))
    assert found.seeds == pytest.approx([seed.mean() for seed in seeds])
    (of_means,) = estimates(np.mean(seeds, axis=0)[:, None], [False], PLAN)
    assert (found.low, found.high) == pytest.approx((of_means.low, of_means.high))


def test_seeds_of_rmse_are_averaged_after_the_root():
    found = merge_seeds([np.array([1.0, 1.0]), np.array([9.0, 9.0])], True, PLAN)
    assert (found.value, found.seeds) == (2.0, (1.0, 3.0))


def test_one_seed_of_rmse_has_the_interval_of_its_column():
    errors = np.random.default_rng(2).random(30)
    merged = merge_seeds([errors, errors], True, PLAN)
    (alone,) = estimates(errors[:, None], [True], PLAN)
    assert (merged.low, merged.high) == pytest.approx((alone.low, alone.high))
