"""The authors' released files instead of rebuilt examples (`data: released`).

Needs: release_manifest.csv in the folder of the paper and a network, or `release.folder`.
Makes: release/{task}/{dataset}/manifest.json, written last, beside the files it lists; then
instructions/{task}/{dataset}/parts/ with train, val and test, rejected rows and counts.
"""


rule fetch_release:
    """Bring the released files of one task and dataset here, or link them from a local folder."""
    input:
        f"{WORKFLOW.paper.folder}/release_manifest.csv",
    output:
        "<results>/release/{task}/{dataset}/manifest.json",
    log:
        "<logs>/fetch-release/{task}/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch-release/{task}/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], parent=True),
        flags=FLAGS["fetch-release"],
    shell:
        "python -m itdr fetch-release {wildcards.task} {wildcards.dataset} --manifest {input:q}"
        " --out {params.out:q} {params.flags} > {log:q} 2>&1"


rule import_release:
    """Turn released files into train, val and test."""
    input:
        manifest=f"{WORKFLOW.paper.folder}/release_manifest.csv",
        files=rules.fetch_release.output[0],
    output:
        train="<results>/instructions/{task}/{dataset}/parts/train.parquet",
        val="<results>/instructions/{task}/{dataset}/parts/val.parquet",
        test="<results>/instructions/{task}/{dataset}/parts/test.parquet",
        rejected="<results>/instructions/{task}/{dataset}/parts/rejected.parquet",
        report="<results>/instructions/{task}/{dataset}/parts/import.json",
    log:
        "<logs>/import-release/{task}/{dataset}.log",
    benchmark:
        "<benchmarks>/import-release/{task}/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        release=subpath(input.files, parent=True),
        out=subpath(output.train, parent=True),
        seed=EXPERIMENT.seed,
        template=lookup(dpath="{task}/{dataset}", within=WORKFLOW.templates),
        folders=FOLDERS,
    shell:
        "python -m itdr import-release {wildcards.task} {wildcards.dataset} --manifest {input.manifest:q}"
        " --release {params.release:q} --out {params.out:q} --seed {params.seed} {params.folders} > {log:q} 2>&1"
