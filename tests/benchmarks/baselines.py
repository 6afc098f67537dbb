"""Baselines on real samples beside the published values: makes docs/explanations/baselines.md.

    PYTHONPATH=src python tests/benchmarks/baselines.py --samples DIR [--work DIR] [--out FILE]

DIR holds pieces of the source datasets in their own formats, a folder each (see SAMPLES); they may
not be redistributed and are no part of the repository. Users are divided into three folds, and each
fold is answered by what learnt from the other two, so that every user counts once. Answers are
kept in --work, so that a second run scores alone. Without samples it says so and ends well.
"""

import argparse
import csv
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa

from itdr.datasets.normalise import normalise
from itdr.datasets.tables.schema import ITEMS
from itdr.evaluation.score import score
from itdr.evaluation.trivial.core import ItemFacts, answer_trivially
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.build import build
from itdr.instructions.protocol import Protocol
from itdr.instructions.record import DRAFT, RECORD
from itdr.instructions.tasks import load_task
from itdr.recommenders.methods import METHODS
from itdr.recommenders.recommend import Sources, recommend
from itdr.settings.dataset import load_dataset
from itdr.settings.experiment import BuildSettings
from itdr.settings.folders import FOLDERS
from itdr.settings.metric import lower_is_better
from itdr.settings.scoring import ScoringSettings

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "config" / "papers" / "itdr" / "results.csv"
RESULTS = Path(__file__).parent / "results" / "baselines.csv"
FOLDS = 3
SEED = 42

SAMPLES = {
    "movielens-32m": ("ml-latest-small", "MovieLens latest small, in place of 32M"),
    "movielens-1m": ("ml-1m", "some of the users, 8% of their ratings missing"),
    "bookcrossing": ("bookcrossing", "some of the users"),
    "mind": ("mind", "some of the impressions"),
    "yelp": ("yelp", "the first reviews, nearly all by users with one"),
    "lastfm-1k": ("lastfm-1k", "all profiles; what was played of one user alone"),
    "lastfm-360k": ("lastfm-360k", "some profiles; what was played of one user alone"),
}
NEEDED = {"lastfm-360k": "usersha1-artmbid-artname-plays"}
"""Files that lie in the sample under a longer name."""


@dataclass(frozen=True)
class CellOfPage:
    """One section: its examples, and how candidates were drawn (None where there are none)."""

    pair: str
    examples: Callable[[Path, "CellOfPage", Path], None]
    negatives: str | None = None
    instead: str = ""  # what stands for answers that no sample has; nothing published is like it

    @property
    def name(self) -> str:
        """The pair, with how negatives were drawn."""
        more = f"{self.negatives} negatives" if self.negatives else self.instead
        return f"{self.pair}, {more}" if more else self.pair

    @property
    def folder(self) -> str:
        """A name for files."""
        return self.name.replace("/", "-").replace(", ", "-").replace(" ", "-")


def built(tables: Path, cell: CellOfPage, out: Path) -> None:
    """Build examples as the workflow does."""
    task, dataset = cell.pair.split("/")
    settings = BuildSettings(negatives=cell.negatives or "uniform")
    build(load_task(task), dataset, tables, out, settings, seed=SEED)


def last_reviews(tables: Path, cell: CellOfPage, out: Path) -> None:
    """Ask for each user's last rating, whatever stands before it."""
    rows = pd.read_parquet(tables / "interactions.parquet")
    rows = rows[rows.rating.notna()]
    examples = []
    for user, life in rows.groupby("user_id", sort=True):
        *shown, last = life.itertuples()
        history = [{"item_id": r.item_id, "title": r.item_id, "rating": r.rating} for r in shown]
        row = record(cell.pair, user, f"{last.rating:g}")
        examples.append(row | {"history": history, "targets": [last.item_id]})
    write_parquet(out, pa.Table.from_pylist(examples, DRAFT))


def profiles(tables: Path, cell: CellOfPage, out: Path) -> None:
    """Ask for the attributes of everybody who gives all, showing nothing."""
    task, dataset = cell.pair.split("/")
    names = list(load_task(task).of(dataset).attributes)
    users = pd.read_parquet(tables / "users.parquet").dropna(subset=names)
    examples = [
        record(cell.pair, user["user_id"], ", ".join(f"{name}:{user[name]:g}"
               if isinstance(user[name], float) else f"{name}:{user[name]}" for name in names))
        for user in users.to_dict("records")
    ]  # fmt: skip
    write_parquet(out, pa.Table.from_pylist(examples, DRAFT))


