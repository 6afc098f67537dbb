"""The training mixture of a variant.

Needs: the training parts of the variant's tasks, and an audit that found them clean.
Makes: mixtures/{variant}/train.parquet.
"""


def parts_of(cells, part):
    """Return the files of one part of some cells."""
    return [
        f"<results>/instructions/{task}/{dataset}/parts/{part}.parquet"
        for task, dataset in cells
    ]


PARTS = {part: parts_of(WORKFLOW.cells, part) for part in ("train", "val", "test")}


rule mix_examples:
    """Put together what a variant is trained on."""
    input:
        parts=lambda wildcards: parts_of(WORKFLOW.cells_of(wildcards.variant), "train"),
        audit="<results>/audit/audit.json",
    output:
        "<results>/mixtures/{variant}/train.parquet",
    log:
        "<logs>/mix/{variant}.log",
    benchmark:
        "<benchmarks>/mix/{variant}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.trained_variants),
    conda:
        "../envs/data.yaml"
    params:
        seed=EXPERIMENT.seed,
        flags=lambda wildcards: WORKFLOW.mix_flags(wildcards.variant),
    shell:
        "python -m itdr mix --train {input.parts:q} --audit {input.audit:q} --out {output:q}"
        " --seed {params.seed} {params.flags} > {log:q} 2>&1"
