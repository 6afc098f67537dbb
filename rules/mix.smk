"""The training mixture of a variant.

Needs: the training parts of all cells.
Makes: mixtures/{variant}/train.parquet.
"""

PARTS = {
    part: [
        f"<results>/instructions/{task}/{dataset}/parts/{part}.parquet"
        for task, dataset in WORKFLOW.cells
    ]
    for part in ("train", "test")
}


rule mix_examples:
    """Put the training parts of all cells together."""
    input:
        PARTS["train"],
    output:
        "<results>/mixtures/{variant}/train.parquet",
    log:
        "<logs>/mix/{variant}.log",
    conda:
        "../envs/data.yaml"
    params:
        seed=EXPERIMENT.seed,
    shell:
        "python -m itdr mix --train {input:q} --out {output:q} --seed {params.seed} > {log:q} 2>&1"
