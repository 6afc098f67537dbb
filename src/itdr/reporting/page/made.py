"""How a run's results were made: versions, trainings, times and checksums."""

from collections.abc import Iterable, Sequence

from itdr.provenance import provenance
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet, TableCell

_PACKAGES = ("duckdb", "matplotlib", "numpy", "pandas", "peft", "pyarrow", "rouge-score",
             "sacrebleu", "snakemake", "torch", "transformers")  # fmt: skip


def made_sheets(run: Run) -> list[Sheet]:
    """Return tables of versions and trainings."""
    return [
        _sheet("versions", "Versions at the time of this report", ("What", "Version"),
               ([TableCell(name), TableCell(value)]
                for name, value in provenance(_PACKAGES).items())),
        _sheet("trainings", "Trainings",
               ("Model", "Variant", "Seed", "Examples", "Too long", "Steps", "First loss",
                "Final loss", "Commit"), _trainings(run)),
    ]  # fmt: skip


def folded_sheets(run: Run) -> list[Sheet]:
    """Return tables of times and checksums."""
    return [
        _sheet("times", "Times of all jobs", ("Job", "Seconds"),
               ([TableCell(job), _number(round(seconds, 1))]
                for job, seconds in run.seconds.items())),
        _sheet("mixtures", "Checksums of what was trained on", ("Model", "Variant", "SHA-256"),
               ([TableCell(model), TableCell(variant),
                 TableCell(str(training.run.get("mixture_sha256", "")))]
                for (model, variant), training in run.trainings.items())),
        _sheet("parts", "Checksums of the parts of the dataset", ("File", "SHA-256"),
               ([TableCell(part["file"]), TableCell(part["sha256"])]
                for part in run.audit.get("parts", ()))),
        _sheet("raw", "Checksums of the raw files", ("Dataset", "File", "Bytes", "SHA-256"),
               _raw(run)),
    ]  # fmt: skip


def _trainings(run: Run) -> Iterable[Sequence[TableCell]]:
    for (model, variant), training in run.trainings.items():
        facts = training.run
        yield [
            TableCell(model), TableCell(variant), TableCell(str(facts.get("seed", ""))),
            _number(facts.get("examples")),
            _number(sum((facts.get("dropped") or {}).values())),
            _number(facts.get("steps")), _number(facts.get("first_loss")),
            _number(facts.get("final_loss")),
            TableCell(str(facts.get("provenance", {}).get("commit", ""))),
        ]  # fmt: skip


def _raw(run: Run) -> Iterable[Sequence[TableCell]]:
    for dataset, manifest in run.raw.items():
        for file in manifest.get("files", ()):
            yield [TableCell(dataset), TableCell(str(file.get("name", ""))),
                   _number(file.get("bytes")),
                   TableCell(str(file.get("sha256", "")))]  # fmt: skip


def _number(value: float | None) -> TableCell:
    if value is None:
        return TableCell("")
    form = "," if isinstance(value, int) else ",.4g" if value < 100 else ",.1f"
    return TableCell(f"{value:{form}}", sort=float(value))


def _sheet(
    name: str, title: str, heads: Sequence[str], rows: Iterable[Sequence[TableCell]]
) -> Sheet:
    return Sheet(name, title, tuple(("", head) for head in heads),
                 tuple(tuple(row) for row in rows), ())  # fmt: skip
