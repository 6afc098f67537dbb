"""Examples of one task from one dataset, and their three parts.

Needs: tables/{dataset}/.
Makes: instructions/{task}/{dataset}/examples.parquet and parts/{train,val,test}.parquet.
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
    params:
        tables=subpath(input.quality, parent=True),
        seed=EXPERIMENT.seed,
        flags=FLAGS["build"],
        template=lookup(dpath="{task}/{dataset}", within=WORKFLOW.templates),
    shell:
        "python -m itdr build {wildcards.task} {wildcards.dataset} --tables {params.tables:q}"
        " --out {output:q} --seed {params.seed} --threads {threads} {params.flags} > {log:q} 2>&1"


rule split_examples:
    """Divide examples into train, val and test by user."""
    input:
        rules.build_examples.output,
    output:
        train="<results>/instructions/{task}/{dataset}/parts/train.parquet",
        val="<results>/instructions/{task}/{dataset}/parts/val.parquet",
        test="<results>/instructions/{task}/{dataset}/parts/test.parquet",
    log:
        "<logs>/split/{task}/{dataset}.log",
    conda:
        "../envs/data.yaml"
    params:
        out=subpath(output.train, parent=True),
        seed=EXPERIMENT.seed,
        flags=FLAGS["split"],
    shell:
        "python -m itdr split --examples {input:q} --out {params.out:q} --seed {params.seed}"
        " {params.flags} > {log:q} 2>&1"
