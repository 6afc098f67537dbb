"""Base models of a hub, brought here once before any job that holds a GPU needs them.

Needs: a network, on the machine that Snakemake runs on: these rules are no jobs of a cluster. Models
that lie in a local folder need nothing.
Makes: models/{model}/fetched.json and tokenizer.json, which say where in the cache of Hugging Face
the files lie (HF_HOME; on a cluster a folder that all nodes see).
"""


rule fetch_model:
    """Bring a base model into the cache."""
    output:
        "<results>/models/{model}/fetched.json",
    log:
        "<logs>/fetch-model/{model}.log",
    benchmark:
        "<benchmarks>/fetch-model/{model}.tsv"
    wildcard_constraints:
        model=any_of(WORKFLOW.hub_models),
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
    shell:
        "python -m itdr fetch-model config/models/{wildcards.model}.yaml --out {output:q}"
        " > {log:q} 2>&1"


rule fetch_tokenizer:
    """Bring the tokenizer of a base model into the cache."""
    output:
        "<results>/models/{model}/tokenizer.json",
    log:
        "<logs>/fetch-tokenizer/{model}.log",
    benchmark:
        "<benchmarks>/fetch-tokenizer/{model}.tsv"
    wildcard_constraints:
        model=any_of(WORKFLOW.hub_models),
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    shell:
        "python -m itdr fetch-model config/models/{wildcards.model}.yaml --tokenizer-only"
        " --out {output:q} > {log:q} 2>&1"
