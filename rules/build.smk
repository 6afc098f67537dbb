"""Examples of one task from one dataset.

Needs: tables/{dataset}/.
Makes: instructions/{task}/{dataset}/examples.parquet.
"""


rule build_examples:
    """Build the examples of one task from one dataset."""
    input:
        rules.normalise_dataset.output.tables,
        quality=rules.normalise_dataset.output.quality,
    output:
        "<results>/instructions/{task}/{dataset}/examples.parquet",
    log:
        "<logs>/build/{task}/{dataset}.log",
    benchmark:
        "<benchmarks>/build/{task}/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=growing(EXPERIMENT.build.memory_limit_mb + 1000),
        runtime=growing(60),
    params:
        tables=subpath(input.quality, parent=True),
        seed=EXPERIMENT.seed,
        flags=lookup(dpath="{task}", within=WORKFLOW.build_flags),
        template=lookup(dpath="{task}/{dataset}", within=WORKFLOW.templates),
        folders=FOLDERS,
    shell:
        "python -m itdr build {wildcards.task} {wildcards.dataset} --tables {params.tables:q}"
        " --out {output:q} --seed {params.seed} --threads {threads} {params.flags} {params.folders} > {log:q} 2>&1"
