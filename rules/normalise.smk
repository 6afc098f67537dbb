"""Clean tables of a dataset.

Needs: raw/{dataset}/manifest.json.
Makes: tables/{dataset}/{interactions,items,users,rejected}.parquet and quality.json.
"""


rule normalise_dataset:
    """Turn raw files into interactions, items and users."""
    input:
        "<results>/raw/{dataset}/manifest.json",
    output:
        quality="<results>/tables/{dataset}/quality.json",
        tables=collect(
            "<results>/tables/{{dataset}}/{table}.parquet",
            table=["interactions", "items", "users", "rejected"],
        ),
    log:
        "<logs>/normalise/{dataset}.log",
    benchmark:
        "<benchmarks>/normalise/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=growing(EXPERIMENT.normalise.memory_limit_mb + 1000),
        runtime=growing(240),
    params:
        raw=subpath(input[0], parent=True),
        out=subpath(output.quality, parent=True),
        flags=FLAGS["normalise"],
        reading=lambda wildcards: WORKFLOW.readings.get(wildcards.dataset),
        folders=FOLDERS,
    shell:
        "python -m itdr normalise {wildcards.dataset} --raw {params.raw:q} --out {params.out:q}"
        " --threads {threads} {params.flags} {params.folders} > {log:q} 2>&1"
