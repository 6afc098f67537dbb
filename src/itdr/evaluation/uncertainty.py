"""Intervals of a cell's values, and the merging of seeds.

A mean of values from 0 to 1 has Wilson's score interval (Wilson, Probable Inference, 1927). Values
between the two bounds spread less than zeros and ones of the same mean; they count for as many
zeros and ones as would make their mean as certain (the effective number of Korn and Graubard,
Confidence Intervals for Proportions with Small Expected Number of Positive Counts, 1998), with
Student's distribution for the normal one, because their spread is estimated. So 0 of 39 has an
interval.

A root of a mean has the studentised bootstrap interval (Efron and Tibshirani, An Introduction to
the Bootstrap, 1993, chapter 12): a resample draws as many examples as there are, with replacement.
Where all errors are alike, or fewer than eight, nothing is known of their spread, and there is
no interval.

Where users have several examples each, of choices, and in metrics that only the whole cell has,
percentile intervals of a bootstrap stand, which draws users with all of their examples where they
are known, and examples otherwise.

tests/benchmarks/coverage.py measures how often the first two hold the truth.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_NOTHING = 1e-12
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


def resampled_means(values: Floats, resampling: Resampling) -> Floats:
    """Return the mean of every column in every resample, shape (resamples, columns).

    values: shape (examples, columns); a NaN is an example that does not count for its column. All
    columns see the same resamples, so metrics and variants can be compared. A column without any
    counted example in a resample is NaN there.
    """
    counted = ~np.isnan(values)
    columns = values.shape[1]
    sums = _resampled_sums(np.concatenate([np.where(counted, values, 0.0), counted], 1), resampling)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, :columns] / sums[:, columns:]


def estimates(values: Floats, roots: Sequence[bool], resampling: Resampling) -> list[Estimate]:
    """Return every column's value and interval.

    values: shape (examples, columns); a NaN is an example that does not count for its column.
    roots: whether a column holds squared errors, whose value is the root of the mean; the others
    hold values from 0 to 1.
    """
    found = []
    for column, root in zip(values.T, roots, strict=True):
        if root:
            found.append(_root_estimate(column[:, None], resampling))
        else:
            known = column[~np.isnan(column)]
            value = float(known.mean()) if known.size else nan
            found.append(Estimate(value, *mean_interval(known, resampling.confidence)))
    return found


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
    spread = float(values.var(ddof=1)) if n > 1 else 0.0
    if values.min() < 0 or values.max() > 1:
        reach = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sqrt(spread / n) if n > 1 else nan
        return mean - reach, mean + reach
    share = bool(np.isin(values, (0.0, 1.0)).all())
    tail = (1 + confidence) / 2
    many = max(n, n * mean * (1 - mean) / spread) if spread > _NOTHING else n
    quantile = float(stats.norm.ppf(tail) if share or n == 1 else stats.t.ppf(tail, n - 1))
    middle = (mean * many + quantile**2 / 2) / (many + quantile**2)
    half = quantile * sqrt(many * mean * (1 - mean) + quantile**2 / 4) / (many + quantile**2)
    return max(0.0, middle - half), min(1.0, middle + half)


def merge_seeds(values: Sequence[Floats], root: bool, resampling: Resampling) -> SeedEstimate:
    """Return the estimate of several trainings that differ in their seed alone.

    The value is the mean of the seeds' values. The interval is of that mean when other examples are
    drawn, the same ones for every seed: it tells how much the choice of test examples matters. How
    much the seed matters is for the reader to see in the seeds' own values.

    values: one array a seed, one value an example, in the same order.
    """
    table = np.stack(list(values), axis=1)
    of_each = np.sqrt(column_means(table)) if root else column_means(table)
    if root:
        found = _root_estimate(table, resampling)
        low, high = found.low, found.high
    else:
        whole = table[~np.isnan(table).any(axis=1)]
        low, high = mean_interval(whole.mean(axis=1), resampling.confidence)
    return SeedEstimate(float(of_each.mean()), low, high, tuple(map(float, of_each)))


def column_means(values: Floats) -> Floats:
    """Return the mean of what counts in each column; NaN where nothing does."""
    counted = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(counted, values, 0.0).sum(axis=0) / counted.sum(axis=0)
    return means


def _root_estimate(errors: Floats, resampling: Resampling) -> Estimate:
    """Return the mean over the columns of the root of each column's mean, with its interval.

    errors: shape (examples, columns). The standard error is that of the delta method: an example
    adds to the value what `_slopes` says of its errors and of how many of them count.
    """
    counted = ~np.isnan(errors)
    parts = np.concatenate([np.where(counted, errors, 0.0), counted], axis=1)
    products = (parts[:, :, None] * parts[:, None, :]).reshape(len(parts), parts.shape[1] ** 2)
    both = np.concatenate([parts, products], axis=1)
    value, error = (float(found[0]) for found in _roots(both.sum(axis=0)[None], errors.shape))
    if not error > _NOTHING or counted.any(axis=1).sum() < _FEWEST:
        return Estimate(value, nan, nan)
    values, own = _roots(_resampled_sums(both, resampling), errors.shape)
    usable = own > _NOTHING
    with np.errstate(invalid="ignore", divide="ignore"):
        distances = ((values - value) / own)[usable]
    if not distances.size:
        return Estimate(value, nan, nan)
    tail = (1 - resampling.confidence) / 2
    far_low, far_high = (float(q) for q in np.quantile(distances, [tail, 1 - tail]))
    return Estimate(value, max(0.0, value - far_high * error), value - far_low * error)


def _roots(sums: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return values and standard errors from the sums of parts and of their products.

    sums: shape (resamples, 2 * columns + (2 * columns) ** 2); shape: of the errors.
    """
    n, columns = shape
    width = 2 * columns
    total, many = sums[:, :columns], sums[:, columns:width]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = total / many
        roots = np.sqrt(means)
        slopes = np.where(roots > 0, n / (2 * columns * roots * many), 0.0)
        slopes = np.concatenate([slopes, -slopes * means], axis=1)
        products = sums[:, width:].reshape(-1, width, width)
        squares = np.einsum("ri,rij,rj->r", slopes, products, slopes)
        return roots.mean(axis=1), np.sqrt(np.maximum(squares, 0.0) / (n * max(n - 1, 1)))


def _resampled_sums(values: Floats, resampling: Resampling) -> Floats:
    """Return the sum of every column in every resample, shape (resamples, columns)."""
    blocks = [times @ values for times in _resampled_times(len(values), resampling)]
    return np.concatenate(blocks) if blocks else np.zeros((resampling.resamples, values.shape[1]))


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
