"""Scores of one column of the tables.

Needs: predictions/{model}/{variant}/{seed}.parquet.
Makes: scores/{model}/{variant}/{seed}.csv.
"""


rule score_predictions:
    """Compare answers with references."""
    input:
        "<results>/predictions/{model}/{variant}/{seed}.parquet",
    output:
        "<results>/scores/{model}/{variant}/{seed}.csv",
    log:
        "<logs>/score/{model}/{variant}/{seed}.log",
    conda:
        "../envs/report.yaml"
    params:
        flags=FLAGS["score"],
        metrics=[settings.metrics for settings in WORKFLOW.tasks.values()],
    shell:
        "python -m itdr score --predictions {input:q} --out {output:q} {params.flags} > {log:q} 2>&1"
