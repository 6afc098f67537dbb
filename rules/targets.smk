"""What can be asked for by name: `snakemake main`, `snakemake glm-4-9b/wo-tkr`.

Each target needs what leads to it alone; what two of them share is made once. Targets name adapters
beside what is made with them, because Snakemake makes a deleted file again only if a target names it.
"""

for name in WORKFLOW.layout.tables:

    rule:
        """One table of results."""
        name:
            name.replace("-", "_")
        input:
            table(name),
        message:
            f"rule {{rule}}: the table {name}"


rule dataset_statistics:
    """Table: examples and lengths of every task and dataset; needs no model."""
    input:
        rules.make_statistics.output,


rule aggregates:
    """Table: pUII and pUIU of every column."""
    input:
        rules.make_aggregates.output,


rule figures:
    """All figures."""
    input:
        rules.draw_figures.output,


for column_model, column_variant in WORKFLOW.columns:

    rule:
        """The scores of this column alone."""
        name:
            f"{column_model}/{column_variant}"
        input:
            adapters_of([(column_model, column_variant)]),
            f"<results>/scores/{column_model}/{column_variant}/{EXPERIMENT.seed}.csv",