def first_reviews(tables: Path, cell: CellOfPage, out: Path) -> None:
    """Ask for the first review of each item, showing what is known of the item."""
    rows = pd.read_parquet(tables / "interactions.parquet").dropna(subset=["review"])
    firsts = rows.sort_values(["timestamp", "user_id"]).drop_duplicates("item_id")
    items = {item["item_id"]: item for item in read_parquet(tables / "items.parquet", ITEMS)
             .to_pylist()}  # fmt: skip
    examples = []
    for row in firsts.sort_values("item_id").itertuples():
        item = items[row.item_id]
        known = [item["title"], ", ".join(item["categories"] or []), item["description"] or ""]
        shown = "\n".join(filter(None, known))
        examples.append(record(cell.pair, row.item_id, row.review.strip()) | {"input": shown})
    write_parquet(out, pa.Table.from_pylist(examples, DRAFT))


def record(pair: str, user: str, output: str) -> dict:
    """Return an example that shows nothing."""
    task, dataset = pair.split("/")
    return {"id": f"{pair}/{user}", "task": task, "dataset": dataset, "user_id": user,
            "instruction": "", "input": "", "output": output, "template_version": 1}  # fmt: skip


CELLS = (
    CellOfPage("RP/movielens-32m", built),
    CellOfPage("RP/bookcrossing", built),
    CellOfPage("RP/yelp", last_reviews),
    CellOfPage("TKR/movielens-32m", built, "uniform"),
    CellOfPage("TKR/mind", built, "uniform"),
    CellOfPage("NIR/movielens-32m", built, "uniform"),
    CellOfPage("UAP/movielens-1m", built),
    CellOfPage("UAP/bookcrossing", built),
    CellOfPage("UAP/lastfm-1k", profiles),
    CellOfPage("UAP/lastfm-360k", profiles),
    CellOfPage("TUI/yelp", first_reviews, instead="first reviews in place of a teacher's texts"),
)


UNLIKE = {cell.name for cell in CELLS if cell.instead}


