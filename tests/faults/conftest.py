"""A miniature run of the whole chain, for tests that damage and disturb it."""

import shutil
from pathlib import Path

import pytest

from tests.faults.stages import run_all


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """Return the folder of a run that nothing disturbed; it must not be changed."""
    run = tmp_path_factory.mktemp("whole")
    run_all(run)
    return run


@pytest.fixture(scope="module")
def run(whole, tmp_path_factory) -> Path:
    """Return a copy of the folder, for the tests of a module."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("copy") / "run", symlinks=True)
