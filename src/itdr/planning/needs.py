"""What targets still need: their open jobs, with sizes and rates to reckon with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from itdr.places import project_path
from itdr.planning.estimate import Cost, cost, gpus_of, hours, units
from itdr.planning.jobs import ANSWERING, Job, open_jobs
from itdr.planning.loading import load_workflow
from itdr.planning.measured import Measured, measured_rates
from itdr.planning.schedule import Task
from itdr.planning.sizes import Sizes
from itdr.planning.workflow import Workflow
from itdr.reporting.run import load_run
from itdr.reporting.statistics import published_statistics
from itdr.settings.rates import Rates
from itdr.settings.reading import load


@dataclass(frozen=True)
class Needs:
    """The jobs that targets still need.

    Attributes:
        targets: their names; none is all.
        jobs: those that would run.
        sizes: of the experiment.
        measured: rates of the jobs that have finished.
    """

    targets: tuple[str, ...]
    jobs: tuple[Job, ...]
    sizes: Sizes
    measured: Measured

    @property
    def name(self) -> str:
        """The targets as they were asked for."""
        return " ".join(self.targets) or "all"

    def of(self, *rules: str) -> list[Job]:
        """Return the jobs of some rules."""
        return [job for job in self.jobs if job.rule in rules]

    def values(self, wildcard: str, *rules: str) -> list[str]:
        """Return the different values of a wildcard among the jobs of some rules."""
        return list(dict.fromkeys(job.wildcards[wildcard] for job in self.of(*rules)))

    def cost(self, *rules: str) -> Cost:
        """Return what the jobs of some rules cost together."""
        return sum((cost(job, self.sizes, self.measured) for job in self.of(*rules)), Cost())

    def dollars_of(self, model: str) -> float:
        """Return what the answers of a model cost in US dollars."""
        jobs = (job for job in self.of(*ANSWERING) if job.wildcards["model"] == model)
        return sum(cost(job, self.sizes, self.measured).dollars for job in jobs)

    @property
    def models(self) -> list[str]:
        """The models that are trained or asked, in the order of the configuration."""
        wanted = self.values("model", "train_adapter", *ANSWERING)
        return [model for model in self.sizes.workflow.models if model in wanted]


def load_needs(
    targets: Sequence[str], configfiles: Sequence[Path], snakefile: Path, rates: Path
) -> Needs:
    """Return what targets still need, by Snakemake's graph of jobs.

    Raises:
        MissingFileError, SettingsError: the configuration is wrong, or Snakemake cannot plan the
            targets.
    """
    workflow = load_workflow([project_path("config/config.yaml"), *configfiles])
    sizes = load_sizes(workflow, rates)
    return needs_of(targets, open_jobs(targets, snakefile, configfiles), sizes)


def load_sizes(workflow: Workflow, rates: Path) -> Sizes:
    """Return the sizes of an experiment: published ones, or counted by its audit.

    Raises:
        MissingFileError, SettingsError, DataError: a file of rates, statistics or the run is wrong.
    """
    rows = published_statistics(workflow.paper.folder)
    return Sizes(
        workflow,
        load(Rates, rates),
        {(row["task"], row["dataset"]): row for row in rows},
        load_run(Path(workflow.experiment.results)).audit,
    )


def needs_of(targets: Sequence[str], jobs: Iterable[Job], sizes: Sizes) -> Needs:
    """Return what jobs of targets need, with the rates of the jobs that have finished."""
    _, prompts, answers = sizes.answering()
    results = Path(sizes.workflow.experiment.results)
    measured = measured_rates(results, partial(units, sizes=sizes), prompts + answers)
    return Needs(tuple(targets), tuple(jobs), sizes, measured)


def tasks_of(needs: Needs, spent: Mapping[int, float] | None = None) -> list[Task]:
    """Return the open jobs as the simulation of a schedule takes them.

    spent: place of a running job to the hours that it has taken already.
    """
    return [
        Task(max(0.0, hours(job, needs.sizes, needs.measured) - (spent or {}).get(place, 0.0)),
             gpus_of(job, needs.sizes), job.after)
        for place, job in enumerate(needs.jobs)
    ]  # fmt: skip
