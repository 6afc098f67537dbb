"""The environments of the stages hold the versions that were tested together."""

import re
import tomllib

import pytest
import yaml

from tests.conftest import ROOT

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))


def pins(lines):
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)", line.strip()) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def constraints(name=""):
    path = ROOT / "envs" / f"constraints-{name}.txt"
    path = path if path.exists() else ROOT / "envs" / "constraints.txt"
    return pins(path.read_text().splitlines())


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_agrees_with_the_constraints(path):
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    held = constraints(path.stem)
    assert len(pins(packages)) == len(packages), "every package is pinned"
    assert {name: held[name] for name in pins(packages)} == pins(packages)


def test_every_dependency_is_held_by_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {
        re.split(r"[><=]", need)[0].lower().replace("_", "-") for group in groups for need in group
    }
    assert not names - set(constraints())
