"""The jobs that a target still needs, and which waits for which, as Snakemake works them out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from itdr.errors import SettingsError

ANSWERING = ("infer_model", "infer_cell", "ask_endpoint")
"""Rules by which a model answers: on this side, all cells or one, or behind an endpoint."""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        rule: its rule.
        wildcards: what tells it from other jobs of that rule.
        after: the places, in the list of all jobs, of those that it waits for.
    """

    rule: str
    wildcards: dict[str, str]
    after: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Its rule and what tells it from others, such as "train_adapter tiny/itdr"."""
        keys = ("model", "variant", "task", "dataset", "table")
        words = [self.wildcards[key] for key in keys if key in self.wildcards]
        return " ".join([self.rule, "/".join(words)]).strip()

    @property
    def asks_model(self) -> bool:
        """Whether a model answers test rows."""
        return self.rule in ANSWERING

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The task and dataset that it is about, none where it is about all of them."""
        wildcards = self.wildcards
        return [(wildcards["task"], wildcards["dataset"])] if "task" in wildcards else []


def open_jobs(targets: Sequence[str], snakefile: Path, configfiles: Sequence[Path]) -> list[Job]:
    """Return the jobs that would run for the targets, each behind those that it waits for.

    What is done already is not among them, nor are targets, which do nothing.

    Raises:
        SettingsError: Snakemake cannot plan the targets; with its own words.
    """
    return list(open_in(job_graph(targets, snakefile, configfiles)).values())


def open_in(dag: Any) -> dict[Any, Job]:
    """Return Snakemake's jobs of a graph that would run, each with what it is as a Job.

    Each stands behind those that it waits for; targets, which do nothing, are left out.
    """
    wanted = {job for job in dag.needrun_jobs(exclude_finished=False) if job.output}
    waits = {job: [other for other in dag.dependencies[job] if other in wanted]
             for job in sorted(wanted, key=_name)}  # fmt: skip
    order = list(TopologicalSorter(waits).static_order())
    places = {job: place for place, job in enumerate(order)}
    return {job: Job(job.rule.name, dict(job.wildcards_dict),
                     tuple(sorted(places[other] for other in waits[job])))
            for job in order}  # fmt: skip


def _name(job: Any) -> tuple[str, ...]:
    return (job.rule.name, *job.wildcards_dict.values())


def job_graph(targets: Sequence[str], snakefile: Path, configfiles: Sequence[Path]) -> Any:
    """Return Snakemake's graph of jobs (snakemake.dag.DAG), nothing of it being run.

    It may be asked for while Snakemake runs.

    Raises:
        SettingsError: Snakemake cannot plan the targets; with its own words.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.exceptions import RuleException, WorkflowError
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        ResourceSettings,
    )
    from snakemake_interface_common.exceptions import ApiError

    logging.disable()  # all that a dry run tells
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            workflow = api.workflow(
                ResourceSettings(cores=1),
                config_settings=ConfigSettings(configfiles=list(configfiles)),
                snakefile=snakefile,
            )
            settings = DAGSettings(targets=frozenset(targets), force_incomplete=True)
            workflow.dag(settings).execute_workflow("dryrun")
            return workflow._workflow.dag
    except (ApiError, RuleException, WorkflowError) as error:
        raise SettingsError(
            f"Snakemake cannot plan {' '.join(targets) or 'all'}: "
            f"{str(error).partition('Wildcards:')[0].strip()}"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
