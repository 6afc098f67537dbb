"""The training mixture of a variant.

Needs: the training parts of all cells, and an audit that found them clean.
Makes: mixtures/{variant}/train.parquet.
"""

PARTS = {
    part: [
        f"<results>/instructions/{task}/{dataset}/parts/{part}.parquet"
        for task, dataset in WORKFLOW.cells
    ]
    for part in ("train", "val", "test")
}


rule mix_examples:
    """Put the training parts of all cells together."""
    input:
        parts=PARTS["train"],
        audit="<results>/audit/audit.json",
    output:
        "<results>/mixtures/{variant}/train.parquet",
    log:
        "<logs>/mix/{variant}.log",
    conda:
        "../envs/data.yaml"
    params:
        seed=EXPERIMENT.seed,
    shell:
        "python -m itdr mix --train {input.parts:q} --audit {input.audit:q}"
        " --out {output:q} --seed {params.seed} > {log:q} 2>&1"
