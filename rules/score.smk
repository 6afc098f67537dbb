"""Scores of one column of the tables, and the paired comparison of all columns of one table.

Needs: predictions/{model}/{variant}/{seed}.parquet.
Makes: scores/{model}/{variant}/{seed}.csv; {seed} may be several, as 42+43+44, whose mean is scored.
Makes: scores/{model}/{variant}/{seed}.reliability.csv, of choices scored by likelihood.
Makes: comparisons/{table}.csv, the trivial answers among the columns.
On demand: predictions/{model}/{variant}/{seed}.jsonl.
"""


rule score_predictions:
    """Compare answers with references."""
    input:
        lambda wildcards: expand(
            "<results>/predictions/{{model}}/{{variant}}/{seed}.parquet",
            seed=wildcards.seeds.split("+"),
        ),
    output:
        scores="<results>/scores/{model}/{variant}/{seeds}.csv",
        reliability="<results>/scores/{model}/{variant}/{seeds}.reliability.csv",
    log:
        "<logs>/score/{model}/{variant}/{seeds}.log",
    benchmark:
        "<benchmarks>/score/{model}/{variant}/{seeds}.tsv"
    wildcard_constraints:
        seeds=r"\d+(\+\d+)*",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        flags=FLAGS["score"],
        metrics=[settings.metrics for settings in WORKFLOW.tasks.values()],
        folders=FOLDERS,
    shell:
        "python -m itdr score --predictions {input:q} --out {output.scores:q}"
        " --reliability {output.reliability:q} {params.flags} {params.folders} > {log:q} 2>&1"


use rule score_predictions as score_cell with:
    """One cell alone: results/scores/MODEL/VARIANT/TASK/DATASET/42.csv"""
    input:
        rules.infer_cell.output,
    output:
        scores="<results>/scores/{model}/{variant}/{task}/{dataset}/{seed}.csv",
        reliability="<results>/scores/{model}/{variant}/{task}/{dataset}/{seed}.reliability.csv",
    log:
        "<logs>/score-cell/{model}/{variant}/{task}/{dataset}/{seed}.log",
    benchmark:
        "<benchmarks>/score-cell/{model}/{variant}/{task}/{dataset}/{seed}.tsv"


rule compare_columns:
    """Test which columns of a table, trivial answers among them, answer better than which."""
    input:
        lambda wildcards: per_column(
            "predictions", "parquet", WORKFLOW.table_columns[wildcards.table]
        ),
    output:
        "<results>/comparisons/{table}.csv",
    log:
        "<logs>/compare/{table}.log",
    benchmark:
        "<benchmarks>/compare/{table}.tsv"
    wildcard_constraints:
        table=any_of(WORKFLOW.table_columns),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        flags=FLAGS["score"],
        metrics=[settings.metrics for settings in WORKFLOW.tasks.values()],
        folders=FOLDERS,
    message:
        "rule {rule}: compare the columns of the table {wildcards.table}; log: {log}"
    shell:
        "python -m itdr compare --predictions {input:q} --out {output:q} {params.flags} {params.folders}"
        " > {log:q} 2>&1"


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
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    shell:
        "python -m itdr export predictions --parts {input:q} --out {output:q} > {log:q} 2>&1"
