"""Passes through a model side by side on a CPU, each on its share of PyTorch's threads.

Products of a tiny model are too small to be divided among threads, which wait for each other
several hundred times a pass.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def side_by_side(count: int) -> Iterator[Callable[..., Any] | None]:
    """Yield a `map` that computes `count` items at once, each on its part of PyTorch's threads.

    With one there is nothing to be put side by side, and it yields None.
    """
    if count == 1:
        yield None
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // count))  # new threads begin with that too
    try:
        with ThreadPoolExecutor(count) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)
