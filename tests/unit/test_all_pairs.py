"""All 33 pairs of the paper, built from the raw files of a small simulated world."""

import re
from datetime import datetime

import pyarrow.parquet as pq
import pytest

from itdr.datasets.normalise import normalise
from itdr.demo.raw_files import write_raw_files
from itdr.demo.rules_teacher import RuleTeacher
from itdr.demo.world import simulate
from itdr.files.checksums import sha256
from itdr.files.formats import read_parquet
from itdr.instructions.audit.run import audit
from itdr.instructions.build import build
from itdr.instructions.record import DRAFT
from itdr.instructions.split import split
from itdr.instructions.tasks import load_task
from itdr.settings.audit import AuditSettings
from itdr.settings.dataset import load_dataset
from itdr.settings.experiment import BuildSettings, SplitSettings, load_experiment
from itdr.settings.folders import FOLDERS, settings_files
from itdr.teacher.annotate import annotate
from tests.conftest import ROOT

PAIRS = load_experiment([ROOT / "config" / "config.yaml"]).pairs


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    world = simulate(5, users=72, items=150, interactions_per_user=30)
    for dataset in settings_files("datasets"):
        write_raw_files(world, dataset, root / "raw" / dataset, 5)
        normalise(load_dataset(dataset), root / "raw" / dataset, root / dataset, threads=2)
    return root


@pytest.fixture(scope="module")
def files(tables, tmp_path_factory):
    """The files of all pairs, built with one thread and with three."""
    root = tmp_path_factory.mktemp("built")
    made = {}
    for threads in (1, 3):
        for pair in PAIRS:
            task, dataset = pair.split("/")
            out = made[threads, pair] = root / str(threads) / f"{task}-{dataset}.parquet"
            settings = BuildSettings(max_examples=40)
            build(load_task(task), dataset, tables / dataset, out, settings, seed=3,
                  threads=threads)  # fmt: skip
    return made


@pytest.fixture(scope="module")
def records(files):
    return {pair: read_parquet(files[1, pair], DRAFT).to_pylist() for pair in PAIRS}


def test_the_number_of_threads_changes_no_byte(files):
    assert len(PAIRS) == 33
    for pair in PAIRS:
        assert sha256(files[1, pair]) == sha256(files[3, pair]), pair


def test_every_pair_has_examples_with_ids_of_their_own(records):
    ids = [record["id"] for pair in PAIRS for record in records[pair]]
    assert len(set(ids)) == len(ids)
    for pair in PAIRS:
        assert 10 <= len(records[pair]) <= 40, pair
        assert all(record["id"].startswith(f"{pair}/") for record in records[pair])


def test_inputs_are_whole_lines_without_gaps_or_words_for_nothing(records):
    nothing = re.compile(r"\b(None|nan|null|undefined)\b|[ \t]$|\n\n|  |^\s|\s\Z|: *\Z", re.M)
    for pair in PAIRS:
        for record in records[pair]:
            found = nothing.search(record["input"])
            assert not found, f"{record['id']}: {found and found[0]!r} in {record['input']}"


def test_places_of_the_true_candidates_are_recorded(records):
    for pair in PAIRS:
        for record in records[pair]:
            if pair.split("/")[0] in ("TKR", "CDR", "NIR"):
                shown = [item["item_id"] for item in record["candidates"]]
                told = [shown[place - 1] for place in record["target_places"]]
                assert told == record["targets"]
            else:
                assert record["candidates"] is record["target_places"] is None


def test_a_teacher_is_asked_for_interests_and_audiences_alone(records):
    for pair in PAIRS:
        taught = pair.split("/")[0] in ("IR", "TUI")
        for record in records[pair]:
            assert (record["output"] is None) is (record["teacher_prompt"] is not None) is taught
            if taught:
                assert record["teacher_prompt"].endswith(record["input"])


def test_cross_domain_examples_show_what_came_before_in_both_domains(tables, records):
    items = {row["item_id"]: row for row in rows(tables, "amazon-2023", "items")}
    times: dict[tuple[str, str], datetime] = {
        (row["user_id"], row["item_id"]): row["timestamp"]
        for row in rows(tables, "amazon-2023", "interactions")
    }
    for record in records["CDR/amazon-2023"]:
        source, target = record["domain"].split("-")
        shown = [item["item_id"] for item in record["history"]]
        assert [items[name]["domain"] for name in shown] == [source] * 5 + [target] * 5
        assert {items[i["item_id"]]["domain"] for i in record["candidates"]} == {target}
        when = [times[record["user_id"], name] for name in [*shown, *record["targets"]]]
        assert when[:5] == sorted(when[:5]) and when[5:] == sorted(when[5:])
        assert max(when[:10]) < when[10]
        for domain in (source, target):
            assert f"{domain.replace('_', ' ')}: products the user bought" in record["input"]


def test_interests_are_told_by_the_newest_liked_and_disliked_items_with_their_reviews(
    tables, records
):
    told = {(row["user_id"], row["item_id"]): row
            for row in rows(tables, "amazon-books", "interactions")}  # fmt: skip
    for record in records["IR/amazon-books"]:
        likes, _, dislikes = record["input"].partition("Books the user dislikes:")
        for item in record["history"]:
            row = told[record["user_id"], item["item_id"]]
            assert row["rating"] != 3
            part = likes if row["rating"] >= 4 else dislikes
            assert f"- {item['title']}: {' '.join(row['review'].split())}" in part


def test_items_are_described_with_up_to_three_of_their_reviews(tables, records):
    reviews: dict[str, set[str]] = {}
    for row in rows(tables, "yelp", "interactions"):
        text = f"- {row['rating']:.0f} of 5 stars: {' '.join(row['review'].split())}"
        reviews.setdefault(row["item_id"], set()).add(text)
    for record in records["TUI/yelp"]:
        assert record["user_id"] is None
        quoted = {line for line in record["input"].splitlines() if line.startswith("- ")}
        theirs = reviews[record["item_id"]]
        # Those of test users are left out, so there may be fewer than an item has.
        assert quoted <= theirs and 1 <= len(quoted) <= 3
    assert any(quoted_three(record) for record in records["TUI/yelp"])


def quoted_three(record):
    return sum(line.startswith("- ") for line in record["input"].splitlines()) == 3


def test_the_audit_finds_no_fault_in_any_pair(tables, files, tmp_path):
    parts = []
    for pair in PAIRS:
        task, dataset = pair.split("/")
        teacher = RuleTeacher(tables / dataset, FOLDERS)
        annotated = tmp_path / f"{task}-{dataset}.parquet"
        annotate(files[1, pair], annotated, teacher)
        split(annotated, tmp_path / task / dataset, SplitSettings(), 3)
        parts += sorted((tmp_path / task / dataset).glob("*.parquet"))
    report = audit(parts, tmp_path / "audit", AuditSettings(), folders=FOLDERS, tables=tables)
    found = [(check["check"], check["first"]) for check in report["checks"] if check["faults"]]
    assert report["clean"], found
    assert not [check["unchecked"] for check in report["checks"] if check["unchecked"]]
    assert len(report["cells"]) == 33


def rows(tables, dataset, name):
    return pq.read_table(tables / dataset / f"{name}.parquet").to_pylist()
