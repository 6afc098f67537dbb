"""Downloads that nobody was told of."""

import logging
from collections.abc import Iterable
from typing import Any

from itdr.errors import SettingsError
from itdr.places import project_path
from itdr.planning.estimate import cost
from itdr.planning.jobs import Job, open_in
from itdr.planning.measured import Measured
from itdr.planning.needs import load_sizes
from itdr.planning.plan import size_text
from itdr.planning.sizes import Sizes
from itdr.planning.workflow import Workflow

log = logging.getLogger("itdr")

_FETCHING = ("fetch_dataset", "fetch_model")
_NAMED = 4


def check_downloads(dag: Any, workflow: Workflow) -> None:
    """Refuse what Snakemake is about to do if it would download much.

    dag: Snakemake's graph of jobs. Raises as refuse_large_download.
    """
    sizes = load_sizes(workflow, project_path("config/rates.yaml"))
    refuse_large_download(open_in(dag).values(), sizes)


def refuse_large_download(jobs: Iterable[Job], sizes: Sizes) -> None:
    """Refuse jobs that would download more than the experiment's most_download_gb.

    Raises:
        SettingsError: with what would be downloaded and how to go on.
    """
    found = {
        job.wildcards.get("dataset") or job.wildcards["model"]: megabytes
        for job in jobs
        if job.rule in _FETCHING and (megabytes := _megabytes(job, sizes))
    }
    total, most = sum(found.values()), sizes.workflow.experiment.most_download_gb
    if total <= 1000 * most:
        return
    largest = sorted(found, key=lambda name: -found[name])
    named = ", ".join(f"{name} {size_text(found[name])}" for name in largest[:_NAMED])
    others = f" and {len(largest) - _NAMED} more" if len(largest) > _NAMED else ""
    enough = -int(-total // 1000)
    raise SettingsError(
        f"this would download about {size_text(total)} ({named}{others}); 'most_download_gb' is "
        f"{most:g}. Nothing was begun. 'itdr plan' says what all of it costs in time, disk and "
        "money. To go on, say so once in a configuration file or on the command line, behind the "
        f"targets: --config most_download_gb={enough}. Without downloads: 'raw_folders' names data "
        "that are here already, and --workflow-profile demo runs a miniature on simulated data."
    )


def _megabytes(job: Job, sizes: Sizes) -> float:
    try:
        return cost(job, sizes, Measured()).download_mb
    except SettingsError as error:
        log.warning("%s Its download is not counted in what this run may fetch.", error)
        return 0
