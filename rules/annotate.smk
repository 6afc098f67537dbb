"""Answers that a teacher writes, for the tasks whose file has a teacher's prompt (IR, TUI).

Needs: instructions/{task}/{dataset}/examples.parquet; the teacher by rules also tables/{dataset}/.
Makes: instructions/{task}/{dataset}/annotated.parquet. The file of `teacher.cache` keeps all that a
language model answered; it is not declared, so that the workflow never deletes what was paid for.
"""


rule annotate_examples:
    """Let the teacher write the answers of one task and dataset."""
    input:
        rules.normalise_dataset.output.tables,
        examples=rules.build_examples.output,
        quality=rules.normalise_dataset.output.quality,
    output:
        "<results>/instructions/{task}/{dataset}/annotated.parquet",
    log:
        "<logs>/annotate/{task}/{dataset}.log",
    benchmark:
        "<benchmarks>/annotate/{task}/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
    params:
        tables=subpath(input.quality, parent=True),
        flags=FLAGS["annotate"],
        folders=FOLDERS,
    shell:
        "python -m itdr annotate --examples {input.examples:q} --tables {params.tables:q}"
        " --out {output:q} {params.flags} {params.folders} > {log:q} 2>&1"
