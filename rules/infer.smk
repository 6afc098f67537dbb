"""Answers to the test rows of all cells.

Needs: the test parts, the base model, and for every variant but base its adapter; the trivial
answers also need the training parts.
Makes: predictions/{model}/{variant}/{seed}.parquet; of one cell
predictions/{model}/{variant}/{task}/{dataset}/{seed}.parquet. Until it is complete the answers so far
lie beside it in {seed}.answers, which is not declared, so that an interrupted run can go on.
"""


rule infer_model:
    """Let a model answer the test rows."""
    input:
        test=PARTS["test"],
        adapter=adapter,
        model=lambda wildcards: brought("fetched", [wildcards.model]),
    output:
        "<results>/predictions/{model}/{variant}/{seed}.parquet",
    log:
        "<logs>/infer/{model}/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/infer/{model}/{variant}/{seed}.tsv"
    wildcard_constraints:
        model=any_of(WORKFLOW.local_models),
    conda:
        "../envs/vllm.yaml"
    container:
        str(project_path("envs/vllm.sif"))
    threads: 8
    resources:
        gpu=lambda wildcards: WORKFLOW.models[wildcards.model].inference_gpus,
        gpu_model=lambda wildcards: WORKFLOW.models[wildcards.model].gpu_model,
        mem_mb=growing_with_model,
        runtime=growing(360),
        nodes=1,
    params:
        flags=FLAGS["infer"],
        adapter=lambda wildcards, input: (
            ["--adapter", *input.adapter] if input.adapter else []
        ),
        weights=lookup(dpath="{model}", within=WORKFLOW.weights),
        description=lambda wildcards: (
            ""
            if WORKFLOW.variants[wildcards.variant].description
            else "--no-description"
        ),
        folders=FOLDERS,
    message:
        "rule {rule}: ask {wildcards.model}/{wildcards.variant} the test rows of all cells"
        "; log: {log}; resources: gpu={resources.gpu}, gpu_model={resources.gpu_model}, nodes={resources.nodes}, mem_mb={resources.mem_mb}, runtime={resources.runtime}"
    shell:
        "HF_HUB_OFFLINE=1 python -m itdr infer --model config/models/{wildcards.model}.yaml"
        " {params.adapter:q}"
        " {params.description} --test {input.test:q} --out {output:q} {params.flags} {params.folders} > {log:q} 2>&1"


use rule infer_model as ask_endpoint with:
    wildcard_constraints:
        model=any_of(WORKFLOW.models.keys() - set(WORKFLOW.local_models)),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing_with_model,
        runtime=growing(720),
    message:
        "rule {rule}: ask {wildcards.model}/{wildcards.variant} the test rows of all cells; log: {log}"


use rule infer_model as infer_cell with:
    """Let a model answer the test rows of one task and dataset alone."""
    input:
        test="<results>/instructions/{task}/{dataset}/parts/test.parquet",
        adapter=rules.infer_model.input.adapter,
        model=lambda wildcards: brought("fetched", [wildcards.model]),
    output:
        "<results>/predictions/{model}/{variant}/{task}/{dataset}/{seed}.parquet",
    log:
        "<logs>/infer-cell/{model}/{variant}/{task}/{dataset}/{seed}.log",
    benchmark:
        "<benchmarks>/infer-cell/{model}/{variant}/{task}/{dataset}/{seed}.tsv"
    wildcard_constraints:
        model=any_of(WORKFLOW.models),
    message:
        "rule {rule}: ask {wildcards.model}/{wildcards.variant} the test rows of {wildcards.task}/{wildcards.dataset}"
        "; log: {log}; resources: gpu={resources.gpu}, gpu_model={resources.gpu_model}, nodes={resources.nodes}, mem_mb={resources.mem_mb}, runtime={resources.runtime}"


rule answer_trivially:
    """Answer the test rows without a model."""
    input:
        train=PARTS["train"],
        test=PARTS["test"],
        known_items=branch(
            lambda wildcards: wildcards.variant in WORKFLOW.needs_items,
            then=collect(
                "<results>/tables/{dataset}/items.parquet", dataset=WORKFLOW.tables
            ),
            otherwise=[],
        ),
    output:
        "<results>/predictions/trivial/{variant}/{seed}.parquet",
    log:
        "<logs>/infer/trivial/{variant}/{seed}.log",
    benchmark:
        "<benchmarks>/infer/trivial/{variant}/{seed}.tsv"
    wildcard_constraints:
        variant=any_of(WORKFLOW.trivial_answers),
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        rows=EXPERIMENT.inference.rows_per_cell,
        folders=FOLDERS,
    message:
        "rule {rule}: answer the test rows of all cells by {wildcards.variant}; log: {log}"
    shell:
        "python -m itdr trivial {wildcards.variant} --train {input.train:q} --test {input.test:q}"
        " --items {input.known_items:q} --out {output:q} --rows-per-cell {params.rows}"
        " --seed {wildcards.seed} {params.folders} > {log:q} 2>&1"
