"""Every stage, killed with kill -9 in the middle of its work, is there afterwards or not at all."""

import shutil
import signal
import time

import pytest

from tests.faults.apart import Apart
from tests.faults.stages import ALL, comparable, contents


@pytest.mark.parametrize(
    "stage",
    [
        # The tests of training and inference kill these, too.
        pytest.param(stage, marks=pytest.mark.slow) if stage.name in ("train", "infer") else stage
        for stage in ALL
    ],
    ids=lambda stage: stage.name,
)
def test_a_stage_that_was_killed_ends_with_the_same_result_and_leaves_nothing(
    whole, tmp_path, stage
):
    out, said = tmp_path / "run", tmp_path / "said"
    words = stage.words(whole, out)
    for dies_at in (1, 2, None):
        run = Apart(words, said, dies_at)
        if dies_at is None:
            time.sleep(0.2)  # anywhere, or after the end
            run.send(signal.SIGKILL)
        ended = run.end()
        assert ended == -signal.SIGKILL or (ended == 0 and dies_at is None), said.read_text()
        if dies_at == 1:
            assert not any(is_finished(file) for file in out.rglob("*"))
    assert Apart(words, said).end() == 0, said.read_text()
    assert by_name(out) == by_name(whole / stage.makes)


def by_name(path):
    """Return the bytes of what must be the same, by the names of the files."""
    found = weights_apart(contents(path))
    named = {name.rpartition("/")[2]: data for name, data in found.items()}
    return comparable({name: data for name, data in named.items() if name[-7:] != ".sha256"})


def is_finished(file) -> bool:
    """Say whether a file lies under a name of its own, outside folders of unfinished work."""
    hidden = any(part.startswith(".") for part in file.parts)
    unfinished = any(part.endswith((".checkpoints", ".answers")) for part in file.parts)
    return file.is_file() and not hidden and not unfinished and not file.is_symlink()


def weights_apart(found):
    """Return contents without the weights, which a test of training compares by value."""
    return {name: data for name, data in found.items() if not name.endswith(".safetensors")}


def test_what_was_left_half_written_is_cleared_away(whole, tmp_path):
    split = next(stage for stage in ALL if stage.name == "split")
    said = tmp_path / "said"
    for _ in range(2):
        assert Apart(split.words(whole, tmp_path / "run"), said, 1).end() == -signal.SIGKILL
        assert len(list((tmp_path / "run").iterdir())) == 1
    shutil.copytree(whole / "parts", tmp_path / "run" / "parts")
    assert split.start(whole, tmp_path / "run") == 0
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["parts"]
