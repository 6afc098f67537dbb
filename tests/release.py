"""Files in the shape of the authors' release, made for tests."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

MANIFEST = ROOT / "config" / "papers" / "itdr" / "release_manifest.csv"
TITLES = [f"Film {number} ({1950 + number})" for number in range(60)]


def example(task: str, number: int) -> dict[str, str]:
    """Return an example of a task, in words that are not the authors'."""
    make = {"RP": _rating, "TKR": _ranking, "CDR": _ranking, "NIR": _next, "UAP": _attributes}
    text, output = make.get(task, _text)(number)
    return {"instruction": f"Do {task}.", "input": text, "output": output}


def _rating(number: int) -> tuple[str, str]:
    shown = "\n".join(f"{title} ({number % 5 + 1}.0)" for title in TITLES[:3])
    return f"Rated by user {number}:\n{shown}\nTarget: Film 9 (1959)", f"{number % 5 + 1}.0"


def _ranking(number: int) -> tuple[str, str]:
    titles = [TITLES[(number + 5 * step) % 60] for step in range(10)]
    shown = sorted(titles, key=lambda title: _mark(number, title))
    history = _numbered([f"Old {number} {step}" for step in range(5)])
    return f"Watched:\n{history}\nCandidates:\n{_numbered(shown)}", _numbered(titles)


def _next(number: int) -> tuple[str, str]:
    titles = [TITLES[(number + 7 * step) % 60] for step in range(5)]
    shown = sorted(titles, key=lambda title: _mark(number, title))
    history = _numbered([f"Old {number} {step}:Drama" for step in range(5)])
    return f"Watched:\n{history}\nOne of:\n{_numbered(shown)}", titles[0]


def _attributes(number: int) -> tuple[str, str]:
    values = f"age_group:25-34,gender:{'F' if number % 2 else 'M'},occupation:writer"
    return f"Films that user {number} likes", values


def _text(number: int) -> tuple[str, str]:
    return f"Reviews of {number}", f"Suits everyone who likes number {number}."


def _numbered(titles: list[str]) -> str:
    return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, 1))


def _mark(number: int, title: str) -> str:
    return hashlib.md5(f"{number}{title}".encode()).hexdigest()


def paths_of(task: str, dataset: str) -> dict[str, list[str]]:
    """Return part to the paths in the release."""
    found: dict[str, list[str]] = {}
    with MANIFEST.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["task"], row["dataset"]) == (task, dataset):
                found.setdefault(row["split"], []).append(row["path"])
    return found


def make_release(
    folder: Path, *cells: tuple[str, str], rows: int = 20, **changed: list[Any]
) -> Path:
    """Write the files of some cells with `rows` examples each; PART=[...] gives other rows."""
    for task, dataset in cells:
        number = 0
        for part, paths in paths_of(task, dataset).items():
            for path in paths:
                values = [example(task, number + row) for row in range(rows)]
                number += rows
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(json.dumps(changed.get(part, values), ensure_ascii=False))
    return folder