def main() -> None:
    """Make all answers, score them, write the page and the CSV file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("ITDR_REAL_SAMPLES", ROOT.parent / "shared" / "real-samples")
    parser.add_argument(
        "--samples", type=Path, default=Path(default), help="(default: %(default)s)"
    )
    parser.add_argument("--work", type=Path, help="folder for answers (default: none are kept)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "explanations" / "baselines.md")
    args = parser.parse_args()
    if not args.samples.is_dir():
        print(f"no samples in {args.samples}; name their folder with --samples")
        return
    with tempfile.TemporaryDirectory() as name:
        work = args.work or Path(name)
        rows = [row for cell in CELLS for row in measured(args.samples, work, cell)]
        sizes = "\n".join(size(work / "tables", dataset) for dataset in SAMPLES)
    scores = pd.DataFrame(rows)
    scores.to_csv(RESULTS, index=False, float_format="%.4f", lineterminator="\n")
    args.out.write_text(page(scores, sizes))


def measured(samples: Path, work: Path, cell: CellOfPage) -> Iterator[dict]:
    """Yield the scores of every baseline in one cell."""
    task, dataset = cell.pair.split("/")
    tables = tables_of(samples, work, dataset)
    folder = work / cell.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "examples.parquet").exists():
        cell.examples(tables / dataset, cell, folder / "examples.parquet")
    folds(folder, cell)
    for name, answer in methods(task, dataset, tables, shows_nothing=cell.examples is profiles):
        path, taken = folder / f"{name}.parquet", folder / f"{name}.json"
        if not taken.exists():
            started = time.perf_counter()
            answers = [answer(folder / f"{fold}") for fold in range(FOLDS)]
            seconds = time.perf_counter() - started
            write_parquet(path, pa.concat_tables(answers))
            taken.write_text(json.dumps(seconds))
        seconds = json.loads(taken.read_text())
        found = score(path, FOLDERS, ScoringSettings())
        for row in found[found.reading == "strict"].to_dict("records"):
            if not any(form in row["metric"] for form in ("midpoint", "repaired")):
                yield {"cell": cell.name, "method": name, "metric": row["metric"],
                       "value": row["value"], "low": row["ci_low"], "high": row["ci_high"],
                       "n": row["n"], "seconds": seconds}  # fmt: skip
        print(f"{cell.name}: {name}: {seconds:.1f} s", flush=True)


def tables_of(samples: Path, work: Path, dataset: str) -> Path:
    """Normalise a sample; items that it has no title of go by their id."""
    out = work / "tables"
    if not (out / dataset).exists():
        with tempfile.TemporaryDirectory() as name:
            raw = Path(name)
            for file in (samples / SAMPLES[dataset][0]).iterdir():
                if file.is_file():
                    stem = NEEDED.get(dataset, "\n")
                    (raw / (f"{stem}.tsv" if file.name.startswith(stem) else file.name)).symlink_to(
                        file
                    )
            normalise(load_dataset(dataset), raw, out / dataset, threads=2)
        path = out / dataset / "items.parquet"
        items, used = read_parquet(path, ITEMS), out / dataset / "interactions.parquet"
        known = {row["item_id"] for row in items.to_pylist() if row["title"]}
        unnamed = sorted(set(pd.read_parquet(used)["item_id"]) - known)
        rows = [row for row in items.to_pylist() if row["item_id"] in known]
        rows += [{"item_id": item, "title": f"item {item}", "categories": []} for item in unnamed]
        write_parquet(path, pa.Table.from_pylist(rows, ITEMS))
    return out


def folds(folder: Path, cell: CellOfPage) -> None:
    """Divide the examples by user."""
    table = read_parquet(folder / "examples.parquet", DRAFT).cast(RECORD)
    of = [int(md5(f"{SEED}:{user}".encode()).hexdigest(), 16) % FOLDS
          for user in table["user_id"].to_pylist()]  # fmt: skip
    schema = Protocol(negatives=cell.negatives, split="user, three folds").attached(RECORD)
    for fold in range(FOLDS):
        (folder / f"{fold}").mkdir(exist_ok=True)
        for part in ("train", "test"):
            rows = pa.array([(fold == found) == (part == "test") for found in of])
            path = folder / f"{fold}" / f"{part}.parquet"
            write_parquet(path, table.filter(rows).replace_schema_metadata(schema.metadata))


def methods(
    task: str, dataset: str, tables: Path, shows_nothing: bool
) -> Iterator[tuple[str, Callable[[Path], pa.Table]]]:
    """Yield the baselines of a task by name, each as what answers a fold."""
    items = read_parquet(tables / dataset / "items.parquet", ITEMS).to_pylist()
    facts = {
        dataset: {
            item["item_id"]: ItemFacts(item["categories"] or (), item["year"]) for item in items
        }
    }

    def trivial(name: str) -> Callable[[Path], pa.Table]:
        return lambda fold: answer_trivially(
            name,
            *(read_parquet(fold / f"{part}.parquet", RECORD) for part in ("train", "test")),
            folders=FOLDERS,
            seed=SEED,
            items=facts,
        )

    def learnt(name: str) -> Callable[[Path], pa.Table]:
        return lambda fold: recommend(
            name, [fold / "test.parquet"], Sources(tables, [fold / "train.parquet"]),
            folders=FOLDERS, rows_per_cell=10_000, seed=SEED,
        )  # fmt: skip

    settings = load_task(task)
    for name in settings.trivial_answers:
        yield name, trivial(name)
    for name, method in METHODS.items():
        if settings.answer in method.answers and not (method.make is None and shows_nothing):
            yield name, learnt(name)


def published(cell: str) -> dict[str, dict[str, float]]:
    """Return the published values of a pair: metric to MODEL/VARIANT to value."""
    task, dataset = cell.split(",")[0].split("/")
    found: dict[str, dict[str, float]] = {}
    with PUBLISHED.open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["task"], row["dataset"]) == (task, dataset) and row["value"]:
                column = f"{row['model']}/{row['variant']}"
                found.setdefault(row["metric"], {})[column] = float(row["value"])
    return found


def size(tables: Path, dataset: str) -> str:
    """Return a line on a sample."""
    table = pd.read_parquet(tables / dataset / "interactions.parquet")
    users, items = table["user_id"].nunique(), table["item_id"].nunique()
    return f"| `{dataset}` | {SAMPLES[dataset][1]} | {len(table):,} | {users:,} | {items:,} |"


def page(scores: pd.DataFrame, sizes: str) -> str:
    """Return the page."""
    sections = [section(name, rows) for name, rows in scores.groupby("cell", sort=False)]
    return INTRODUCTION.format(samples=sizes) + "".join(sections)


def section(name: str, rows: pd.DataFrame) -> str:
    """Return a cell's table: a line a method, with how many published values it beats."""
    metrics = list(dict.fromkeys(rows["metric"]))
    values = published(name) if name not in UNLIKE else {}
    head = [f"{metric} [95%]{' | beats' if values else ''}" for metric in metrics]
    columns = (2 if values else 1) * len(metrics) + 2
    lines = [f"| | {' | '.join(head)} | seconds |", "|---" * columns + "|"]
    for method, found in rows.groupby("method", sort=False):
        cells = []
        for metric in metrics:
            row = found[found["metric"] == metric].iloc[0]
            cells.append(f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]")
            if values:
                beaten = [column for column, value in values[metric].items()
                          if better(row["value"], value, metric)]  # fmt: skip
                tuned = sum(column.endswith("/itdr") for column in beaten)
                cells.append(f"{len(beaten)} of {len(values[metric])}, {tuned} of 4")
        lines.append(f"| {method} | {' | '.join(cells)} | {found['seconds'].iloc[0]:.1f} |")
    for label, choose in values and (("published, best", best), ("published, median", middle),
                          ("published, best of the four tuned", best_tuned)):  # fmt: skip
        cells = [f"{choose(values[metric], metric):.3f} | " for metric in metrics]
        lines.append(f"| *{label}* | {' | '.join(cells)} | |")
    counts = sorted({int(n) for n in rows["n"]})
    n = f"n = {' or '.join(map(str, counts))}"
    return f"\n## {name}\n\n{n}\n\n" + "\n".join(lines) + "\n"


