"""A run as an RO-Crate: report, scores, settings and provenance, and no row of data.

Source: the RO-Crate specification 1.2; the library is rocrate.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from itdr.errors import MissingFileError
from itdr.files.atomic import atomic_folder
from itdr.reporting.run import Run, load_run
from itdr.settings.dataset import DatasetSettings
from itdr.vocabulary import Origin

_FILES = {
    "report/index.html": "The report as a page",
    "report/summary.rst": "Its summary",
    "report/tables/*": "A table of the report",
    "report/figures/*": "A figure of the report",
    "scores/**/*.csv": "Scores of one model and variant",
    "comparisons/*.csv": "Paired tests of a table's columns",
    "audit/audit.md": "The audit of the examples",
    "adapters/*/*/*/run.json": "Settings, checksums and versions of a training",
    "raw/*/manifest.json": "Names and checksums of a dataset's raw files",
    "started.json": "All settings, the machine and the versions",
}
"""What of a run comes along, with what it is. Answers and faults quote examples and stay."""


def write_crate(results: Path, out: Path, sources: dict[str, DatasetSettings]) -> int:
    """Write files of a run and ro-crate-metadata.json into the folder `out`, which is replaced.

    results: the folder of a run. sources: dataset id to where it comes from.

    Returns:
        The number of files beside the metadata.

    Raises:
        MissingFileError: the folder holds no report.
        DataError: a file of the run is not in its form.
    """
    from rocrate.rocrate import ROCrate

    if not (results / "report" / "index.html").is_file():
        raise MissingFileError(f"{results}: no report/index.html. Let 'snakemake' finish first.")
    run = load_run(results)
    crate = ROCrate()
    crate.name = "A run of ITDR-pipeline on simulated data" if run.origins.simulated else (
        "A run of ITDR-pipeline")  # fmt: skip
    crate.description = "Tables, scores, settings and checksums; no row of any dataset is in it."
    crate.datePublished = datetime.now(UTC).date()
    crate.license = "Of the sources, as their pages say"
    files = [crate.add_file(path, dest_path=path.relative_to(results).as_posix(),
                            properties={"description": said, "encodingFormat": _format(path)})
             for path, said in _found(results)]  # fmt: skip
    _add_action(crate, run, files, sources)
    with atomic_folder(out, "export ro-crate") as folder:
        crate.write(folder)
    return len(files)


def _found(results: Path) -> Iterator[tuple[Path, str]]:
    for pattern, said in _FILES.items():
        for path in sorted(results.glob(pattern)):
            if path.is_file() and not path.name.startswith("."):
                yield path, said


def _format(path: Path) -> str:
    known = {".csv": "text/csv", ".html": "text/html", ".json": "application/json",
             ".md": "text/markdown", ".png": "image/png", ".rst": "text/x-rst",
             ".svg": "image/svg+xml", ".tex": "application/x-tex"}  # fmt: skip
    return known.get(path.suffix, "application/octet-stream")


def _add_action(
    crate: Any, run: Run, files: list[Any], sources: dict[str, DatasetSettings]
) -> None:
    """Say what made the files, and from which datasets."""
    from rocrate.model.contextentity import ContextEntity

    made = run.started.get("provenance", {})
    software = {"@type": "SoftwareApplication", "name": "ITDR-pipeline",
                "version": f"{made.get('itdr', 'unknown')}, commit {made.get('commit', 'unknown')}",
                }  # fmt: skip
    instrument = crate.add(ContextEntity(crate, "#itdr-pipeline", properties=software))
    used = []
    for name in sorted(run.raw):
        source = sources.get(name)
        if source and run.raw[name].get("data") == Origin.REAL:
            known = {"@type": "CreativeWork", "name": source.title, "license": source.licence}
            used.append(crate.add(ContextEntity(crate, source.page, properties=known)))
    action = ContextEntity(crate, "#run", properties={"@type": "CreateAction", "name": crate.name})
    crate.add(action)
    action["instrument"], action["object"], action["result"] = instrument, used, files
    crate.root_dataset["mentions"] = action
