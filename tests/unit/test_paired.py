"""Paired tests, their corrections, and letters for what cannot be told apart."""

import numpy as np
import pytest
import scipy.stats

from itdr.evaluation.paired import benjamini_hochberg, compare, holm, letters
from itdr.evaluation.uncertainty import Resampling, mean_interval

PLAN = Resampling(resamples=2000, confidence=0.95, seed=1, cell=("RP", "yelp"))
NAN = float("nan")


def one(first, second, root=False, plan=PLAN, tests=1):
    values = np.stack([np.asarray(first, float), np.asarray(second, float)], axis=1)
    return compare(values, [(0, 1)], root, plan, tests)[0]


def test_a_clear_difference_is_found():
    rng = np.random.default_rng(2)
    first = (rng.random(250) < 0.4).astype(float)
    second = np.where(rng.random(250) < 0.3, 1.0, first)
    found = one(first, second)
    assert found.difference == pytest.approx(second.mean() - first.mean())
    assert found.p_value < 0.01 and found.low > 0 and found.n == 250


@pytest.mark.parametrize("root", [False, True])
def test_p_values_are_those_of_all_swappings(root):
    """Six examples have 64 swappings, which can be counted."""
    rng = np.random.default_rng(11)
    first, second = rng.random(6), rng.random(6) + 0.3

    def distance(one, other, axis=-1):
        transform = np.sqrt if root else np.asarray
        return np.abs(transform(other.mean(axis=axis)) - transform(one.mean(axis=axis)))

    exact = scipy.stats.permutation_test(
        (first, second), distance, permutation_type="samples", alternative="greater"
    ).pvalue
    plan = Resampling(40_000, 0.95, 1)
    assert one(first, second, root, plan).p_value == pytest.approx(exact, abs=0.01)


def test_pairing_sees_what_two_intervals_hide():
    rng = np.random.default_rng(3)
    first = rng.random(100)
    second = first + rng.normal(0.02, 0.01, 100)  # far less than the spread between examples
    assert one(first, second).p_value < 0.01
    assert mean_interval(first, 0.95)[1] > mean_interval(second, 0.95)[0]


def test_equal_variants_do_not_differ_but_for_what_so_few_examples_can_hide():
    values = np.random.default_rng(4).random(39)
    found = one(values, values.copy())
    assert (found.difference, found.p_value) == (0, 1.0)
    assert (found.low, found.high) == pytest.approx((-0.0897, 0.0897), abs=1e-4)


def test_the_test_does_not_cry_wolf():
    rng = np.random.default_rng(6)
    plan = Resampling(300, 0.95, 1)
    alarms = sum(one(rng.random(60), rng.random(60), plan=plan).p_value < 0.05 for _ in range(200))
    assert alarms <= 20  # 10 expected


def test_many_pairs_at_once_are_what_each_is_alone():
    values = np.random.default_rng(9).random((40, 3))
    values[5, 1] = NAN
    pairs = [(0, 1), (1, 2), (0, 2)]
    for root in (False, True):
        together = compare(values, pairs, root, PLAN)
        for pair, found in zip(pairs, together, strict=True):
            (alone,) = compare(values[:, list(pair)], [(0, 1)], root, PLAN)
            assert found == pytest.approx(alone)
    assert [found.n for found in together] == [39, 39, 40]


def test_there_are_swappings_enough_for_the_number_of_tests():
    rng = np.random.default_rng(2)
    first, second = rng.random(200), rng.random(200) + 0.5
    for tests in (1, 1000):
        found = one(first, second, plan=Resampling(100, 0.95, 1), tests=tests)
        assert found.p_value * tests <= 0.05
    # Where it is clear that nothing is found, no swapping is wasted.
    same = one(first, rng.random(200), plan=Resampling(100, 0.95, 1), tests=10**9)
    assert same.p_value > 0.01


def test_pairs_count_only_where_both_do():
    found = one([1, NAN, 4.0], [1, 9, NAN], root=True)
    assert (found.n, found.difference) == (1, 0.0)
    nothing = one([1, NAN], [NAN, 1])
    assert nothing.n == 0 and np.isnan([nothing.p_value, nothing.difference]).all()


def test_corrections_by_hand():
    p_values = np.array([0.01, NAN, 0.04, 0.03])
    assert holm(p_values) == pytest.approx([0.03, NAN, 0.06, 0.06], nan_ok=True)
    assert benjamini_hochberg(p_values) == pytest.approx([0.03, NAN, 0.04, 0.04], nan_ok=True)
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])


def test_letters_join_what_cannot_be_told_apart():
    """The best and the worst differ, and so do the neighbours but one."""
    apart = {frozenset(pair): True for pair in ("ad", "ac", "bd")}
    assert letters("abcd", apart) == {"a": "a", "b": "ab", "c": "bc", "d": "c"}
    assert letters("ab", {}) == {"a": "a", "b": "a"}
    every = {frozenset(pair): True for pair in ("ab", "ac", "bc")}
    assert letters("abc", every) == {"a": "a", "b": "b", "c": "c"}


def test_two_share_a_letter_just_when_they_were_not_told_apart():
    rng = np.random.default_rng(1)
    names = [chr(97 + at) for at in range(6)]
    for _ in range(50):
        apart = {frozenset((a, b)): bool(rng.random() < 0.4)
                 for a in names for b in names if a < b}  # fmt: skip
        found = letters(names, apart)
        for pair, differ in apart.items():
            a, b = pair
            assert bool(set(found[a]) & set(found[b])) is not differ