def better(value: float, other: float, metric: str) -> bool:
    """Say whether a value is the better one."""
    return value < other if lower_is_better(metric) else value > other


def best(values: dict[str, float], metric: str) -> float:
    """Return the best value."""
    return (min if lower_is_better(metric) else max)(values.values())


def best_tuned(values: dict[str, float], metric: str) -> float:
    """Return the best value of the models that were tuned on everything."""
    return best({name: value for name, value in values.items() if name.endswith("/itdr")}, metric)


def middle(values: dict[str, float], metric: str) -> float:
    """Return the median."""
    return median(values.values())


INTRODUCTION = """# Baselines on real data

This page shows what answers without a language model reach on real samples, beside the published
values of ITDR.
`tests/benchmarks/baselines.py --samples DIR` makes this page; the samples may not be redistributed.

**The samples are small.** They are pieces of the source datasets, so values are not those of the
whole, and the published ones come from other users. Read differences of less than the intervals as
none. What can be read: how far a plain rule gets, and which published values lie below it.

| dataset | sample | interactions | users | items |
|---|---|---|---|---|
{samples}

Each user stands in one of three folds, and each fold is answered by what learnt from the other two,
so that all users count. Recommenders see all interactions of other users and the user's own before
the first item asked for; trivial answers see the examples alone (`itdr recommend --help`, `itdr
trivial --help`). "beats" counts the published values that are worse: of all columns of the paper
with this cell, and of its four models tuned on everything. Intervals are over examples, 95%.
Seconds are for all three folds on two cores that others used too, so they are upper bounds. Items
whose title a sample lacks go by their id, which no recommender reads.

Settings of recommenders are the defaults of `src/itdr/recommenders`, chosen on the ratings of
MovieLens 1M, which no cell below ranks or rates.

**What the samples cannot show.** Of Last.FM they hold what one user played, so there is no history
to learn attributes from, nor anything to rank, and majority stands alone. Texts of IR and TUI are a
teacher's, which no sample has. In their place stands, for Yelp, the first review of each place, so
that one sees what BLEU and ROUGE make of the nearest text; the published values are of other texts,
and none is set beside. IR needs users with three reviews of books or games; the samples hold two.

On MIND the trivial popularity is far ahead of that over all interactions: it counts the users' last
ten clicks alone, which are of the same days as the clicks asked for, and whole histories are older.
"""

if __name__ == "__main__":
    main()
