"""Bootstrap intervals, paired tests and the merging of seeds.

A resample draws as many examples as the cell has, with replacement; the interval is the percentile
interval of the metric over the resamples. Source: Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapters 13 and 16. Where all examples have the same value the interval has no
width: the bootstrap knows nothing that the sample does not show.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itdr.errors import DataError

Floats = NDArray[np.float64]

_NOTHING = 1e-12
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
    """A value with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SeedEstimate(Estimate):
    """A value over several seeds, its interval, and the seeds' own values."""

    seeds: tuple[float, ...]


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


def resampled_means(values: Floats, resampling: Resampling) -> Floats:
    """Return the mean of every column in every resample, shape (resamples, columns).

    values: shape (examples, columns); a NaN is an example that does not count for its column. All
    columns see the same resamples, so metrics and variants can be compared. A column without any
    counted example in a resample is NaN there.
    """
    rows, columns = values.shape
    resamples = resampling.resamples
    generator = resampling.generator()
    if rows == 0:
        return np.full((resamples, columns), np.nan)
    counted = ~np.isnan(values)
    both = np.concatenate([np.where(counted, values, 0.0), counted], axis=1)
    sums = np.empty((resamples, 2 * columns))
    step = max(1, _CHUNK // rows)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(0, rows, (size, rows))
        drawn += np.arange(size)[:, None] * rows
        times = np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows)
        sums[start : start + size] = times.astype(np.float64) @ both
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, :columns] / sums[:, columns:]


def interval(resampled: Floats, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of one column; NaN where it has no value."""
    known = resampled[~np.isnan(resampled)]
    if known.size == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def estimates(
    values: Floats,
    roots: Sequence[bool],
    resampling: Resampling,
) -> list[Estimate]:
    """Return every column's value and interval.

    values: as in `resampled_means`; roots: whether a column holds squared errors, whose value is
    the root of the mean.
    """
    means = _column_means(values)
    drawn = resampled_means(values, resampling)
    result = []
    for column, root in enumerate(roots):
        of_all = np.sqrt(means[column]) if root else means[column]
        of_each = np.sqrt(drawn[:, column]) if root else drawn[:, column]
        result.append(Estimate(float(of_all), *interval(of_each, resampling.confidence)))
    return result


def compare(
    first: Floats,
    second: Floats,
    root: bool,
    resampling: Resampling,
) -> Comparison:
    """Return how a second variant differs from a first one on the same examples.

    first, second: one value an example, in the same order; examples that count for one variant
    alone are left out of both. p = 2 * (1 + the smaller of the numbers of resamples in which the
    difference is <= 0 or >= 0) / (1 + resamples), at most 1: the paired bootstrap test of Koehn,
    Statistical Significance Tests for Machine Translation Evaluation, 2004, made two-sided.

    Raises:
        DataError: the two have not the same number of examples.
    """
    if first.shape != second.shape:
        raise DataError(
            f"paired test: {len(first)} and {len(second)} examples; the same are needed of both."
        )
    pairs = np.stack([first, second], axis=1)
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    transform = np.sqrt if root else np.asarray
    means = transform(_column_means(pairs))
    drawn = transform(resampled_means(pairs, resampling))
    differences = drawn[:, 1] - drawn[:, 0]
    # Equal columns may differ in the last bit, which must not count as a difference.
    differences[np.abs(differences) < _NOTHING] = 0.0
    low, high = interval(differences, resampling.confidence)
    fewest = min(np.sum(differences <= 0), np.sum(differences >= 0))
    p_value = (
        min(1.0, 2 * (1 + int(fewest)) / (1 + resampling.resamples)) if len(pairs) else float("nan")
    )
    return Comparison(
        float(means[0]), float(means[1]), float(means[1] - means[0]), low, high, p_value, len(pairs)
    )


def merge_seeds(
    values: Sequence[Floats],
    root: bool,
    resampling: Resampling,
) -> SeedEstimate:
    """Return the estimate of several trainings that differ in their seed alone.

    The value is the mean of the seeds' values. The interval is of that mean when the examples are
    drawn again, the same ones for every seed: it tells how much the choice of test examples
    matters. How much the seed matters is for the reader to see in the seeds' own values.

    values: one array a seed, one value an example, in the same order.
    """
    table = np.stack(list(values), axis=1)
    transform = np.sqrt if root else np.asarray
    of_each = transform(_column_means(table))
    drawn = transform(resampled_means(table, resampling)).mean(axis=1)
    low, high = interval(drawn, resampling.confidence)
    return SeedEstimate(float(of_each.mean()), low, high, tuple(map(float, of_each)))


def _column_means(values: Floats) -> Floats:
    counted = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(counted, values, 0.0).sum(axis=0) / counted.sum(axis=0)
    return means
