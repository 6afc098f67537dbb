"""itdr trace: say which raw lines an example was built from."""

import argparse

from itdr.cli.options import add_configfile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "ids",
        nargs="+",
        metavar="ID",
        help="id of an example, TASK/DATASET/USER, as in predictions and in the file of 'itdr "
        "score --rows'; TASK/DATASET alone lists the ids of the test rows behind that cell of a "
        "table",
    )
    add_configfile(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, one object per example")
    parser.description = (
        "Say which raw file and line everything in an example was built from. The raw files are "
        "read again for it, which takes about as long as 'itdr normalise'; several ids of a "
        "dataset take no longer than one."
    )


def run(args: argparse.Namespace) -> None:
    """Print the raw lines, or the ids of a cell.

    Raises SettingsError, MissingFileError and DataError: no such example, or no raw files.
    """
    import json
    from pathlib import Path

    from itdr.places import project_path
    from itdr.planning.loading import load_workflow
    from itdr.tracing.examples import asked_ids, find_examples, is_cell
    from itdr.tracing.page import as_text
    from itdr.tracing.released import trace_released
    from itdr.tracing.trace import trace_examples

    workflow = load_workflow([project_path("config/config.yaml"), *args.configfile])
    experiment = workflow.experiment
    results = Path(experiment.results)
    for cell in filter(is_cell, args.ids):
        print("\n".join(asked_ids(results, cell, experiment.inference.rows_per_cell)))
    ids = [name for name in dict.fromkeys(args.ids) if not is_cell(name)]
    found = find_examples(results, ids).values()
    if experiment.data == "released":
        traces = [trace_released(one, results) for one in found]
    else:
        traces = trace_examples(
            found, workflow.datasets, results, experiment.normalise.memory_limit_mb
        )
    if args.json:
        for trace in traces:
            print(json.dumps(trace.value, ensure_ascii=False))
    else:
        print(as_text(traces), end="")
