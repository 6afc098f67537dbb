"""A workflow profile that Snakemake would pass over, or whose configuration is replaced."""

from pathlib import Path

import pytest

from itdr.errors import SettingsError
from itdr.planning.profiles import check_workflow_profile
from tests.conftest import ROOT

SNAKEFILE = ROOT / "Snakefile"
DEMO = [Path("config/demo.yaml")]


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("--cores 2", []),
        ("--workflow-profile none", []),
        ("--workflow-profile gpus", []),
        ("--workflow-profile demo", DEMO),
        ("--workflow-profile=workflow/profiles/demo all", DEMO),
        ("--workflow-profile workflow/profiles/demo/profile.yaml", DEMO),
        ("--workflow-profile demo", [ROOT / "config/demo.yaml", Path("mine.yaml")]),
        ("--wait-for-files demoo --profile demoo", []),
    ],
)
def test_what_snakemake_uses_as_it_was_meant_is_taken(words, files):
    check_workflow_profile(words.split(), SNAKEFILE, files)


@pytest.mark.parametrize("words", ["--workflow-profile demoo -n", "-n --workflow-profile=demoo",
                                   "--workflow-prof demoo", "--workflow-profile demo "
                                   "--workflow-profile demoo"])  # fmt: skip
def test_an_unknown_profile_is_refused_with_the_known_ones(words):
    with pytest.raises(SettingsError) as error:
        check_workflow_profile(words.split(), SNAKEFILE, DEMO)
    assert "--workflow-profile demoo: there is no such profile. Did you mean 'demo'?" in str(
        error.value
    )
    assert "Here are default, demo, demo-full, gpus, slurm" in str(error.value)


def test_profiles_are_found_beside_the_snakefile(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    check_workflow_profile(["--workflow-profile", "gpus"], SNAKEFILE, [])
    with pytest.raises(SettingsError, match="Did you mean 'gpus'"):
        check_workflow_profile(["--workflow-profile", "gpu"], SNAKEFILE, [])


@pytest.mark.parametrize(
    ("profile", "given", "named"),
    [
        ("demo", ["mine.yaml"], "config/demo.yaml mine.yaml"),
        ("demo-full", ["config/demo.yaml"], "config/demo-full.yaml config/demo.yaml"),
    ],
)
def test_a_configuration_in_place_of_the_profiles_is_refused(profile, given, named):
    with pytest.raises(SettingsError) as error:
        check_workflow_profile(["--workflow-profile", profile], SNAKEFILE, [Path(f) for f in given])
    assert str(error.value).endswith(f"Name all: --configfile {named}")
