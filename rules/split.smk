"""The three parts of the examples of one task and dataset.

Needs: instructions/{task}/{dataset}/examples.parquet, annotated.parquet where a teacher answers; the
tables, whose times a split by time goes by.
Makes: instructions/{task}/{dataset}/parts/{train,val,test}.parquet.
"""


rule split_examples:
    """Divide examples into train, val and test."""
    input:
        rules.normalise_dataset.output.tables,
        quality=rules.normalise_dataset.output.quality,
        examples=branch(
            lambda wildcards: wildcards.task in WORKFLOW.taught_tasks,
            then=rules.annotate_examples.output,
            otherwise=rules.build_examples.output,
        ),
    output:
        train="<results>/instructions/{task}/{dataset}/parts/train.parquet",
        val="<results>/instructions/{task}/{dataset}/parts/val.parquet",
        test="<results>/instructions/{task}/{dataset}/parts/test.parquet",
    log:
        "<logs>/split/{task}/{dataset}.log",
    benchmark:
        "<benchmarks>/split/{task}/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output.train, parent=True),
        tables=subpath(input.quality, parent=True),
        seed=EXPERIMENT.seed,
        flags=FLAGS["split"],
    shell:
        "python -m itdr split --examples {input.examples:q} --tables {params.tables:q} --out {params.out:q}"
        " --seed {params.seed} {params.flags} > {log:q} 2>&1"
