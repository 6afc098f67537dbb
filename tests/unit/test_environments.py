"""The environments of the stages hold what the stages need, in versions tested together."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
CONTAINERS = [ROOT / "envs" / "Dockerfile", ROOT / "envs" / "apptainer.def"]
# What a module is called elsewhere, or what brings it along.
PACKAGES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "pydantic-core": "pydantic",
    "requests": "kagglehub",
}


def pins(lines):
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)", line.strip()) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def constraints(name=""):
    path = ROOT / "envs" / f"constraints-{name}.txt"
    path = path if path.exists() else ROOT / "envs" / "constraints.txt"
    return pins(path.read_text().splitlines())


def packages_of(name):
    path = ROOT / "envs" / f"{name}.yaml"
    return yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]


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
                package = top.lower().replace("_", "-")
                found.add(PACKAGES.get(package, package))
    return found


def commands():
    """Yield the environment, the rule and the command of each rule."""
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            environment = re.search(r"envs/(\w+)\.yaml", text)
            command = re.search(r"-m itdr ([\w-]+)", text)
            if environment and command:
                yield pytest.param(environment[1], command[1], id=text.partition(":")[0])


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_agrees_with_the_constraints(path):
    packages = packages_of(path.stem)
    held = constraints(path.stem)
    assert len(pins(packages)) == len(packages), "every package is pinned"
    assert {name: held[name] for name in pins(packages)} == pins(packages)


@pytest.mark.parametrize(("environment", "command"), list(commands()))
def test_an_environment_holds_all_that_its_rules_import(environment, command):
    assert not packages_behind(command) - set(pins(packages_of(environment)))


def test_every_dependency_is_held_by_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {
        re.split(r"[><=]", need)[0].lower().replace("_", "-") for group in groups for need in group
    }
    assert not names - set(constraints())


def test_both_containers_have_one_base_and_install_held_versions():
    texts = {path.name: path.read_text() for path in CONTAINERS}
    bases = {re.search(r"^F(?:ROM|rom:) (\S+)$", text, re.MULTILINE)[1] for text in texts.values()}
    assert len(bases) == 1
    assert re.fullmatch(r"docker\.io/nvidia/cuda:\d+\.\d+\.\d+-base-ubuntu\d+\.04", bases.pop())
    installer = ROOT / "envs" / "install-in-container.sh"
    assert all(installer.name in text for text in texts.values())
    assert "--constraint" in installer.read_text()


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
