"""Paired tests of many variants on the same examples, and the correction for their number.

A test swaps, example by example and at random, which of the two variants a value belongs to; the
p-value is the share of swappings that make the two differ as much as they do (Edgington and
Onghena, Randomization Tests, 2007). The values as they are count as one swapping, so no p-value is
0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, nan, sqrt
from string import ascii_lowercase

import numpy as np
from scipy import stats

from itdr.evaluation.uncertainty import Floats, Resampling, column_means, mean_interval

_ALIKE = 1e-9  # equal differences that were summed in another order
_ENOUGH = 10  # swappings at least as far apart, after which more of them settle nothing
_BLOCK = 10_000


@dataclass(frozen=True)
class Comparison:
    """Two variants' values over the examples that count for both, their difference and p-value.

    difference: second less first; low, high: its interval; p_value: two-sided; n: examples.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    n: int


def compare(
    values: Floats,
    pairs: Sequence[tuple[int, int]],
    root: bool,
    resampling: Resampling,
    tests: int = 1,
) -> list[Comparison]:
    """Return how the variants of each pair differ on the same examples.

    values: shape (examples, variants); examples that are NaN for one of a pair are left out of it.
    pairs: places of the first and the second variant. root: whether the values are squared errors,
    whose mean's root is compared. resampling.resamples: the fewest swappings. tests: in the family
    that is corrected for; there are so many swappings that a p-value can be small enough, unless it
    is clear before that it will not be (Besag and Clifford, Sequential Monte Carlo p-values, 1991).
    The interval is Student's, for roots by the delta method.
    """
    firsts, seconds = (values[:, [pair[side] for pair in pairs]] for side in (0, 1))
    known = ~(np.isnan(firsts) | np.isnan(seconds))
    firsts, seconds = np.where(known, firsts, nan), np.where(known, seconds, nan)
    transform = np.sqrt if root else np.asarray
    ours, theirs = transform(column_means(firsts)), transform(column_means(seconds))
    most = ceil(tests / (1 - resampling.confidence))
    p_values = _p_values(firsts, seconds, root, resampling, max(most, resampling.resamples))
    found = []
    for at, n in enumerate(known.sum(axis=0)):
        columns = firsts[known[:, at], at], seconds[known[:, at], at]
        low, high = _interval(*columns, root, resampling.confidence)
        found.append(Comparison(float(ours[at]), float(theirs[at]), float(theirs[at] - ours[at]),
                                low, high, float(p_values[at]), int(n)))  # fmt: skip
    return found


def holm(p_values: Floats) -> Floats:
    """Return Holm's p-values: the chance of any false difference among all is held.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979. NaN stays NaN.
    """
    adjusted = np.full(p_values.shape, nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return p-values that hold the share of false differences among those found.

    Source: Benjamini and Hochberg, Controlling the False Discovery Rate, 1995. NaN stays NaN.
    """
    adjusted = np.full(p_values.shape, nan)
    known = ~np.isnan(p_values)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p_values[known])
    return adjusted


def letters(names: Sequence[str], apart: Mapping[frozenset[str], bool]) -> dict[str, str]:
    """Return letters for names, best first: names that share one could not be told apart.

    apart: pair of names to whether they differ; a pair that was not tested does not. Source:
    Piepho, An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons, 2004.
    """
    groups = [frozenset(names)]
    for pair in sorted((pair for pair in apart if apart[pair]), key=sorted):
        split = [group - {name} if pair <= group else group for group in groups for name in pair]
        groups = [group for group in dict.fromkeys(split)
                  if not any(group < other for other in split)]  # fmt: skip
    groups.sort(key=lambda group: [name not in group for name in names])
    return {
        name: "".join(ascii_lowercase[at % 26] for at, group in enumerate(groups) if name in group)
        for name in names
    }


def _p_values(
    firsts: Floats, seconds: Floats, root: bool, resampling: Resampling, most: int
) -> Floats:
    counts = (~np.isnan(firsts)).sum(axis=0)
    firsts, seconds = np.nan_to_num(firsts), np.nan_to_num(seconds)
    gaps = seconds - firsts
    sums = firsts.sum(axis=0), seconds.sum(axis=0)
    reached = _distance(*sums, np.zeros((1, len(counts))), counts, root)[0]
    generator = resampling.generator()
    done, as_far = np.zeros(len(counts)), np.zeros(len(counts))
    open_ = np.flatnonzero(counts)
    for start in range(0, most, _BLOCK):
        if start >= resampling.resamples:
            open_ = open_[as_far[open_] < _ENOUGH]
        if not open_.size:
            break
        size = min(_BLOCK, most - start)
        swapped = generator.integers(0, 2, (size, len(gaps)), dtype=np.int8) @ gaps[:, open_]
        far = _distance(sums[0][open_], sums[1][open_], swapped, counts[open_], root)
        as_far[open_] += (far >= reached[open_] - _ALIKE).sum(axis=0)
        done[open_] += size
    return np.where(counts > 0, (1 + as_far) / (1 + done), nan)


def _distance(first: Floats, second: Floats, swapped: Floats, counts: Floats, root: bool) -> Floats:
    """Return how far apart two variants are once sums of `swapped` have changed sides."""
    if not root:
        return np.abs(second - first - 2 * swapped) / np.maximum(counts, 1)
    sides = [np.sqrt(np.maximum(side, 0.0) / np.maximum(counts, 1))
             for side in (first + swapped, second - swapped)]  # fmt: skip
    return np.abs(sides[1] - sides[0])


def _interval(first: Floats, second: Floats, root: bool, confidence: float) -> tuple[float, float]:
    """Return the interval of a difference; of variants that never differ, how often they might."""
    n = len(first)
    if n < 2:
        return nan, nan
    gaps = second - first
    if np.all(gaps == 0):
        often = mean_interval(np.zeros(n), confidence)[1]
        return (nan, nan) if root else (-often, often)
    middle = float(gaps.mean())
    if root:
        one, other = (float(np.sqrt(side.mean())) for side in (first, second))
        gaps = second / (2 * other or 1) - first / (2 * one or 1)
        middle = other - one
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * float(gaps.std(ddof=1)) / sqrt(n)
    return middle - half, middle + half
