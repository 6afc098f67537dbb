"""What can be asked for by name: `snakemake main`, `snakemake glm-4-9b/wo-tkr`.

Each target needs what leads to it alone; what two of them share is made once. Targets name adapters
beside what is made with them, because Snakemake makes a deleted file again only if a target names it.
"""


def files_of(table):
    """Return the files of a result table."""
    return multiext(f"<results>/report/tables/{table}", *TABLE_FORMS, ".html")


def table(name):
    """Return an input function; it fails where the experiment has no column of the table."""

    def files(wildcards):
        columns = WORKFLOW.table_columns[name]
        if not columns:
            raise WorkflowError(
                f"No column of the configuration belongs to the table {name!r}: add one to "
                f"'columns', with a variant of {', '.join(WORKFLOW.layout.tables[name].variants)}."
            )
        return [*files_of(name), *adapters_of(columns)]

    return files


for name in WORKFLOW.layout.tables:

    rule:
        """One table of results."""
        name:
            name.replace("-", "_")
        input:
            table(name),


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
