"""All checks, one after the other."""

from collections.abc import Callable, Iterator

from itdr.doctor.datasets import check_datasets
from itdr.doctor.disk import check_disks
from itdr.doctor.finding import Finding
from itdr.doctor.gpus import check_gpus
from itdr.doctor.keys import check_keys
from itdr.doctor.machine import Machine
from itdr.doctor.memory import check_memory
from itdr.doctor.models import check_models
from itdr.doctor.network import check_network
from itdr.doctor.packages import check_packages
from itdr.doctor.slurm import check_slurm
from itdr.planning.needs import Needs

_CHECKS: tuple[Callable[[Needs, Machine], Iterator[Finding]], ...] = (
    check_disks,
    check_memory,
    check_gpus,
    check_slurm,
    check_packages,
    check_models,
    check_datasets,
    check_keys,
)


def examine(needs: Needs, machine: Machine, *, online: bool = False) -> list[Finding]:
    """Return what all checks find; only `online` uses the network."""
    checks = (*_CHECKS, check_network) if online else _CHECKS
    return [finding for check in checks for finding in check(needs, machine)]
