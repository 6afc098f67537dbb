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
    wanted = gpus_wanted(needs)
    if wanted:
        models = needs.sizes.workflow.models
        unnamed = [model for model in wanted if not models[model].gpu_model]
        yield from _partition(max(wanted.values()), unnamed, slurm, profile)


def _partition(count: int, unnamed: list[str], slurm: Slurm, profile: Path) -> Iterator[Finding]:
    """Yield what is wrong with the partition that jobs with this many GPUs go to.

    unnamed: models whose files do not say which kind of GPU they need.
    """
    named, kind = (_variable(profile, name) for name in ("gpu_partition", "gpu_model"))
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
    elif name and len(known[name].kinds) > 1 and unnamed and not kind:
        yield Finding("kind of GPU", "warning",
                      f"{name} has {listed(sorted(known[name].kinds), 6)}, and any of them may be "
                      f"given to {listed(unnamed, 4)}", "one that is large enough",
                      f"name it as gpu_model in {profile}, or in the models' files."
                      )  # fmt: skip


def _variable(profile: Path, name: str) -> str | None:
    """Return a variable of the profile."""
    try:
        variables = load_yaml(profile).get("__variables__")
    except ItdrError:
        return None
    return variables.get(name) if isinstance(variables, Mapping) else None
