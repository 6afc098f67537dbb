"""Conventional recommenders, whose answers stand beside the models'.

Needs: the training and test parts of all cells, and the tables where examples were drawn from any.
Makes: predictions/trivial/{variant}/{seed}.parquet, {variant} being the recommender. What a method
may see is said in the column `protocol`; the libraries that some need are an extra of the package.
"""


rule recommend:
    """Let a conventional recommender answer the test rows."""
    input:
        train=PARTS["train"],
        test=PARTS["test"],
        tables=collect(
            "<results>/tables/{dataset}/{table}.parquet",
            dataset=WORKFLOW.tables,
            table=["interactions", "items"],
        ),
    output:
        "<results>/predictions/trivial/{variant}/{seed}.parquet",
    log:
        "<logs>/recommend/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/recommend/{variant}/{seed}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.recommenders),
    conda:
        "../envs/recommend.yaml"
    threads: 2
    resources:
        mem_mb=growing(EXPERIMENT.recommend.memory_limit_mb + 6000),
        runtime=growing(720),
    params:
        tables=["--tables", f"{EXPERIMENT.results}/tables"] if WORKFLOW.tables else [],
        rows=EXPERIMENT.inference.rows_per_cell,
        flags=FLAGS["recommend"],
        folders=FOLDERS,
    message:
        "rule {rule}: answer the test rows of all cells by {wildcards.variant}; log: {log}"
    shell:
        "python -m itdr recommend {wildcards.variant} --train {input.train:q} --test {input.test:q}"
        " {params.tables:q} --out {output:q} --rows-per-cell {params.rows} --seed {wildcards.seed}"
        " {params.flags} {params.folders} > {log:q} 2>&1"
