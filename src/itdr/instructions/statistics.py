"""How many examples there are and how long they are, as the paper counts, beside the paper's."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from itdr.errors import DataError
from itdr.files.atomic import atomic_file
from itdr.files.formats import read_parquet, write_text
from itdr.instructions.record import DRAFT
from itdr.rendering.plain import in_csv, in_markdown
from itdr.settings.reading import read_csv

CountTokens = Callable[[Sequence[str]], Sequence[int]]
"""Returns the number of tokens of each text."""

PAPER = "paper"
_BATCH = 1_000  # texts


@dataclass(frozen=True)
class CellStatistics:
    """The examples of one task and dataset.

    Attributes:
        task, dataset: which.
        source: whose examples, "paper" for the published values.
        tokenizer: what counted the tokens.
        examples: how many.
        mean_input_tokens, mean_output_tokens: mean tokens of `input` and of `output`; None where
            there is no output yet.
    """

    task: str
    dataset: str
    source: str
    tokenizer: str
    examples: int
    mean_input_tokens: float
    mean_output_tokens: float | None


def cell_statistics(
    sources: Mapping[str, Sequence[Path]], count: CountTokens, tokenizer: str
) -> list[CellStatistics]:
    """Return the statistics of the cells of each source, a name with its files of examples.

    The files are those of 'itdr build', 'itdr annotate' or 'itdr split'; those of one cell are
    counted together.

    Raises:
        MissingFileError, DataError: a file is not there or not in the form of DRAFT.
    """
    found = []
    for source, files in sources.items():
        texts: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
        for path in files:
            table = read_parquet(path, DRAFT)
            columns = [table[name].to_pylist() for name in ("task", "dataset", "input", "output")]
            inputs, outputs = _counted(columns[2], count), _counted(columns[3], count)
            for task, dataset, *lengths in zip(*columns[:2], inputs, outputs, strict=True):
                texts.setdefault((task, dataset), []).append((lengths[0] or 0, lengths[1]))
        for (task, dataset), lengths_of in texts.items():
            answers = [answer for _, answer in lengths_of if answer is not None]
            found.append(
                CellStatistics(
                    *(task, dataset, source, tokenizer, len(lengths_of)),
                    sum(asked for asked, _ in lengths_of) / len(lengths_of),
                    sum(answers) / len(answers) if answers else None,
                )
            )
    return found


def published(path: Path) -> list[CellStatistics]:
    """Return the paper's values from a statistics.csv.

    Raises:
        DataError: the file is not in its form.
    """
    try:
        return [
            CellStatistics(
                *(row["task"], row["dataset"], PAPER, "DeepSeek-V3"),
                int(row["examples"]),
                float(row["mean_input_tokens"]),
                float(row["mean_output_tokens"]),
            )
            for _, row in read_csv(path)[1]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a table of published statistics ({error}).") from error


def write(cells: Sequence[CellStatistics], out: Path) -> None:
    """Write statistics.csv, a row per cell and source, and statistics.md, the sources in columns.

    Rows are in the order of the published cells, the others behind them; columns in that given.
    """
    published_first = sorted(cells, key=lambda cell: cell.source != PAPER)
    places = list(dict.fromkeys((cell.task, cell.dataset) for cell in published_first))
    ranked = sorted(cells, key=lambda cell: places.index((cell.task, cell.dataset)))
    with (
        atomic_file(out / "statistics.csv") as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(CellStatistics))
        for cell in ranked:
            writer.writerow(map(_field, asdict(cell).values()))
    write_text(out / "statistics.md", _page(ranked, list(dict.fromkeys(c.source for c in cells))))


def _counted(texts: Sequence[str | None], count: CountTokens) -> list[int | None]:
    """Return the tokens of each text, None for None."""
    given = [text for text in texts if text is not None]
    lengths = iter(
        length
        for start in range(0, len(given), _BATCH)
        for length in count(given[start : start + _BATCH])
    )
    return [None if text is None else next(lengths) for text in texts]


def _field(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.2f}"
    return in_csv(value) if isinstance(value, str) else value


def _page(cells: Sequence[CellStatistics], sources: Sequence[str]) -> str:
    by_place: dict[tuple[str, str], dict[str, CellStatistics]] = {}
    for cell in cells:
        by_place.setdefault((cell.task, cell.dataset), {})[cell.source] = cell
    heads = ["Task", "Dataset"]
    for what in ("examples", "input tokens", "output tokens"):
        heads += [f"{what}: {in_markdown(source)}" for source in sources]
    lines = ["| " + " | ".join(heads) + " |"]
    lines.append("| --- | --- |" + " ---: |" * (len(heads) - 2))
    for (task, dataset), found in by_place.items():
        rows = [found.get(source) for source in sources]
        words: list[str] = [task, dataset]
        words += [f"{row.examples:,}" if row else "" for row in rows]
        words += [f"{row.mean_input_tokens:.1f}" if row else "" for row in rows]
        words += [
            "" if row is None or row.mean_output_tokens is None else f"{row.mean_output_tokens:.1f}"
            for row in rows
        ]
        lines.append("| " + " | ".join(words) + " |")
    counted = {cell.source: cell.tokenizer for cell in cells}
    whose = "; ".join(in_markdown(f"{source}: {counted[source]}") for source in sources)
    return "\n".join(lines) + (
        f"\n\nMean tokens of `input` and of `output`, without the task description and without a "
        f"chat template. Tokenizers: {whose}.\n"
    )
