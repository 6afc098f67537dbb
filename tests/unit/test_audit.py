"""The audit: clean data pass, and each planted fault is found by the id of its example."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from itdr.cli.main import main
from itdr.demo.rules_teacher import RuleTeacher
from itdr.errors import DataError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.audit.gate import require_clean
from itdr.instructions.audit.run import audit
from itdr.instructions.build import build
from itdr.instructions.record import RECORD
from itdr.instructions.split import split
from itdr.instructions.tasks import load_task
from itdr.settings.audit import AuditSettings, Check
from itdr.settings.experiment import BuildSettings, SplitSettings
from itdr.settings.folders import FOLDERS
from itdr.teacher.annotate import annotate

CELLS = [
    ("RP", "movielens-32m"),
    ("TKR", "movielens-32m"),
    ("NIR", "movielens-32m"),
    ("UAP", "movielens-1m"),
    ("CDR", "amazon-2023"),
    ("IR", "anime-2023"),
    ("TUI", "movielens-32m"),
]
DATASETS = ("movielens-32m", "movielens-1m", "anime-2023", "amazon-2023")
WORDS = [f"{a} {b}" for a in ("Silent", "Golden", "Broken", "Hidden", "Frozen", "Distant")
         for b in ("River", "Harbour", "Mountain", "Garden", "Mirror", "Station", "Island",
                   "Empire", "Forest", "Letter")]  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Return (parts, tables) of 80 users in all tasks, built and split as the pipeline does."""
    from itdr.datasets.tables.schema import SCHEMAS

    root = tmp_path_factory.mktemp("clean")
    for dataset in DATASETS:
        for table, rows in _tables(dataset).items():
            path = root / "tables" / dataset / f"{table}.parquet"
            write_parquet(path, pa.Table.from_pylist(rows, SCHEMAS[table]))
    parts = []
    for task, dataset in CELLS:
        cell = root / task / dataset
        out = cell / "examples.parquet"
        tables = root / "tables" / dataset
        build(load_task(task), dataset, tables, out, BuildSettings(), seed=1)
        if task in ("IR", "TUI"):
            annotate(out, out, RuleTeacher(tables, FOLDERS))
        split(out, cell / "parts", SplitSettings(), 1)
        parts += [cell / "parts" / f"{part}.parquet" for part in ("train", "val", "test")]
    return parts, root / "tables"


def _tables(dataset):
    """Return the rows of the tables: users rate 14 items, in two domains one after the other."""
    domains = ("All_Beauty", "Amazon_Fashion") if dataset == "amazon-2023" else (None, None)
    items = [
        {"item_id": str(n), "title": f"{words} (1990)", "categories": ["Drama"],
         "domain": domains[n % 2], "year": 1990}
        for n, words in enumerate(WORDS)
    ]  # fmt: skip
    chance = random.Random(5)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    interactions = []
    for user in range(80):
        chosen = chance.sample(range(60), 14) if domains[0] is None else [
            *(2 * n for n in chance.sample(range(30), 5)),
            *(2 * n + 1 for n in chance.sample(range(30), 12)),
        ]  # fmt: skip
        interactions += [
            {"user_id": f"u{user}", "item_id": str(item), "domain": domains[item % 2],
             "rating": float(chance.randint(1, 10 if dataset == "anime-2023" else 5)),
             "timestamp": start + timedelta(days=step)}
            for step, item in enumerate(chosen)
        ]  # fmt: skip
    users = [
        {"user_id": f"u{n}", "gender": "female", "age_group": "25-34", "occupation": "writer"}
        for n in range(80)
    ]
    return {"interactions": interactions, "items": items, "users": users}


class Planted:
    """A copy of the clean parts in which examples can be spoilt."""

    def __init__(self, clean, folder):
        sources, self.tables = clean
        self.folder = folder
        self.parts = []
        for path in sources:
            task, dataset = path.parts[-4:-2]
            copy = folder / task / dataset / path.name
            write_parquet(copy, read_parquet(path, RECORD))
            self.parts.append(copy)

    def rows(self, task, part="train"):
        path = next(p for p in self.parts if p.parts[-3] == task and p.stem == part)
        return path, read_parquet(path, RECORD).to_pylist()

    def change(self, task, part="train", row=0, **fields):
        """Change fields of one example and return its id."""
        path, rows = self.rows(task, part)
        rows[row] |= fields
        write_parquet(path, pa.Table.from_pylist(rows, RECORD))
        return rows[row]["id"]

    def add(self, row, task, part):
        path, rows = self.rows(task, part)
        write_parquet(path, pa.Table.from_pylist([*rows, row], RECORD))

    def audit(self, **settings):
        return audit(self.parts, self.folder / "audit", AuditSettings(**settings), folders=FOLDERS,
                     tables=self.tables)  # fmt: skip

    def found(self):
        """Return (check, example id) of every fault."""
        self.audit()
        with (self.folder / "audit" / "faults.csv").open() as file:
            return [(line["check"], line["id"]) for line in csv.DictReader(file)]


