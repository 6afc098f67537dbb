"""The examples in the forms that other tools read: `snakemake export`.

Needs: the parts of all cells and a clean audit.
Makes: exports/llama-factory/ and exports/hugging-face/.
"""


rule export_llama_factory:
    """Write alpaca JSON and dataset_info.json: the training mixture, and the other parts."""
    input:
        train=f"<results>/mixtures/itdr/{EXPERIMENT.seed}/train.parquet",
        others=PARTS["val"] + PARTS["test"],
    output:
        directory("<results>/exports/llama-factory"),
    log:
        "<logs>/export/llama-factory.log",
    benchmark:
        "<benchmarks>/export/llama-factory.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    message:
        "rule {rule}: export the examples of all cells for LLaMA-Factory"
    shell:
        "python -m itdr export llama-factory --parts {input.train:q} {input.others:q} --out {output:q}"
        " > {log:q} 2>&1"


rule export_hugging_face:
    """Write Parquet files and a dataset card."""
    input:
        parts=[path for paths in PARTS.values() for path in paths],
        audit="<results>/audit/audit.json",
    output:
        directory("<results>/exports/hugging-face"),
    log:
        "<logs>/export/hugging-face.log",
    benchmark:
        "<benchmarks>/export/hugging-face.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        folders=FOLDERS,
    message:
        "rule {rule}: export the examples of all cells for Hugging Face"
    shell:
        "python -m itdr export hugging-face --parts {input.parts:q} --audit {input.audit:q}"
        " --out {output:q} {params.folders} > {log:q} 2>&1"


rule export:
    """All exports."""
    input:
        rules.export_llama_factory.output,
        rules.export_hugging_face.output,
    message:
        "rule {rule}: both exports"
