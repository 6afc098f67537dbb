"""The audit of all examples.

Needs: the parts of all cells and the tables that they were drawn from; released examples have none.
Makes: audit/audit.json, audit.md to read, and faults.csv. Faults stop the workflow at the mixture,
not here, so that the report is there to be read.
"""


rule audit_examples:
    """Look for faults in the examples of all cells."""
    input:
        parts=[path for paths in PARTS.values() for path in paths],
        tables=[
            f"<results>/tables/{dataset}/quality.json" for dataset in WORKFLOW.tables
        ],
        tokenizers=brought("tokenizer", WORKFLOW.trained_models),
    output:
        report="<results>/audit/audit.json",
        page="<results>/audit/audit.md",
        faults="<results>/audit/faults.csv",
    log:
        "<logs>/audit.log",
    benchmark:
        "<benchmarks>/audit.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        out=subpath(output.report, parent=True),
        tables=["--tables", f"{EXPERIMENT.results}/tables"] if WORKFLOW.tables else [],
        models=[f"config/models/{model}.yaml" for model in WORKFLOW.trained_models],
        max_length=EXPERIMENT.training.max_length,
        flags=FLAGS["audit"],
        folders=FOLDERS,
    message:
        "rule {rule}: look for faults in the examples of all cells"
    shell:
        "HF_HUB_OFFLINE=1 python -m itdr audit --parts {input.parts:q} {params.tables:q} --models {params.models:q}"
        " --max-length {params.max_length} --out {params.out:q} --threads {threads} --report-only"
        " {params.flags} {params.folders} > {log:q} 2>&1"
