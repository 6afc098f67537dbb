"""Machines and needs made by hand, for the checks of `itdr doctor`."""

from pathlib import Path

from itdr.doctor.machine import Disk, Gpu, Graphics, Machine, Memory, Package, Packages
from itdr.planning.jobs import ANSWERING, Job
from itdr.planning.loading import load_workflow
from itdr.planning.measured import Measured
from itdr.planning.needs import Needs
from itdr.planning.sizes import Sizes
from itdr.reporting.statistics import published_statistics
from itdr.settings.rates import Rates
from itdr.settings.reading import load

KEY = "sk-secret"  # pragma: allowlist secret
H100 = Gpu("NVIDIA H100", 85_000, 84_000)


def needs(*jobs: str, **overrides) -> Needs:
    """Return what is left to do, such as "train_adapter glm-4-9b/itdr" or "fetch_dataset yelp".

    overrides: laid over config/config.yaml. Called in the folder of the repository.
    """
    sizes = Sizes(
        load_workflow([Path("config/config.yaml")], overrides),
        load(Rates, Path("config/rates.yaml")),
        {(r["task"], r["dataset"]): r for r in published_statistics(Path("config/papers/itdr"))},
    )
    return Needs((), tuple(map(_job, jobs)), sizes, Measured())


def _job(text: str) -> Job:
    rule, _, names = text.partition(" ")
    halves = names.split("/")
    if rule in ("train_adapter", *ANSWERING):
        return Job(rule, {"model": halves[0], "variant": halves[1], "seed": "42"})
    if len(halves) == 2:
        return Job(rule, {"task": halves[0], "dataset": halves[1]})
    key = "model" if rule in ("fetch_model", "fetch_tokenizer") else "dataset"
    return Job(rule, {key: names} if names else {})


def machine(home: Path, **changes) -> Machine:
    """Return a machine on which nothing is missing but models, data, logins and keys."""
    described = {
        "variables": {},
        "home": home,
        "disk": lambda folder: Disk(1, 1_000_000),
        "memory": Memory(256_000, 250_000),
        "graphics": Graphics((H100,), "580.95", "13.0"),
        "packages": Packages({"torch": Package("2.13.0+cu130"), "itdr": Package("0.1.0")}, "13.0"),
        "vllm_packages": Packages({"vllm": Package("0.32.0")}),
    }
    return Machine(**(described | changes))


def levels(findings) -> dict[str, str]:
    """Return the name of each check and its level."""
    return {finding.check: finding.level for finding in findings}
