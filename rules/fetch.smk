"""Raw files of a dataset.

Needs: config/datasets/{dataset}.yaml and a network; or a local folder named in `raw_folders`; or
`simulated_world`, from which files in the dataset's own format are written.
Makes: raw/{dataset}/manifest.json, written last, beside the files it lists.
"""

SIMULATED = WORKFLOW.simulated
LOCAL_FOLDER = WORKFLOW.local_folders


rule simulate_dataset:
    """Write the raw files of a simulated dataset."""
    output:
        directory("<results>/simulated/{dataset}"),
    log:
        "<logs>/simulate/{dataset}.log",
    benchmark:
        "<benchmarks>/simulate/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seed=EXPERIMENT.seed,
        flags=FLAGS["simulate"],
        folders=FOLDERS,
    shell:
        "python -m itdr simulate {wildcards.dataset} --out {output:q} --seed {params.seed} {params.flags} {params.folders}"
        " > {log:q} 2>&1"


rule fetch_dataset:
    """Bring the raw files of a dataset here, or link them from a local folder."""
    input:
        branch(
            lambda wildcards: wildcards.dataset in SIMULATED,
            then=rules.simulate_dataset.output,
        ),
        lambda wildcards: WORKFLOW.own_files(wildcards.dataset),
    output:
        "<results>/raw/{dataset}/manifest.json",
    log:
        "<logs>/fetch/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
    params:
        folder=subpath(output[0], parent=True),
        local=lambda wildcards: (
            ["--from", LOCAL_FOLDER[wildcards.dataset]]
            if wildcards.dataset in LOCAL_FOLDER
            else []
        ),
        folders=FOLDERS,
    shell:
        "python -m itdr fetch {wildcards.dataset} --out {params.folder:q} {params.local:q} {params.folders}"
        " > {log:q} 2>&1"
