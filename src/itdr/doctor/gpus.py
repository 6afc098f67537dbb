"""Are there GPUs, enough of them and large enough, with a driver that serves PyTorch?"""

from collections.abc import Iterator

from itdr.doctor.finding import Finding, gigabytes, listed
from itdr.doctor.machine import Graphics, Machine
from itdr.planning.gpu_memory import gpu_memory_gb
from itdr.planning.jobs import ANSWERING
from itdr.planning.needs import Needs


def check_gpus(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield one finding on the GPUs and one on their driver."""
    wanted = gpus_wanted(needs)
    if not wanted:
        if needs.models:
            yield Finding("GPUs", "ok", "none needed for this target")
        return
    count, models = max(wanted.values()), list(wanted)
    memory = {model: gpu_memory_gb(model, needs) for model in models}
    largest = max(memory, key=lambda model: memory[model])
    needed = (f"{count} with about {memory[largest]:.0f} GB{' each' if count > 1 else ''} "
              f"(for {largest})")  # fmt: skip
    if not machine.graphics.gpus:
        yield _without_gpus(count, needed, machine)
        return
    yield _sizes(count, 1000 * memory[largest], needed, machine.graphics)
    yield from _driver(machine)


def gpus_wanted(needs: Needs) -> dict[str, int]:
    """Return the models on GPUs and the most GPUs that a job of each asks for."""
    trained, asked = needs.values("model", "train_adapter"), needs.values("model", *ANSWERING)
    models = needs.sizes.workflow.models
    wanted = {model: max(models[model].training_gpus * (model in trained),
                         models[model].inference_gpus * (model in asked))
              for model in needs.models}  # fmt: skip
    return {model: count for model, count in wanted.items() if count}


def _without_gpus(count: int, needed: str, machine: Machine) -> Finding:
    partitions = machine.slurm.partitions if machine.slurm else ()
    with_gpus = [partition for partition in partitions if partition.gpus >= count]
    if with_gpus:
        names = listed([f"{partition.name} ({partition.gpus} per node)" for partition in with_gpus])
        return Finding("GPUs", "warning", f"none here, but in partitions of the cluster: {names}",
                       needed, "run it with --profile slurm.")  # fmt: skip
    return Finding("GPUs", "missing", f"none ({machine.graphics.problem or 'none is listed'})",
                   needed, "take a machine with NVIDIA GPUs and their driver, or make only what "
                   "needs no model, such as dataset_statistics.")  # fmt: skip


def _sizes(count: int, needed_mb: float, needed: str, graphics: Graphics) -> Finding:
    gpus = graphics.gpus
    found = f"{len(gpus)}: " + listed(
        [f"{gpu.name} with {gigabytes(gpu.total_mb)}, {gigabytes(gpu.free_mb)} free"
         for gpu in gpus])  # fmt: skip
    large = [gpu for gpu in gpus if gpu.total_mb >= needed_mb]
    if len(gpus) < count:
        return Finding("GPUs", "missing", found, needed,
                       "lower training_gpus or inference_gpus in the model's file, or set "
                       "CUDA_VISIBLE_DEVICES to more of them.")  # fmt: skip
    if len(large) < count:
        return Finding("GPUs", "missing", found, needed,
                       "set training.gradient_checkpointing, training.four_bit or "
                       "training.fsdp with more training_gpus, lower training.row_length, or take "
                       "larger GPUs.")  # fmt: skip
    if sum(gpu.free_mb >= needed_mb for gpu in large) < count:
        return Finding("GPUs", "warning", found, needed, "end what holds their memory before.")
    return Finding("GPUs", "ok", found, needed)


def _driver(machine: Machine) -> Iterator[Finding]:
    graphics, built = machine.graphics, machine.packages.torch_cuda
    if not built or not graphics.cuda:
        return
    found = f"{graphics.driver}, serves CUDA up to {graphics.cuda}"
    needed = f"CUDA {built}, which PyTorch was built for"
    if int(graphics.cuda.split(".")[0]) < int(built.split(".")[0]):
        yield Finding("driver", "missing", found, needed, "bring the NVIDIA driver up to date.")
    else:
        yield Finding("driver", "ok", found, needed)
