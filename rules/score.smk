"""Scores of one column of the tables, and the paired comparison of two.

Needs: predictions/{model}/{variant}/{seed}.parquet.
Makes: scores/{model}/{variant}/{seed}.csv; {seed} may be several, as 42+43+44, whose mean is scored.
On demand: comparisons/{model}/{first}-vs-{second}/{seed}.csv, predictions/{model}/{variant}/{seed}.jsonl.
"""


rule score_predictions:
    """Compare answers with references."""
    input:
        lambda wildcards: expand(
            "<results>/predictions/{{model}}/{{variant}}/{seed}.parquet",
            seed=wildcards.seeds.split("+"),
        ),
    output:
        "<results>/scores/{model}/{variant}/{seeds}.csv",
    log:
        "<logs>/score/{model}/{variant}/{seeds}.log",
    benchmark:
        "<benchmarks>/score/{model}/{variant}/{seeds}.tsv"
    wildcard_constraints:
        seeds=r"\d+(\+\d+)*",
    conda:
        "../envs/report.yaml"
    params:
        flags=FLAGS["score"],
        metrics=[settings.metrics for settings in WORKFLOW.tasks.values()],
    shell:
        "python -m itdr score --predictions {input:q} --out {output:q} {params.flags} {FOLDERS} > {log:q} 2>&1"


use rule score_predictions as score_cell with:
    """One cell alone: results/scores/MODEL/VARIANT/TASK/DATASET/42.csv"""
    input:
        rules.infer_cell.output,
    output:
        "<results>/scores/{model}/{variant}/{task}/{dataset}/{seed}.csv",
    log:
        "<logs>/score-cell/{model}/{variant}/{task}/{dataset}/{seed}.log",
    benchmark:
        "<benchmarks>/score-cell/{model}/{variant}/{task}/{dataset}/{seed}.tsv"


rule compare_variants:
    """Test whether one variant of a model answers better than another."""
    input:
        first="<results>/predictions/{model}/{first}/{seed}.parquet",
        second="<results>/predictions/{model}/{second}/{seed}.parquet",
    output:
        "<results>/comparisons/{model}/{first}-vs-{second}/{seed}.csv",
    log:
        "<logs>/compare/{model}/{first}-vs-{second}/{seed}.log",
    benchmark:
        "<benchmarks>/compare/{model}/{first}-vs-{second}/{seed}.tsv"
    wildcard_constraints:
        first=r"[a-z0-9-]+",
        second=r"[a-z0-9-]+",
    conda:
        "../envs/report.yaml"
    params:
        flags=FLAGS["score"],
        metrics=[settings.metrics for settings in WORKFLOW.tasks.values()],
    shell:
        "python -m itdr compare --first {input.first:q} --second {input.second:q} --out {output:q}"
        " {params.flags} {FOLDERS} > {log:q} 2>&1"


rule export_predictions:
    """Write answers as JSON lines."""
    input:
        "<results>/predictions/{model}/{variant}/{seed}.parquet",
    output:
        "<results>/predictions/{model}/{variant}/{seed}.jsonl",
    log:
        "<logs>/export/{model}/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/export/{model}/{variant}/{seed}.tsv"
    conda:
        "../envs/report.yaml"
    shell:
        "python -m itdr export predictions --parts {input:q} --out {output:q} > {log:q} 2>&1"
