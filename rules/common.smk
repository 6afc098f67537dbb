"""What the rules share: the configuration, where files lie, what jobs ask for.

Files of config/ are taken from the working directory if they are there, else from this checkout. All
other paths of the configuration are seen from the working directory.
"""

import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The package of this checkout reads the configuration and serves every job, whichever environment the
# job runs in. What else is on the path is kept for the rules of a workflow that has this one as a module.
PACKAGE = str(Path(workflow.current_basedir).parent / "src")
sys.path.insert(0, PACKAGE)
shell.prefix("export PYTHONPATH={PACKAGE:q}${{PYTHONPATH:+:$PYTHONPATH}}; ")

from itdr.errors import ItdrError
from itdr.files.formats import write_json
from itdr.places import PROJECT, project_path
from itdr.planning.loading import load_workflow
from itdr.planning.profiles import check_workflow_profile
from itdr.provenance import machine, provenance

# Not by `configfile:`, whose reader knows neither our bounds nor our messages. A module has `config`
# from the workflow that it is part of, whose config/ is none of this one's.
try:
    if "snakemake" in sys.argv[0]:
        check_workflow_profile(
            sys.argv[1:], Path(workflow.main_snakefile), workflow.overwrite_configfiles
        )
    WORKFLOW = (
        load_workflow(
            [project_path("config/config.yaml"), *workflow.overwrite_configfiles],
            workflow.config_settings.config,
        )
        if workflow.modifier.is_main_snakefile()
        else load_workflow([PROJECT / "config/config.yaml"], config)
    )
except ItdrError as error:
    raise WorkflowError(str(error)) from None
EXPERIMENT = WORKFLOW.experiment
FLAGS = WORKFLOW.flags
FOLDERS = WORKFLOW.folder_flags
TABLE_FORMS = (".csv", ".compared.csv", ".wide.csv", ".md", ".tex")


def about():
    """Return the text that Snakemake's report begins with: the run's summary, once there is one."""
    summary = Path(EXPERIMENT.results) / "report" / "summary.rst"
    return str(summary.resolve()) if summary.is_file() else "workflow/report/about.rst"


def growing(amount):
    """Return a resource that grows with the attempt, for jobs that are tried again."""
    return lambda wildcards, attempt: amount * attempt


def growing_with_model(wildcards, attempt):
    """Return the main memory in MB for training and inference of a model."""
    return WORKFLOW.models[wildcards.model].memory_mb * attempt


def any_of(names):
    """Return the regular expression of these names; of none, one that never matches."""
    return "|".join(map(re.escape, names)) or "(?!)"


def parts_of(cells, part):
    """Return the files of one part of some cells."""
    return [
        f"<results>/instructions/{task}/{dataset}/parts/{part}.parquet"
        for task, dataset in cells
    ]


PARTS = {part: parts_of(WORKFLOW.cells, part) for part in ("train", "val", "test")}


def per_column(what, form, columns):
    """Return the files of some columns, of all trivial answers and recommenders in one folder."""
    without_model = [*WORKFLOW.trivial_answers, *WORKFLOW.recommenders]
    trivial = [("trivial", name) for name in without_model]
    return [
        f"<results>/{what}/{model}/{variant}/{EXPERIMENT.seed}.{form}"
        for model, variant in [*columns, *trivial]
    ]


def scores_of(columns):
    """Return the score files of some columns, of all trivial answers and recommenders."""
    return per_column("scores", "csv", columns)


def comparisons():
    """Return the comparisons of all tables that have columns."""
    tables = [name for name, columns in WORKFLOW.table_columns.items() if columns]
    return collect("<results>/comparisons/{table}.csv", table=tables)


def adapters_of(columns):
    """Return the adapters of those columns whose variant has one."""
    return [
        f"<results>/adapters/{model}/{variant}/{EXPERIMENT.seed}"
        for model, variant in columns
        if WORKFLOW.variants[variant].has_adapter
    ]


def adapter(wildcards):
    """Return the adapter that a variant answers with, if there is one."""
    if not WORKFLOW.variants[wildcards.variant].has_adapter:
        return []
    return [
        f"<results>/adapters/{wildcards.model}/{wildcards.variant}/{wildcards.seed}"
    ]


def start_from(wildcards):
    """Return the adapter that a variant's training starts from, if there is one."""
    start = WORKFLOW.variants[wildcards.variant].start_from
    return (
        f"<results>/adapters/{wildcards.model}/{start}/{wildcards.seed}"
        if start
        else []
    )


def validated_with(wildcards):
    """Return the val parts that a variant's training is validated with, if it is."""
    if WORKFLOW.training(wildcards.variant).validation.every is None:
        return []
    return parts_of(WORKFLOW.cells_of(wildcards.variant), "val")


def files_of(table):
    """Return the files of a result table."""
    return multiext(f"<results>/report/tables/{table}", *TABLE_FORMS, ".html")


def table(name):
    """Return an input function; it fails where the experiment has no column of the table."""

    def files(wildcards):
        columns = WORKFLOW.table_columns[name]
        if not columns:
            raise WorkflowError(
                f"No column of the configuration belongs to the table {name!r}: add one to "
                f"'columns', with a variant of {', '.join(WORKFLOW.layout.tables[name].variants)}."
            )
        return [*files_of(name), *adapters_of(columns)]

    return files


def brought(file, models):
    """Return what those of the models need that come from a hub, as it stands, whatever its age."""
    return [
        ancient(f"<results>/models/{model}/{file}.json")
        for model in models
        if model in WORKFLOW.hub_models
    ]
