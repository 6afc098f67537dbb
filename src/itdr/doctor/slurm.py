"""Where there is Slurm: does it answer, and do its partitions have what jobs ask for?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from itdr.doctor.finding import Finding, listed
from itdr.doctor.gpus import gpus_wanted
from itdr.doctor.machine import Machine, Slurm
from itdr.errors import ItdrError
from itdr.planning.needs import Needs
from itdr.settings.reading import load_yaml

_PROFILE = Path("profiles/slurm/profile.yaml")
_PLUGIN = "snakemake-executor-plugin-slurm"
_ON_GPUS = ("train_adapter", "infer_model")


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
    for rule in _ON_GPUS:
        if needs.of(rule):
            yield from _partition(rule, needs, slurm, profile)


def _partition(rule: str, needs: Needs, slurm: Slurm, profile: Path) -> Iterator[Finding]:
    """Yield what is wrong with the partition that the GPU jobs of a rule go to."""
    count = max(gpus_wanted(needs).values(), default=0)
    named = _named(rule, profile)
    known = {partition.name: partition for partition in slurm.partitions}
    default = next((p.name for p in slurm.partitions if p.is_default), "")
    name = named or default
    if named and named not in known:
        yield Finding(f"partition of {rule}", "warning", f"the cluster has no partition {named!r}",
                      f"one of {listed(list(known), 6)}",
                      f"name another as slurm_partition in {profile}.")  # fmt: skip
    elif count and name and known[name].gpus < count:
        fitting = [p.name for p in slurm.partitions if p.gpus >= count]
        advice = (f"set slurm_partition of {rule} to {' or '.join(fitting)} in {profile}."
                  if fitting else "no partition has so many GPUs per node.")  # fmt: skip
        yield Finding(f"partition of {rule}", "warning",
                      f"{name} has {known[name].gpus} GPUs per node", f"{count}", advice
                      )  # fmt: skip


def _named(rule: str, profile: Path) -> str | None:
    """Return the partition that the profile names for a rule."""
    try:
        value = load_yaml(profile)
    except ItdrError:
        return None
    for place in (_mapping(_mapping(value, "set-resources"), rule),
                  _mapping(value, "default-resources")):  # fmt: skip
        if "slurm_partition" in place:
            return str(place["slurm_partition"])
    return None


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}
