"""Options of the suite, and the table of its checks at the end."""

import csv
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from itdr.provenance import provenance

_PACKAGES = ("torch", "transformers", "peft", "accelerate")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@dataclass
class Check:
    """A value that was held against its bound; None where there was no value, but an error."""

    name: str
    value: float | None
    bound: str
    passed: bool


_CHECKS = pytest.StashKey[list[Check]]()
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser):
    group = parser.getgroup("gpu")
    group.addoption("--device", choices=("cuda", "cpu"), default="cuda")
    group.addoption("--checks", type=Path, help="CSV file for the checks")


def pytest_configure(config):
    config.stash[_CHECKS] = []
    config.addinivalue_line("markers", "cuda: needs a GPU")


def pytest_collection_modifyitems(config, items):
    device = config.getoption("--device")
    if device == "cuda" and not torch.cuda.is_available():
        raise pytest.UsageError("there is no GPU here; without one: make test-gpu DEVICE=cpu")
    for item in items:
        if device == "cpu" and item.get_closest_marker("cuda"):
            item.add_marker(pytest.mark.skip(reason="needs a GPU"))


@pytest.fixture(scope="session")
def device(pytestconfig):
    return pytestconfig.getoption("--device")


@pytest.fixture
def check(request):
    """Return a function that holds a value against a bound and notes both for the table."""
    checks = request.config.stash[_CHECKS]

    def hold(name, value, *, most=None, least=None):
        value = float(value)
        bound = f"<= {most:g}" if most is not None else f">= {least:g}"
        passed = value <= most if most is not None else value >= least
        checks.append(Check(name, value, bound, passed))
        assert passed, f"{name} is {value:g}; allowed is {bound}"

    return hold


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    checks = item.config.stash[_CHECKS]
    if report.failed and (not checks or checks[-1].passed):
        checks.append(Check(item.name, None, f"no {call.excinfo.typename}", False))
    return report


def pytest_terminal_summary(terminalreporter, config):
    checks = config.stash[_CHECKS]
    if not checks:
        return
    device = config.getoption("--device")
    terminalreporter.section(f"checks on {_machine(device)}")
    width = max(len(check.name) for check in checks)
    for check in checks:
        value = "-" if check.value is None else f"{check.value:.4g}"
        told = "passed" if check.passed else "FAILED"
        terminalreporter.line(f"{check.name:{width}}  {value:>9}  {check.bound:14}  {told}")
    failed = sum(not check.passed for check in checks)
    terminalreporter.line(f"{len(checks) - failed} of {len(checks)} checks passed")
    if path := config.getoption("--checks"):
        _write(path, checks, device)


def _write(path, checks, device):
    made = provenance(_PACKAGES)
    versions = " ".join(f"{name} {made[name]}" for name in _PACKAGES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["check", "value", "bound", "passed", "machine", "versions", "commit"])
        for check in checks:
            value = "" if check.value is None else f"{check.value:.6g}"
            row = [check.name, value, check.bound, check.passed, _machine(device), versions]
            writer.writerow([*row, made["commit"]])


def _machine(device):
    if device == "cuda":
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
