"""The LoRA adapter of a model and a variant: trained here, or one that the authors have published.

Needs: mixtures/{variant}/{seed}/train.parquet, the base model, which is brought here before, and the
adapter of the variant that this one starts from, if it does; the val parts, if it is validated. Of a
released adapter `released_adapters.folder`, or a network on the machine that Snakemake runs on.
Makes: adapters/{model}/{variant}/{seed}/. Checkpoints lie beside it in {seed}.checkpoints, which is
not declared, so that an interrupted training can go on.
"""


rule train_adapter:
    """Fine-tune a LoRA adapter."""
    input:
        mixture=rules.mix_examples.output,
        start_from=start_from,
        val=validated_with,
        model=lambda wildcards: brought("fetched", [wildcards.model]),
    output:
        directory("<results>/adapters/{model}/{variant}/{seed}"),
    log:
        "<logs>/train/{model}/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/train/{model}/{variant}/{seed}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.trained_variants),
    conda:
        "../envs/train.yaml"
    container:
        str(project_path("envs/train.sif"))
    threads: 8
    resources:
        gpu=lambda wildcards: WORKFLOW.models[wildcards.model].training_gpus,
        gpu_model=lambda wildcards: WORKFLOW.models[wildcards.model].gpu_model,
        mem_mb=lambda wildcards, attempt: WORKFLOW.training_memory_mb(
            wildcards.model, wildcards.variant
        )
        * attempt,
        runtime=growing(1440),
        nodes=1,  # the processes of a training share a machine
    params:
        flags=lambda wildcards: WORKFLOW.training_flags(wildcards.variant),
        start_from=lambda wildcards, input: (
            ["--start-from", input.start_from] if input.start_from else []
        ),
        val=lambda wildcards, input: ["--val", *input.val] if input.val else [],
        description=lambda wildcards: (
            ""
            if WORKFLOW.variants[wildcards.variant].description
            else "--no-description"
        ),
        folders=FOLDERS,
        weights=lookup(dpath="{model}", within=WORKFLOW.weights),
    shell:
        "HF_HUB_OFFLINE=1 python -m itdr train --model config/models/{wildcards.model}.yaml"
        " --mixture {input.mixture:q} --out {output:q} {params.start_from:q} {params.val:q} {params.description}"
        " --seed {wildcards.seed} {params.flags} {params.folders} > {log:q} 2>&1"


rule import_adapter:
    """Bring a released LoRA adapter here and check it."""
    input:
        model=lambda wildcards: brought("fetched", [wildcards.model]),
    output:
        directory("<results>/adapters/{model}/{variant}/{seed}"),
    log:
        "<logs>/import-adapter/{model}/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/import-adapter/{model}/{variant}/{seed}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.released_variants),
    localrule: True
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        flags=lambda wildcards: WORKFLOW.adapter_flags(
            wildcards.model, wildcards.variant
        ),
        weights=lookup(dpath="{model}", within=WORKFLOW.weights),
    shell:
        "HF_HUB_OFFLINE=1 python -m itdr import-adapter --model config/models/{wildcards.model}.yaml"
        " {params.flags:q} --out {output:q} > {log:q} 2>&1"
