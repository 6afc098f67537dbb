"""Bootstrap intervals, paired tests and merged seeds."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.errors import DataError
from itdr.evaluation.uncertainty import (
    Resampling,
    compare,
    estimates,
    interval,
    merge_seeds,
    resampled_means,
)

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


def test_interval_agrees_with_scipy():
    values = np.random.default_rng(5).random(250)
    (ours,) = estimates(values[:, None], [False], PLAN)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(9)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.005)
    assert ours.high == pytest.approx(theirs.high, abs=0.005)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    held = 0
    for trial in range(300):
        values = (rng.random((100, 1)) < 0.6).astype(float)
        plan = Resampling(resamples=400, confidence=0.95, seed=trial)
        (found,) = estimates(values, [False], plan)
        held += found.low <= 0.6 <= found.high
    assert 0.90 <= held / 300 <= 0.99


def test_a_root_is_taken_of_means_of_squared_errors():
    (found,) = estimates(column(4, 4, 4), [True], PLAN)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


def test_examples_that_do_not_count_are_left_out():
    (found,) = estimates(column(1, NAN, 1, NAN), [False], PLAN)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("values", [column(), column(NAN, NAN)])
def test_without_any_example_there_is_no_value(values):
    (found,) = estimates(values, [False], PLAN)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_the_draws_depend_on_seed_and_cell_alone():
    values = np.random.default_rng(1).random((30, 1))
    first = estimates(values, [False], PLAN)
    resampled_means(np.ones((5, 1)), PLAN)
    assert estimates(values, [False], PLAN) == first
    for other in (
        Resampling(2000, 0.95, seed=2, cell=PLAN.cell),
        Resampling(2000, 0.95, seed=1, cell=("RP", "anime-2023")),
    ):
        assert estimates(values, [False], other) != first


def test_more_confidence_is_a_wider_interval():
    drawn = np.random.default_rng(1).random(1000)
    narrow, wide = interval(drawn, 0.5), interval(drawn, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@settings(max_examples=40)
@given(
    values=st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), max_size=20),
    root=st.booleans(),
)
def test_an_interval_lies_within_the_values(values, root):
    (found,) = estimates(column(*values), [root], Resampling(50, 0.95, 1))
    known = [value**0.5 if root else value for value in values if value == value]
    if known:
        assert min(known) - 1e-9 <= found.low <= found.high <= max(known) + 1e-9


# Paired test


def test_a_clear_difference_is_found():
    rng = np.random.default_rng(2)
    first = (rng.random(250) < 0.4).astype(float)
    second = np.where(rng.random(250) < 0.3, 1.0, first)
    found = compare(first, second, False, PLAN)
    assert found.difference == pytest.approx(second.mean() - first.mean())
    assert found.p_value < 0.01
    assert found.low > 0
    assert found.n == 250


def test_pairing_sees_what_two_intervals_hide():
    rng = np.random.default_rng(3)
    first = rng.random(100)
    second = first + 0.02  # far less than the spread between examples
    assert compare(first, second, False, PLAN).p_value < 0.01
    one, other = estimates(np.stack([first, second], axis=1), [False, False], PLAN)
    assert one.high > other.low


def test_equal_variants_do_not_differ():
    values = np.random.default_rng(4).random(100)
    found = compare(values, values.copy(), False, PLAN)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1.0)


def test_the_test_does_not_cry_wolf():
    rng = np.random.default_rng(6)
    plan = Resampling(300, 0.95, 1)
    alarms = sum(
        compare(rng.random(60), rng.random(60), False, plan).p_value < 0.05 for _ in range(200)
    )
    assert alarms <= 24  # 10 expected


def test_pairs_count_only_where_both_do():
    found = compare(np.array([1, NAN, 4.0]), np.array([1, 9, NAN]), True, PLAN)
    assert (found.n, found.difference) == (1, 0.0)


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="2 and 3 examples"):
        compare(np.ones(2), np.ones(3), False, PLAN)


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
