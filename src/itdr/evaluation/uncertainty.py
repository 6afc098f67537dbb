"""Intervals of a cell's values, and the merging of seeds.

A mean of values from 0 to 1 has Wilson's score interval (Wilson, Probable Inference, 1927). Values
between the two bounds spread less than zeros and ones of the same mean; they count for as many
zeros and ones as would make their mean as certain (the effective number of Korn and Graubard,
Confidence Intervals for Proportions with Small Expected Number of Positive Counts, 1998), with
Student's distribution for the normal one, because their spread is estimated. So 0 of 39 has an
interval.

A root of a mean of squared errors has Student's interval of its logarithm, its standard error by
the delta method (as Bonett, Approximate Confidence Interval for Standard Deviation of Nonnormal
Distributions, 2006, has it for standard deviations). Where all errors are alike, or fewer than
eight, nothing is known of their spread, and there is no interval.

The spread of skewed values is mostly that of a few far ones, which a small cell may lack. The end
of the interval that lies on the side of the farthest value therefore counts two more examples with
that value, in the spread alone, after the pseudo-observations of Agresti and Coull (Approximate is
Better than Exact for Interval Estimation of Binomial Proportions, 1998). That it is two, and that
end alone, was chosen by simulation.

Other values, and cells whose users have several examples, have the percentile bootstrap interval
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

tests/benchmarks/coverage.py measures how often the first two hold the truth.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_NOTHING = 1e-12
_MORE = 2  # examples with the farthest value that one end counts besides
_FEWEST = 8  # examples of which squared errors tell anything of their spread
_CHUNK = 4_000_000  # numbers drawn at a time, so that memory holds whatever the cell's size


@dataclass(frozen=True)
class Resampling:
    """How one cell is resampled: the same draws each time, whatever was drawn for other cells.

    resamples: their number; confidence: the share that an interval covers; seed, cell: what the
    draws depend on.
    """

    resamples: int
    confidence: float
    seed: int
    cell: tuple[str, ...] = ()

    def generator(self) -> np.random.Generator:
        """Return a new generator at the beginning of the cell's draws."""
        digest = hashlib.sha256("\n".join(self.cell).encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:8], "big")])


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SeedEstimate(Estimate):
    """A value over several seeds, its interval, and the seeds' own values."""

    seeds: tuple[float, ...]


def whole_estimate(
    values: Sequence[Callable[[Floats], float]],
    examples: int,
    resampling: Resampling,
    users: Ints | None = None,
) -> SeedEstimate:
    """Return the mean of values of a whole cell, with its percentile bootstrap interval.

    values: one a seed, from how often each example counts, shape (examples,), to the value, which
    may be NaN; resamples in which one is do not count. examples: how many there are. users: the
    number of each example's user, from 0 on: then users are drawn, with all of their examples.
    """
    of_each = [value(np.ones(examples)) for value in values]
    drawn = [
        float(np.mean([value(times) for value in values]))
        for block in _resampled_times(examples, resampling, users)
        for times in block
    ]
    known = [one for one in drawn if not isnan(one)]
    tail = (1 - resampling.confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail]) if known else (nan, nan)
    return SeedEstimate(float(np.mean(of_each)), float(low), float(high), tuple(of_each))


def mean_of(values: Floats) -> Callable[[Floats], float]:
    """Return the mean of values as whole_estimate takes it; a NaN does not count."""
    known = ~np.isnan(values)

    def value(times: Floats) -> float:
        counted = times[known]
        return float(counted @ values[known] / counted.sum()) if counted.any() else nan

    return value


