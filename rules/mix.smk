"""The training mixture of a variant.

Needs: the training parts of the variant's tasks, and an audit that found them clean.
Makes: mixtures/{variant}/{seed}/train.parquet, which keeps the rows that the seed drew.
"""


rule mix_examples:
    """Put together what a variant is trained on."""
    input:
        parts=lambda wildcards: parts_of(WORKFLOW.cells_of(wildcards.variant), "train"),
        audit="<results>/audit/audit.json",
    output:
        "<results>/mixtures/{variant}/{seed}/train.parquet",
    log:
        "<logs>/mix/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/mix/{variant}/{seed}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.trained_variants),
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        flags=lambda wildcards: WORKFLOW.mix_flags(wildcards.variant),
    message:
        "rule {rule}: mix what {wildcards.variant} is trained on; log: {log}"
    shell:
        "python -m itdr mix --train {input.parts:q} --audit {input.audit:q} --out {output:q}"
        " --seed {wildcards.seed} {params.flags} > {log:q} 2>&1"