@pytest.fixture
def planted(clean, tmp_path):
    return Planted(clean, tmp_path)


def test_what_the_pipeline_builds_is_clean(planted):
    report = planted.audit()
    assert report["clean"]
    assert [check["faults"] for check in report["checks"]] == [0] * len(Check)
    assert not any(check["unchecked"] for check in report["checks"])
    page = (planted.folder / "audit" / "audit.md").read_text()
    assert "**Clean.**" in page


def test_a_user_in_two_parts_is_found(planted):
    _, rows = planted.rows("RP", "train")
    _, others = planted.rows("NIR", "train")
    moved = next(row for row in others if row["user_id"] == rows[0]["user_id"])
    planted.add(moved | {"id": "NIR/movielens-32m/moved", "input": moved["input"] + " "}, "NIR",
                "test")  # fmt: skip
    found = planted.found()
    assert {check for check, _ in found} == {"shared-user"}
    assert {("shared-user", "NIR/movielens-32m/moved"), ("shared-user", rows[0]["id"])} < set(found)


def test_an_item_in_two_parts_is_found_for_tui(planted):
    _, rows = planted.rows("TUI", "train")
    again = rows[0] | {"id": "TUI/again", "input": rows[0]["input"] + " "}
    planted.add(again, "TUI", "val")
    assert set(planted.found()) == {("shared-item", rows[0]["id"]), ("shared-item", "TUI/again")}


def test_a_target_in_its_own_history_is_found(planted):
    _, rows = planted.rows("TKR")
    target = next(i for i in rows[0]["candidates"] if i["item_id"] == rows[0]["targets"][2])
    history = [*rows[0]["history"][:-1], target]
    name = planted.change("TKR", history=history)
    assert planted.found() == [("target-in-history", name)]


def test_a_negative_that_the_user_touched_is_found(planted):
    _, rows = planted.rows("NIR")
    row = rows[0]
    shown = {item["item_id"] for item in row["history"]} | set(row["targets"])
    user = read_parquet(
        planted.tables / "movielens-32m" / "interactions.parquet",
        pa.schema([("user_id", pa.string()), ("item_id", pa.string())]),
    ).to_pylist()
    touched = next(
        i["item_id"] for i in user if i["user_id"] == row["user_id"] and i["item_id"] not in shown
    )
    at = next(n for n, i in enumerate(row["candidates"]) if i["item_id"] not in row["targets"])
    candidates = [dict(item) for item in row["candidates"]]
    candidates[at]["item_id"] = touched
    name = planted.change("NIR", candidates=candidates)
    assert planted.found() == [("interacted-negative", name)]


def test_an_item_that_the_user_never_had_is_found(planted):
    name = planted.change("RP", targets=["no such item"])
    assert planted.found() == [("not-in-tables", name)]


def test_a_duplicate_in_another_part_is_found(planted):
    _, rows = planted.rows("UAP", "train")
    _, others = planted.rows("UAP", "test")
    same = {name: rows[0][name] for name in ("input", "output")}
    name = planted.change("UAP", "test", **same)
    assert others[0]["id"] == name
    assert planted.found() == [("duplicate-example", name)]


def test_an_id_that_stands_twice_is_found(planted):
    _, rows = planted.rows("RP", "train")
    name = planted.change("RP", row=1, id=rows[0]["id"])
    assert planted.found() == [("repeated-id", name)]


@pytest.mark.parametrize(
    ("task", "added"),
    [
        ("RP", " ({output})"),
        ("UAP", "\nThe reader is known: gender: Female"),
        ("NIR", "\nNext: {output}"),
        ("TKR", "\nHint: {first}"),
    ],
)
def test_an_answer_in_the_input_is_found(planted, task, added):
    _, rows = planted.rows(task)
    row = rows[0]
    titles = {i["item_id"]: i["title"] for i in row["candidates"] or []}
    first = titles.get((row["targets"] or [""])[0], "")
    name = planted.change(
        task, input=row["input"] + added.format(output=row["output"], first=first)
    )
    assert planted.found() == [("leaked-answer", name)]


def test_another_edition_of_a_target_in_the_history_is_found(planted):
    _, rows = planted.rows("NIR")
    history = [dict(item) for item in rows[0]["history"]]
    history[0]["title"] = rows[0]["output"].upper()
    name = planted.change("NIR", history=history)
    assert planted.found() == [("leaked-answer", name)]


def test_a_teachers_answer_that_stands_in_the_input_is_found(planted):
    for task in ("IR", "TUI"):
        _, rows = planted.rows(task)
        told = rows[0]["input"] + "\nIn short: " + rows[0]["output"].lower()
        name = planted.change(task, input=told)
        assert ("leaked-answer", name) in planted.found()
        planted.change(task, input=rows[0]["input"])
    assert planted.found() == []


