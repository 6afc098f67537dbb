"""A clock that jumps changes no result and lets nothing wait or break off."""

import itertools
import os
import time

import pytest

from itdr.files.formats import read_json
from tests.faults.stages import ALL, comparable, contents
from tests.faults.test_killed import weights_apart

DAY = 86_400.0


@pytest.fixture(params=["forth and back", pytest.param("back", marks=pytest.mark.slow)])
def jumping(request, monkeypatch):
    """Let the time of day jump at every look; the monotonic clock goes on, as a real one does."""
    real = time.time
    jumps = itertools.cycle([DAY, -DAY] if request.param == "forth and back" else [0.0, -DAY])
    begin = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    yield
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize("stage", ALL, ids=lambda stage: stage.name)
def test_a_jumping_clock_changes_nothing(whole, tmp_path, stage, jumping):
    assert stage.start(whole, tmp_path) == 0
    found, wanted = (
        comparable(weights_apart(contents(folder / stage.makes))) for folder in (tmp_path, whole)
    )
    assert found == wanted
    if stage.name == "train":
        run = read_json(tmp_path / stage.makes / "run.json")
        assert 0 < run["seconds"] < 60 and run["tokens_per_second"] > 0


@pytest.mark.parametrize("when", [0, 4e9], ids=["1970", "2096"])
def test_the_times_of_files_change_nothing(run, tmp_path, when):
    stages = [stage for stage in ALL if stage.name not in ("train", "infer")]
    before, after = tmp_path / "before", tmp_path / "after"
    for out in (before, after):
        out.mkdir()
        for stage in stages:
            assert stage.start(run, out) == 0
            if out == after:
                assert contents(out / stage.makes) == contents(before / stage.makes), stage.name
        for path in run.rglob("*"):
            if path.is_file():
                os.utime(path, (when, when))
