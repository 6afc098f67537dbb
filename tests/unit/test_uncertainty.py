"""Intervals of values and merged seeds."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.evaluation.uncertainty import Resampling, merge_seeds, whole_estimate

PLAN = Resampling(resamples=2000, confidence=0.95, seed=1, cell=("RP", "yelp"))
NAN = float("nan")


def estimates(values, roots, plan=PLAN):
    columns = zip(values.T, roots, strict=True)
    return [merge_seeds([column], root, plan.confidence) for column, root in columns]


def column(*values):
    return np.array(values, dtype=float)[:, None]


def ratio(counts):
    return lambda times: float(np.divide(*(times @ counts)))


def test_the_interval_of_a_whole_value_is_the_percentile_bootstrap_of_a_plain_loop():
    counts = np.random.default_rng(0).random((7, 2))
    drawn = PLAN.generator().integers(0, 7, (PLAN.resamples, 7))
    ratios = [np.divide(*counts[rows].sum(axis=0)) for rows in drawn]
    found = whole_estimate([ratio(counts)], 7, PLAN)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(ratios, [0.025, 0.975])))
    assert found.value == pytest.approx(np.divide(*counts.sum(axis=0)))


def test_large_cells_are_drawn_in_pieces_with_the_same_result(monkeypatch):
    value = ratio(np.random.default_rng(0).random((50, 2)))
    whole = whole_estimate([value], 50, PLAN)
    monkeypatch.setattr("itdr.evaluation.uncertainty._CHUNK", 300)
    assert whole_estimate([value], 50, PLAN) == whole


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


def test_the_end_toward_the_farthest_value_counts_it_twice_more():
    values = np.array([0.2, 0.4, 0.4, 0.9, 0.3])
    (found,) = estimates(values[:, None], [False], PLAN)
    plain, mean, t = values.var(ddof=1), values.mean(), scipy.stats.t.ppf(0.975, 4)
    ends = {}
    for end, variance in (("low", plain), ("high", plain + 2 * (0.9 - mean) ** 2 / 4)):
        many = 5 * mean * (1 - mean) / variance
        half = t * np.sqrt(many * mean * (1 - mean) + t**2 / 4)
        ends[end] = (many * mean + t**2 / 2 + (half if end == "high" else -half)) / (many + t**2)
    assert (found.low, found.high) == pytest.approx((ends["low"], ends["high"]))


def test_the_interval_of_a_mean_beyond_0_to_1_is_students_with_a_longer_end():
    values = np.array([1.0, 2.0, 4.0, 1.5])
    (found,) = estimates(values[:, None], [False], PLAN)
    low, _ = scipy.stats.t.interval(0.95, 3, values.mean(), scipy.stats.sem(values))
    more = np.append(values, [4, 4]) - values.mean()
    high = values.mean() + scipy.stats.t.ppf(0.975, 3) * np.sqrt((more**2).sum() / 12)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_the_interval_of_an_rmse_is_students_of_its_logarithm():
    errors = np.random.default_rng(3).normal(size=30) ** 2
    (found,) = estimates(errors[:, None], [True], PLAN)
    value, t = np.sqrt(errors.mean()), scipy.stats.t.ppf(0.975, 29)
    assert found.value == pytest.approx(value)
    reach = t * scipy.stats.sem(errors) / (2 * errors.mean())
    assert found.low == pytest.approx(value * np.exp(-reach))
    more = np.append(errors, [errors.max()] * 2) - errors.mean()
    reach = t * np.sqrt((more**2).sum() / (30 * 29)) / (2 * errors.mean())
    assert found.high == pytest.approx(value * np.exp(reach))


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
    first = PLAN.generator().random()
    np.random.default_rng().random()
    assert PLAN.generator().random() == first
    for other in (
        Resampling(2000, 0.95, seed=2, cell=PLAN.cell),
        Resampling(2000, 0.95, seed=1, cell=("RP", "anime-2023")),
    ):
        assert other.generator().random() != first


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
        assert wide.low <= narrow.low + 1e-12
        assert narrow.low <= narrow.high <= wide.high + 1e-12
        assert wide.low >= 0 and (root or wide.low <= wide.value <= wide.high <= 1)


# Seeds


def test_seeds_are_averaged_over_the_same_examples():
    rng = np.random.default_rng(7)
    seeds = [rng.random(40) for _ in range(3)]
    found = merge_seeds(seeds, False, PLAN.confidence)
    assert found.value == pytest.approx(np.mean(seeds))
    assert found.seeds == pytest.approx([seed.mean() for seed in seeds])
    (of_means,) = estimates(np.mean(seeds, axis=0)[:, None], [False], PLAN)
    assert (found.low, found.high) == pytest.approx((of_means.low, of_means.high))


def test_seeds_of_rmse_are_averaged_after_the_root():
    found = merge_seeds([np.array([1.0, 1.0]), np.array([9.0, 9.0])], True, PLAN.confidence)
    assert (found.value, found.seeds) == (2.0, (1.0, 3.0))


def test_one_seed_of_rmse_has_the_interval_of_its_column():
    errors = np.random.default_rng(2).random(30)
    merged = merge_seeds([errors, errors], True, PLAN.confidence)
    (alone,) = estimates(errors[:, None], [True], PLAN)
    assert (merged.low, merged.high) == pytest.approx((alone.low, alone.high))