def mean_interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Return the interval of the mean; NaN without any value.

    Values from 0 to 1 have Wilson's interval, others Student's, which is NaN for a single one.
    """
    n = values.size
    if n == 0:
        return nan, nan
    mean = float(values.mean())
    squares = _squares(values - mean)
    share = bool(np.isin(values, (0.0, 1.0)).all())
    tail = (1 + confidence) / 2
    if values.min() < 0 or values.max() > 1:
        reach = float(stats.t.ppf(tail, n - 1)) / sqrt(n * (n - 1)) if n > 1 else nan
        return mean - reach * sqrt(squares[0]), mean + reach * sqrt(squares[1])
    quantile = float(stats.norm.ppf(tail) if share or n == 1 else stats.t.ppf(tail, n - 1))
    ends = []
    for square, side in zip(squares, (-1, 1), strict=True):
        spread = 0.0 if share or n == 1 else square / (n - 1)
        many = max(n, n * mean * (1 - mean) / spread) if spread > _NOTHING else n
        middle = (mean * many + quantile**2 / 2) / (many + quantile**2)
        half = quantile * sqrt(many * mean * (1 - mean) + quantile**2 / 4) / (many + quantile**2)
        ends.append(min(1.0, max(0.0, middle + side * half)))
    return ends[0], ends[1]


def merge_seeds(values: Sequence[Floats], root: bool, confidence: float) -> SeedEstimate:
    """Return the estimate of several trainings that differ in their seed alone.

    The value is the mean of the seeds' values. The interval is of that mean when other examples are
    drawn, the same ones for every seed: it tells how much the choice of test examples matters. How
    much the seed matters is for the reader to see in the seeds' own values.

    values: one array a seed, one value an example, in the same order.
    """
    table = np.stack(list(values), axis=1)
    of_each = np.sqrt(column_means(table)) if root else column_means(table)
    if root:
        found = _root_estimate(table, confidence)
        low, high = found.low, found.high
    else:
        whole = table[~np.isnan(table).any(axis=1)]
        low, high = mean_interval(whole.mean(axis=1), confidence)
    return SeedEstimate(float(of_each.mean()), low, high, tuple(map(float, of_each)))


def column_means(values: Floats) -> Floats:
    """Return the mean of what counts in each column; NaN where nothing does."""
    counted = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(counted, values, 0.0).sum(axis=0) / counted.sum(axis=0)
    return means


def _root_estimate(errors: Floats, confidence: float) -> Estimate:
    """Return the mean over the columns of the root of each column's mean, with its interval.

    errors: shape (examples, columns); a NaN is an error that does not count for its column.
    """
    errors = errors[~np.isnan(errors).all(axis=1)]
    n, columns = errors.shape
    means = column_means(errors)
    value = float(np.sqrt(means).mean())
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = n / (2 * columns * np.sqrt(means) * (~np.isnan(errors)).sum(axis=0))
    added = np.nansum(np.where(means > 0, slopes, 0.0) * (errors - means), axis=1)
    if n < _FEWEST or not float(added @ added) > _NOTHING:
        return Estimate(value, nan, nan)
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1)) / sqrt(n * (n - 1)) / value
    low, high = (reach * sqrt(square) for square in _squares(added))
    return Estimate(value, value * exp(-low), value * exp(high))


def _squares(deviations: Floats) -> tuple[float, float]:
    """Return the sums of squares by which the lower and the upper end of an interval reach."""
    far = float(deviations[np.abs(deviations).argmax()])
    total = float(deviations @ deviations)
    more = total + _MORE * far**2
    return (more, total) if far < 0 else (total, more)


def _resampled_times(
    rows: int, resampling: Resampling, users: Ints | None = None
) -> Iterator[Floats]:
    """Yield blocks of how often each row is drawn, shape (resamples of the block, rows)."""
    units = rows if users is None else int(users.max()) + 1
    if units == 0:
        return
    generator = resampling.generator()
    step = max(1, _CHUNK // rows)
    for start in range(0, resampling.resamples, step):
        size = min(step, resampling.resamples - start)
        drawn = generator.integers(0, units, (size, units))
        drawn += np.arange(size)[:, None] * units
        times = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
        yield (times if users is None else times[:, users]).astype(np.float64)
