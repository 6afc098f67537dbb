"""Tables and figures, ours beside a paper's published values where the experiment names a paper.

Needs: the scores and the comparisons of a table's columns and of the trivial answers; the audit; the adapters' losses.
Makes: report/tables/{table}.*, report/figures/ and report/index.html.
"""

PAPER = WORKFLOW.paper.files
AUDIT = "<results>/audit/audit.json"


rule make_table:
    """Make one result table in all forms."""
    input:
        scores=lambda wildcards: scores_of(WORKFLOW.table_columns[wildcards.table]),
        comparisons="<results>/comparisons/{table}.csv",
        paper=PAPER,
    output:
        multiext("<results>/report/tables/{table}", *TABLE_FORMS),
        report(
            "<results>/report/tables/{table}.html",
            caption="../workflow/report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "<logs>/report/{table}.log",
    benchmark:
        "<benchmarks>/report/{table}.tsv"
    wildcard_constraints:
        table=any_of(WORKFLOW.table_columns),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], ancestor=2),
        paper=WORKFLOW.paper_flags,
        folders=FOLDERS,
    message:
        "rule {rule}: make the table {wildcards.table}; log: {log}"
    shell:
        "python -m itdr report --scores {input.scores:q} --comparisons {input.comparisons:q}"
        " --make {wildcards.table} --out {params.out:q} {params.paper:q} {params.folders}"
        " > {log:q} 2>&1"


rule make_aggregates:
    """Make the table of pUII and pUIU."""
    input:
        scores=scores_of(WORKFLOW.columns),
        paper=PAPER,
    output:
        multiext("<results>/report/tables/aggregates", ".csv", ".md", ".tex"),
        report(
            "<results>/report/tables/aggregates.html",
            caption="../workflow/report/aggregates.rst",
            category="Tables",
            labels={"table": "aggregates"},
        ),
    log:
        "<logs>/report/aggregates.log",
    benchmark:
        "<benchmarks>/report/aggregates.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], ancestor=2),
        paper=WORKFLOW.paper_flags,
        folders=FOLDERS,
    message:
        "rule {rule}: make the table aggregates; log: {log}"
    shell:
        "python -m itdr report --scores {input.scores:q} --make aggregates --out {params.out:q}"
        " {params.paper:q} {params.folders} > {log:q} 2>&1"


rule make_statistics:
    """Make the table of the dataset's statistics."""
    input:
        paper=PAPER,
        audit=AUDIT,
    output:
        multiext("<results>/report/tables/dataset-statistics", ".csv", ".md", ".tex"),
        report(
            "<results>/report/tables/dataset-statistics.html",
            caption="../workflow/report/statistics.rst",
            category="Tables",
            labels={"table": "dataset-statistics"},
        ),
    log:
        "<logs>/report/dataset-statistics.log",
    benchmark:
        "<benchmarks>/report/dataset-statistics.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], ancestor=2),
        paper=WORKFLOW.paper_flags,
        results=subpath(output[0], ancestor=3),
        folders=FOLDERS,
    shell:
        "python -m itdr report --results {params.results:q} --make dataset-statistics"
        " --out {params.out:q} {params.paper:q} {params.folders} > {log:q} 2>&1"


rule draw_figures:
    """Draw all figures."""
    input:
        scores=scores_of(WORKFLOW.columns),
        adapters=adapters_of(WORKFLOW.columns),
        paper=PAPER,
        audit=AUDIT,
    output:
        report(
            directory("<results>/report/figures"),
            patterns=["{figure}.svg"],
            caption="../workflow/report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "<logs>/report/figures.log",
    benchmark:
        "<benchmarks>/report/figures.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], parent=True),
        paper=WORKFLOW.paper_flags,
        results=subpath(output[0], ancestor=2),
        folders=FOLDERS,
    message:
        "rule {rule}: draw all figures; log: {log}"
    shell:
        "python -m itdr report --scores {input.scores:q} --results {params.results:q} --make figures"
        " --out {params.out:q} {params.paper:q} {params.folders} > {log:q} 2>&1"


rule make_page:
    """Put tables, figures, audit and how it was made into one page."""
    input:
        scores=scores_of(WORKFLOW.columns),
        comparisons=comparisons(),
        figures=rules.draw_figures.output,
        paper=PAPER,
        audit=AUDIT,
    output:
        report(
            "<results>/report/index.html",
            caption="../workflow/report/page.rst",
            category="Page",
        ),
        summary="<results>/report/summary.rst",
    log:
        "<logs>/report/page.log",
    benchmark:
        "<benchmarks>/report/page.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        out=subpath(output[0], parent=True),
        paper=WORKFLOW.paper_flags,
        results=subpath(output[0], ancestor=2),
        folders=FOLDERS,
    message:
        "rule {rule}: put tables, figures, audit and how it was made into one page; log: {log}"
    shell:
        "python -m itdr report --scores {input.scores:q} --comparisons {input.comparisons:q}"
        " --results {params.results:q} --make page --out {params.out:q} {params.paper:q} {params.folders}"
        " > {log:q} 2>&1"


rule so_far:
    """Report on what is there already, into report-so-far/, with the missing cells named."""
    output:
        touch(temp("<results>/report-so-far/.made")),
    log:
        "<logs>/report/so-far.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        scores=[workflow.pathvars.apply(path) for path in scores_of(WORKFLOW.columns)],
        comparisons=[workflow.pathvars.apply(path) for path in comparisons()],
        out=subpath(output[0], parent=True),
        paper=WORKFLOW.paper_flags,
        results=subpath(output[0], ancestor=2),
        folders=FOLDERS,
    shell:
        "python -m itdr report --incomplete --scores {params.scores:q} --results {params.results:q}"
        " --comparisons {params.comparisons:q} --out {params.out:q} {params.paper:q} {params.folders}"
        " > {log:q} 2>&1"
