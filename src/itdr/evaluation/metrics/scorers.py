"""What metrics score with, and what those of a whole cell give."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itdr.evaluation.text_metrics import TextScorer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scorers:
    """What the values of examples depend on besides answer and truth.

    lenient: whether answers were read leniently. texts: what compares texts. left_out: whether an
    unreadable answer does not count, or counts as wrong.
    """

    lenient: bool
    texts: TextScorer
    left_out: bool = False


@dataclass(frozen=True)
class Whole:
    """A metric that only the examples of a cell together have.

    value: from how often each example counts, shape (examples,), to the value; NaN where these have
    none. problem: why the cell has no value; "" where it has one. resampled: whether the values of
    resamples tell how sure it is.
    """

    value: Callable[[Floats], float]
    problem: str = ""
    resampled: bool = True
