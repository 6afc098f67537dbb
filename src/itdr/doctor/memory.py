"""Is there enough main memory for the largest job?"""

from collections.abc import Iterator

from itdr.doctor.finding import Finding, gigabytes
from itdr.doctor.machine import Machine
from itdr.planning.needs import Needs


def check_memory(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield what there is of main memory beside what the largest job may take."""
    wanted = _wanted(needs)
    if not wanted:
        return
    job, mb = max(wanted.items(), key=lambda item: item[1])
    here = machine.memory
    found = f"{gigabytes(here.total_mb)}, {gigabytes(here.available_mb)} of it unused"
    needed = f"{gigabytes(mb)} for {job}"
    if here.total_mb < mb:
        nodes = machine.slurm.partitions if machine.slurm else ()
        if any(node.memory_mb >= mb for node in nodes):
            yield Finding("memory", "warning", f"{found}; nodes of the cluster have more", needed,
                          "run it with --profile slurm.")  # fmt: skip
        else:
            yield Finding("memory", "missing", found, needed,
                          "take a larger machine, or lower 'memory_mb' or 'memory_limit_mb' where "
                          "the file of that model or stage asks for too much.")  # fmt: skip
    elif here.available_mb < mb:
        yield Finding("memory", "warning", found, needed, "end other programs before.")
    else:
        yield Finding("memory", "ok", found, needed)


def _wanted(needs: Needs) -> dict[str, float]:
    """Return what asks for memory and how many MB."""
    workflow = needs.sizes.workflow
    wanted: dict[str, float] = {model: workflow.models[model].memory_mb for model in needs.models}
    for job in needs.of("train_adapter"):
        model, variant = job.wildcards["model"], job.wildcards["variant"]
        wanted[model] = max(wanted[model], workflow.training_memory_mb(model, variant))
    if needs.of("normalise_dataset"):
        wanted["normalising"] = workflow.experiment.normalise.memory_limit_mb
    if needs.of("build_examples"):
        wanted["building examples"] = workflow.experiment.build.memory_limit_mb
    return wanted
