"""The paper's tables and figures, ours beside the published values.

Needs: the scores of all columns and trivial answers.
Makes: report/tables/main.{csv,md} and report/figures/main.{png,svg}.
"""


rule report:
    """Make the main table and its figure."""
    input:
        scores=[
            f"<results>/scores/{model}/{variant}/{EXPERIMENT.seed}.csv"
            for model, variant in [
                *WORKFLOW.columns,
                *(("trivial", baseline) for baseline in EXPERIMENT.baselines),
            ]
        ],
        paper="config/paper/results.csv",
    output:
        multiext("<results>/report/tables/main", ".csv", ".md"),
        multiext("<results>/report/figures/main", ".png", ".svg"),
    log:
        "<logs>/report.log",
    conda:
        "../envs/report.yaml"
    params:
        out=subpath(output[0], ancestor=2),
    shell:
        "python -m itdr report --scores {input.scores:q} --paper {input.paper:q} --out {params.out:q}"
        " > {log:q} 2>&1"