@pytest.mark.parametrize(
    ("task", "fields"),
    [
        ("RP", {"output": " "}),
        ("IR", {"output": ""}),
        ("TUI", {"input": " "}),
        ("RP", {"instruction": ""}),
        ("UAP", {"input": "\n"}),
        ("UAP", {"output": "gender:None, age_group:25-34, occupation:writer"}),
    ],
)
def test_an_empty_field_is_found(planted, task, fields):
    name = planted.change(task, **fields)
    assert planted.found() == [("empty-field", name)]


def test_an_item_without_a_title_is_found(planted):
    _, rows = planted.rows("UAP")
    history = [dict(item) for item in rows[0]["history"]]
    history[1]["title"] = ""
    assert planted.found() == []
    name = planted.change("UAP", history=history)
    assert planted.found() == [("empty-field", name)]


def test_lists_that_always_begin_with_the_true_ones_are_found(planted):
    path, rows = planted.rows("NIR")
    for row in rows:
        true_ids = set(row["targets"])
        row["candidates"].sort(key=lambda item, true_ids=true_ids: item["item_id"] not in true_ids)
    write_parquet(path, pa.Table.from_pylist(rows, RECORD))
    assert planted.found() == [("telling-place", "NIR/movielens-32m")]


def test_lengths_say_what_a_cut_off_would_lose(planted):
    _, rows = planted.rows("RP")
    longest = max(len(row["input"]) for row in rows)

    def characters(record):
        return len(record["input"]), len(record["input"]) + len(record["output"])

    report = audit(
        planted.parts,
        planted.folder / "audit",
        AuditSettings(),
        folders=FOLDERS,
        tables=planted.tables,
        counters={"letters": characters},
        cut_off=longest - 1,
    )
    cell = next(item for item in report["lengths"] if item["task"] == "RP")
    whole = [len(row["input"]) + len(row["output"]) for row in rows]
    beyond = [max(0, length - longest + 1) for length in whole]
    assert cell["train_examples"] == len(rows)
    assert cell["lost_examples"] == sum(over > 0 for over in beyond) > 0
    assert cell["lost_tokens"] == pytest.approx(sum(beyond) / sum(whole))
    assert cell["prompt"]["max"] >= longest
    page = (planted.folder / "audit" / "audit.md").read_text()
    assert f"{cell['lost_examples']} of {len(rows)}" in page


def test_what_could_not_be_checked_is_said(planted):
    report = audit(planted.parts, planted.folder / "audit", AuditSettings(), folders=FOLDERS)
    by_check = {check["check"]: check for check in report["checks"]}
    assert report["clean"]
    assert by_check["interacted-negative"]["unchecked"] == {
        "no tables were given": sum(
            len(planted.rows(task, part)[1])
            for task in ("TKR", "NIR", "CDR")
            for part in ("train", "val", "test")
        )
    }
    assert "not all could be checked" in (planted.folder / "audit" / "audit.md").read_text()


def test_a_tolerated_fault_is_reported_but_does_not_stop_the_build(planted):
    name = planted.change("RP", instruction="")
    assert not planted.audit()["clean"]
    report = planted.audit(tolerate=(Check.EMPTY_FIELD,))
    assert report["clean"]
    assert "tolerated" in (planted.folder / "audit" / "audit.md").read_text()
    assert name in (planted.folder / "audit" / "faults.csv").read_text()


def test_the_command_fails_and_names_the_fault_and_the_example(planted, capsys):
    name = planted.change("RP", output="")
    out = planted.folder / "out"
    command = ["audit", "--parts", *map(str, planted.parts), "--tables", str(planted.tables),
               "--out", str(out)]  # fmt: skip
    assert main(command) == 1
    told = capsys.readouterr().err
    assert "1 empty-field" in told and name in told and "audit.md" in told
    assert not json.loads((out / "audit.json").read_text())["clean"]
    assert main([*command, "--report-only"]) == 0
    assert main([*command, "--tolerate", "empty-field"]) == 0


def test_a_mixture_is_made_of_clean_parts_alone(planted, tmp_path, capsys):
    train = [str(path) for path in planted.parts if path.stem == "train"]
    report = planted.folder / "audit" / "audit.json"
    command = ["mix", "--train", *train, "--audit", str(report), "--out", str(tmp_path / "mix")]
    planted.audit()
    assert main(command) == 0
    planted.change("RP", output="")
    assert main(command) == 1
    assert "did not see this file" in capsys.readouterr().err
    planted.audit()
    assert main(command) == 1
    assert "not clean: 1 empty-field" in capsys.readouterr().err


def test_a_file_that_is_no_part_is_refused(planted, tmp_path):
    other = tmp_path / "examples.parquet"
    write_parquet(other, read_parquet(planted.parts[0], RECORD))
    with pytest.raises(DataError, match="must be called train, val, test"):
        audit([other], tmp_path / "out", AuditSettings(), folders=FOLDERS)
    with pytest.raises(DataError, match="not an object"):
        (tmp_path / "odd.json").write_text("[]")
        require_clean(tmp_path / "odd.json", [other])
