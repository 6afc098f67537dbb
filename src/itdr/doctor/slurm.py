"""Where there is Slurm: does it answer, and do its partitions have what jobs ask for?"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from itdr.doctor.finding import Finding, listed
from itdr.doctor.gpus import gpus_wanted
from itdr.doctor.machine import Machine, Slurm
from itdr.errors import ItdrError
from itdr.planning.needs import Needs
from itdr.settings.reading import load_yaml

_PROFILE = Path("profiles/slurm/profile.yaml")
_PLUGIN = "snakemake-executor-plugin-slurm"


def check_slurm(needs: Needs, machine: Machine, profile: Path = _PROFILE) -> Iterator[Finding]:
    """Yield findings on the cluster, only where `sbatch` is there.

    They are warnings at most: nobody must use the cluster.
    """
    slurm = machine.slurm
    if slurm is None or not needs.jobs:
        return
    if slurm.problem:
        yield Finding("Slurm", "warning", f"sbatch is here, but {slurm.problem}", "",
                      "only 'snakemake --profile slurm' needs it.")  # fmt: skip
        return
    shown = listed([f"{p.name}{' (default)' if p.is_default else ''} with {p.nodes} "
                    f"node{'' if p.nodes == 1 else 's'} of up to {p.gpus} GPUs"
                    for p in slurm.partitions])  # fmt: skip
    yield Finding("Slurm", "ok" if slurm.partitions else "warning", shown or "no partition")
    if _PLUGIN not in machine.packages.found:
        yield Finding("Slurm plugin", "warning", f"{_PLUGIN} is not installed", "", "make setup")
    count = max(gpus_wanted(needs).values(), default=0)
    if count:
        yield from _partition(count, slurm, profile)


def _partition(count: int, slurm: Slurm, profile: Path) -> Iterator[Finding]:
    """Yield what is wrong with the partition that jobs with this many GPUs go to."""
    named = _named(profile)
    known = {partition.name: partition for partition in slurm.partitions}
    default = next((p.name for p in slurm.partitions if p.is_default), "")
    name = named or default
    if named and named not in known:
        yield Finding("partition for GPUs", "warning", f"the cluster has no partition {named!r}",
                      f"one of {listed(list(known), 6)}",
                      f"name another as gpu_partition in {profile}.")  # fmt: skip
    elif name and known[name].gpus < count:
        fitting = [p.name for p in slurm.partitions if p.gpus >= count]
        advice = (f"set gpu_partition to {' or '.join(fitting)} in {profile}."
                  if fitting else "no partition has so many GPUs per node.")  # fmt: skip
        yield Finding("partition for GPUs", "warning",
                      f"{name} has {known[name].gpus} GPUs per node", f"{count}", advice
                      )  # fmt: skip


def _named(profile: Path) -> str | None:
    """Return the partition that the profile names for jobs with GPUs."""
    try:
        variables = load_yaml(profile).get("__variables__")
    except ItdrError:
        return None
    return variables.get("gpu_partition") if isinstance(variables, Mapping) else None
