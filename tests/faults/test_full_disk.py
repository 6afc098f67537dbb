"""A disk that is full while a stage writes: one line names the file, and nothing else is lost."""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest

from tests.faults.stages import ALL, STAGES, comparable, contents
from tests.faults.test_killed import is_finished, weights_apart

SIZE = 24 << 20


class TinyDisk:
    """A file system of its own; where that needs rights that are not there, small files alone."""

    def __init__(self, folder) -> None:
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
        try:
            self.mounted = subprocess.run(mount, capture_output=True).returncode == 0
        except OSError:
            self.mounted = False
        self.ballast = folder / ".ballast"

    @contextmanager
    def full_but_for(self, left: int):
        """Leave so many bytes: of the disk, or in each file."""
        if not self.mounted:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return
        free = os.statvfs(self.folder)
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - left)
        try:
            yield
        finally:
            self.ballast.unlink()

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = TinyDisk(folder)
    yield disk
    disk.close()


@pytest.mark.parametrize("left", [0, pytest.param(8192, marks=pytest.mark.slow)])
@pytest.mark.parametrize("stage", ALL, ids=lambda stage: stage.name)
def test_a_full_disk_is_named_and_the_stage_goes_on_when_there_is_room(
    whole, disk, capsys, stage, left
):
    made = disk.folder / stage.makes
    made.parent.mkdir(parents=True, exist_ok=True)
    with disk.full_but_for(left):
        status = stage.start(whole, disk.folder)
        said = capsys.readouterr().err
    if status:
        message = said.strip().splitlines()[-1]
        assert status == 1 and message.startswith(f"itdr {stage.name}: {disk.folder}/"), message
        assert "is full" in message or "bytes are needed" in message, message
        written = [file for file in disk.folder.rglob("*") if is_finished(file)]
        assert all(file.read_bytes() == whole_bytes(whole, disk, file) for file in written)
    else:
        assert left, "something fits into nothing"
    assert stage.start(whole, disk.folder) == 0
    found, wanted = (
        comparable(weights_apart(contents(folder / stage.makes))) for folder in (disk.folder, whole)
    )
    assert found == wanted


def whole_bytes(whole, disk, file):
    return (whole / file.relative_to(disk.folder)).read_bytes()


def test_answers_that_do_not_fit_are_asked_again_and_no_others(whole, disk, capsys):
    infer = STAGES["infer"]
    (disk.folder / "predictions/tiny/itdr").mkdir(parents=True)
    with disk.full_but_for(8192):
        assert infer.start(whole, disk.folder) == 1
    assert "the disk is full" in capsys.readouterr().err
