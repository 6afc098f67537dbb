"""How `itdr doctor` looks at the machine that it runs on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from itdr.doctor.machine import Gpu, Machine, Memory, Partition
from itdr.doctor.packages import conflicts
from itdr.doctor.probe import disk_of, look, packages_of, read_gpus, read_partitions
from tests.conftest import ROOT

TWO = """\
0, GPU-aaa1, NVIDIA H100 80GB HBM3, 81559, 81008, 580.95.05
1, GPU-bbb2, NVIDIA H100 80GB HBM3, 81559, 512, 580.95.05
"""


def program(folder, name, text):
    """Put a program that a shell runs into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_this_machine_is_seen_as_it_is():
    here = look()
    assert 500 < here.memory.available_mb <= here.memory.total_mb
    assert here.packages.found["itdr"].version == "0.1.0"
    assert "numpy" in here.packages.found and "snakemake" in here.packages.found
    assert here.disk(ROOT).free_mb > 0 and here.disk(ROOT).writable
    assert bool(here.graphics.gpus) != bool(here.graphics.problem)


def test_the_libraries_of_this_environment_fit_each_other():
    assert conflicts(packages_of(sys.path).found) == []


def test_torch_is_not_imported_for_a_look():
    code = "import sys; from itdr.doctor.probe import look; look(); print('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=environment)  # fmt: skip
    assert done.stdout == "False\n", done.stderr


def test_distributions_are_read_from_their_metadata(tmp_path):
    for folder in ("Some_Package-1.2.dist-info", "torch-2.13.0.dist-info"):
        name, version = folder.removesuffix(".dist-info").split("-")
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: numpy>=2\n"
        )
    (tmp_path / "torch").mkdir()
    version_file = tmp_path / "torch" / "version.py"
    version_file.write_text("from typing import Optional\ncuda: Optional[str] = '13.0'\nhip = None")
    found = packages_of([str(tmp_path)])
    assert found.found["some-package"].version == "1.2"
    assert found.found["some-package"].requires == ("numpy>=2",)
    assert found.torch_cuda == "13.0"
    version_file.write_text("cuda: Optional[str] = None\n")
    assert packages_of([str(tmp_path)]).torch_cuda == ""


def test_gpus_are_read_with_their_memory_in_mb():
    gpus, driver = read_gpus(TWO, None)
    assert driver == "580.95.05" and [gpu.name for gpu in gpus] == ["NVIDIA H100 80GB HBM3"] * 2
    assert gpus[0].total_mb == pytest.approx(85_521, abs=1)
    assert gpus[1].free_mb == pytest.approx(537, abs=1)


@pytest.mark.parametrize(
    ("visible", "count"), [("0", 1), ("1,0", 2), ("GPU-bbb", 1), ("", 0), ("-1", 0), ("7", 0)]
)
def test_hidden_gpus_do_not_count(visible, count):
    assert len(read_gpus(TWO, visible)[0]) == count


def test_a_gpu_that_does_not_tell_its_memory_has_none():
    assert read_gpus("0, GPU-1, GB10, [N/A], [N/A], 580.1", None)[0] == [Gpu("GB10", 0, 0)]


def test_what_nvidia_smi_says_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    program(tmp_path, "nvidia-smi", 'echo "couldn\'t communicate with the driver"; exit 9')
    assert "communicate with the driver" in look().graphics.problem
    listing = f"cat <<END\n{TWO}END"
    header = "echo '| NVIDIA-SMI 580.95.05   CUDA Version: 13.0 |'"
    program(tmp_path, "nvidia-smi", f'if [ "$1" ]; then {listing}\nelse {header}; fi')
    found = look().graphics
    assert (len(found.gpus), found.driver, found.cuda) == (2, "580.95.05", "13.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert look().graphics.problem == "CUDA_VISIBLE_DEVICES hides all GPUs"


def test_partitions_are_read_with_the_gpus_of_their_largest_node():
    table = "cpu*|3|16000|(null)\ngpu|1|200000+|gpu:fake:2(S:0)\ngpu|2|64000|gpu:4,shard:8\n"
    assert read_partitions(table) == (
        Partition("cpu", True, 3, 0, 16_000),
        Partition("gpu", False, 3, 4, 200_000, frozenset({"fake"})),
    )
    several = read_partitions("gpu|1|1|gpu:a100:4,gpu:v100:2\ngpu|1|1|gpu:h200:8(S:0-1)\n")[0]
    assert several.gpus == 8 and several.kinds == {"a100", "v100", "h200"}


def test_the_disk_of_a_folder_to_come_is_that_of_the_folder_above(tmp_path):
    assert disk_of(tmp_path / "a" / "b").device == disk_of(tmp_path).device
    (tmp_path / "link").symlink_to("/dev/shm")
    assert disk_of(tmp_path / "link").device == Path("/dev/shm").stat().st_dev
    (tmp_path / "file").write_text("")
    assert not disk_of(tmp_path / "file" / "below").writable


def test_folders_are_found_as_the_clients_find_them(tmp_path):
    def at(**variables):
        return Machine(variables, tmp_path, disk_of, Memory(1, 1))

    assert at().hub_cache == tmp_path / ".cache" / "huggingface" / "hub"
    assert at(XDG_CACHE_HOME="/x").hub_cache.as_posix() == "/x/huggingface/hub"
    assert at(HF_HOME="~/hf").hub_cache == tmp_path / "hf" / "hub"
    assert at(HF_HOME="/hf", HF_HUB_CACHE="/c").hub_cache.as_posix() == "/c"
    assert at(TMPDIR="/scratch").scratch.as_posix() == "/scratch"
    assert at(HF_HUB_OFFLINE="0").is_offline is False and at(HF_HUB_OFFLINE="true").is_offline
