"""Which examples share an optimiser step, a process and a forward pass.

Everything is fixed in advance from the lengths and the seed, so that a training that was stopped
goes on where it was; and how a step is divided changes its speed but not what is learnt.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np

from itdr.settings.training import TrainingSettings


def steps(lengths: Sequence[int], settings: TrainingSettings, seed: int) -> list[list[int]]:
    """Return the examples of each optimiser step, all epochs one after another.

    lengths: tokens per example. Each epoch is shuffled anew. Its last step may be smaller; a part
    of an epoch has that part of the examples.
    """
    whole, part = divmod(settings.epochs, 1)
    counts = [len(lengths)] * int(whole) + ([round(part * len(lengths))] if part else [])
    done: list[list[int]] = []
    for epoch, count in enumerate(counts):
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(lengths))[:count].tolist()
        if settings.batch_unit == "examples":
            size = settings.batch_size
            done += [order[start : start + size] for start in range(0, count, size)]
        else:
            done += _by_tokens(order, lengths, settings.batch_size)
    return done


def passes(
    step: Sequence[int], lengths: Sequence[int], settings: TrainingSettings, rows: int = 1
) -> list[list[list[int]]]:
    """Return the forward passes of each process, each pass a list of examples.

    Every process has the same number of passes, because processes wait for each other; a pass may
    have no example where there are too few.

    rows: with packing, into how many rows a process's examples are divided if they need no more.
    """
    shares = _shares(step, lengths, settings.processes)
    if settings.packing:
        divided = [
            [
                row
                for part in _shares(share, lengths, rows)
                for row in best_fit(part, lengths, settings.row_length)
            ]
            for share in shares
        ]
    else:
        divided = [_chunks(share, lengths, settings.micro_batch_size) for share in shares]
    most = max(len(one) for one in divided)
    return [one + [[]] * (most - len(one)) for one in divided]


def best_fit(examples: Sequence[int], lengths: Sequence[int], room: int) -> list[list[int]]:
    """Return the examples in rows of at most `room` tokens, by best-fit decreasing.

    The longest example comes first; each goes to the fullest row that it still fits in. That needs
    at most 11/9 of the fewest rows possible, plus 4 (Johnson et al. 1974,
    doi:10.1137/0203025).
    """
    rows: list[list[int]] = []
    free: list[tuple[int, int]] = []  # room left and number of each row, in that order
    for example in _longest_first(examples, lengths):
        at = bisect_left(free, (lengths[example], -1))
        if at == len(free):
            rows.append([])
            left, row = room, len(rows) - 1
        else:
            left, row = free.pop(at)
        rows[row].append(example)
        insort(free, (left - lengths[example], row))
    return rows


def _by_tokens(order: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Cut a sequence of examples into steps of at most `size` tokens."""
    done: list[list[int]] = []
    total = size  # so that the first example begins a step
    for example in order:
        if total + lengths[example] > size:
            done.append([])
            total = 0
        done[-1].append(example)
        total += lengths[example]
    return done


def _shares(step: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """Give each example, the longest first, to the share that has the fewest tokens so far."""
    if count == 1:
        return [list(step)]
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for example in _longest_first(step, lengths):
        least = loads.index(min(loads))
        shares[least].append(example)
        loads[least] += lengths[example]
    return shares


def _chunks(share: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Cut a share into passes of `size` examples of similar length."""
    ordered = _longest_first(share, lengths)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _longest_first(examples: Sequence[int], lengths: Sequence[int]) -> list[int]:
    return sorted(examples, key=lambda example: (-lengths[example], example))
