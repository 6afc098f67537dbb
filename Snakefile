"""The whole pipeline: raw files to tables of metrics. `snakemake -n` shows what would be done."""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/common.smk"


report: about()


pathvars:
    results=EXPERIMENT.results,
    logs=f"{EXPERIMENT.results}/logs",
    benchmarks=f"{EXPERIMENT.results}/benchmarks",


wildcard_constraints:
    task=any_of(WORKFLOW.tasks),
    dataset=any_of(WORKFLOW.dataset_ids),
    model=any_of([*WORKFLOW.models, "trivial"]),
    variant=r"[a-z0-9-]+",
    seed=r"\d+",


if EXPERIMENT.data == "released":

    include: "rules/release.smk"

else:

    include: "rules/fetch.smk"
    include: "rules/normalise.smk"
    include: "rules/build.smk"
    include: "rules/annotate.smk"
    include: "rules/split.smk"


include: "rules/models.smk"
include: "rules/mix.smk"
include: "rules/audit.smk"
include: "rules/export.smk"
include: "rules/train.smk"
include: "rules/infer.smk"
include: "rules/recommend.smk"
include: "rules/score.smk"
include: "rules/report.smk"
include: "rules/targets.smk"


onstart:
    from itdr.planning.downloads import check_downloads  # slow to import

    try:
        check_downloads(workflow.dag, WORKFLOW)
    except ItdrError as error:
        raise WorkflowError(str(error)) from None
    write_json(
        Path(EXPERIMENT.results) / "started.json",
        {
            "settings": EXPERIMENT.model_dump(mode="json"),
            "machine": machine(),
            "provenance": provenance(["snakemake"]),
        },
    )
    for note in WORKFLOW.notes:
        print(note)


onerror:
    print(
        f"The log of each failed job is named above. {EXPERIMENT.results}/benchmarks/ holds time and "
        "memory of the finished jobs, under the names of their logs."
    )


rule all:
    """Everything: all tables that the configuration has columns for, the figures, the page."""
    default_target: True
    input:
        [files_of(name) for name, columns in WORKFLOW.table_columns.items() if columns],
        rules.make_aggregates.output if WORKFLOW.layout.aggregates else [],
        rules.make_statistics.output,
        rules.make_page.output,
        adapters_of(WORKFLOW.columns),
    message:
        "rule {rule}: all tables, the figures and the page"
