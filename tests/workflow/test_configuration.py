"""A configuration that is none ends in a few lines that name it, not in Snakemake's traceback."""

import shutil

import pytest

from tests.conftest import ROOT

WRONG = {
    "nested": (b"[" * 5000, "nested deeper than"),
    "a date that is none": (b"a: 2001-13-45\n", "month must be in 1..12"),
    "no UTF-8": (b"a: \xff\xfe\n", "can't decode byte 0xff"),
    "a number of two meanings": (b"seed: 010\n", "could be read in several ways"),
    "an alias that grows": (
        b"a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 8))
                   for c in range(ord("b"), ord("i"))),
        "stands for more than 100,000 values",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["nested", *(pytest.param(n, marks=pytest.mark.slow) for n in WRONG if n != "nested")],
)
def test_our_reader_reads_the_configuration_first(project, name):
    content, message = WRONG[name]
    (project.folder / "config").unlink()
    shutil.copytree(ROOT / "config", project.folder / "config")
    (project.folder / "config" / "config.yaml").write_bytes(content)
    done = project.snakemake("--dry-run")
    assert done.returncode == 1
    assert "config/config.yaml: cannot be read as YAML" in done.stdout and message in done.stdout
    assert "Traceback" not in done.stdout and len(done.stdout.splitlines()) < 12
