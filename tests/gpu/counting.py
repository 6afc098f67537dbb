"""How many operations a pass hands to the device, and how many of them are casts."""

from collections import Counter
from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# What only looks at numbers in another way, or takes memory for them, computes nothing.
_NOT_COMPUTED = set(
    """alias as_strided detach empty empty_like empty_strided expand lift_fresh new_empty
    new_empty_strided permute select slice split split_with_sizes squeeze t transpose unbind
    _unsafe_view unsqueeze view _reshape_alias""".split()  # noqa: SIM905
)


class _Watch(TorchDispatchMode):
    def __init__(self, found):
        super().__init__()
        self.found = found

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name not in _NOT_COMPUTED:
            self.found[name] += 1
        return function(*args, **(kwargs or {}))


@contextmanager
def operations():
    """Yield a Counter of the operations that PyTorch dispatches meanwhile, by their names.

    On a GPU most of them are one kernel. Casts are called "_to_copy".
    """
    found = Counter()
    with _Watch(found):
        yield found


class Kernels(Counter):
    """Kernels by their names; seconds: for which they ran, added up."""

    seconds = 0.0


@contextmanager
def kernels():
    """Yield the Kernels that run on the GPU meanwhile."""
    found = Kernels()
    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CPU, kinds.CUDA]) as profile:
        yield found
        torch.cuda.synchronize()
    for event in profile.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            found[event.name] += 1
            found.seconds += event.device_time / 1e6
