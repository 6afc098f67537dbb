"""A global time split: nothing that is trained on lies after the moment at which testing begins."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itdr.errors import DataError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.audit.run import audit
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import DRAFT
from itdr.instructions.split import split
from itdr.settings.audit import AuditSettings
from itdr.settings.experiment import SplitSettings
from itdr.settings.folders import FOLDERS

START = datetime(2020, 1, 1, tzinfo=UTC)
BY_TIME = SplitSettings(by="time", shares=(0.6, 0.2, 0.2))


def day(number):
    return START + timedelta(days=number)


def draft(name, **columns):
    return {
        "id": name, "task": "RP", "dataset": "movielens-32m", "instruction": "Do.",
        "input": "Given.", "output": "4.0", "template_version": 1,
    } | columns  # fmt: skip


def shown(*items):
    return [{"item_id": item, "title": item, "rating": None} for item in items]


@pytest.fixture
def tables(write_tables):
    """Users 0 to 9 do five things each, the last on day 10, 20, ... 100; user x has no times."""
    interactions = [
        {"user_id": f"u{user}", "item_id": f"i{step}", "timestamp": day(10 * (user + 1) - 4 + step)}
        for user in range(10)
        for step in range(5)
    ]
    interactions += [{"user_id": "x", "item_id": "i0"}]
    items = [(f"i{step}", f"Title {step}", []) for step in range(5)]
    return write_tables(interactions, items, [(f"u{user}",) for user in range(10)])


def parts(tables, tmp_path, rows):
    examples, out = tmp_path / "examples.parquet", tmp_path / "parts"
    write_parquet(examples, pa.Table.from_pylist(rows, DRAFT))
    counts = split(examples, out, BY_TIME, 1, tables)
    return counts, {
        row["id"]: part for part in counts
        for row in read_parquet(out / f"{part}.parquet", DRAFT).to_pylist()
    }  # fmt: skip


def test_parts_follow_each_other_in_time(tables, tmp_path):
    rows = [
        draft(f"u{user}", user_id=f"u{user}", history=shown("i2", "i3"), targets=["i4"])
        for user in range(10)
    ]
    # The six first users have ended by day 60, the eight first by day 80: there val and test begin.
    counts, found = parts(tables, tmp_path, rows)
    assert counts == {"train": 5, "val": 2, "test": 3}
    assert [found[f"u{user}"] for user in range(10)] == (["train"] * 5 + ["val"] * 2 + ["test"] * 3)
    protocol = read_protocol(tmp_path / "parts" / "test.parquet")
    assert protocol.test_begins == day(80)
    assert str(protocol) == "split: time, test from 2020-03-21 00:00:00"


def test_the_newest_thing_shown_counts_where_nothing_is_asked_for(tables, tmp_path):
    rows = [
        draft("liked", user_id="u7", history=shown("i0", "i3")),  # the day before testing begins
        draft("newer", user_id="u7", history=shown("i0", "i4")),
        draft("item", item_id="i4"),  # first seen on day 10
    ]
    assert parts(tables, tmp_path, rows)[1] == {"liked": "val", "newer": "test", "item": "train"}


def test_the_audit_holds_the_parts_against_time_instead_of_users(tables, tmp_path):
    rows = [
        draft(f"u{user}/{step}", user_id=f"u{user}", history=shown("i2"), targets=[f"i{step}"])
        for user in range(10)
        for step in (3, 4)
    ]
    counts, found = parts(tables, tmp_path, rows)
    assert {found[name] for name in ("u7/3", "u7/4")} == {"val", "test"}, "a user in two parts"
    folder = tmp_path / "all" / "movielens-32m"
    folder.parent.mkdir()
    tables.rename(folder)
    paths = [tmp_path / "parts" / f"{part}.parquet" for part in counts]

    def faults():
        report = audit(
            paths, tmp_path / "audit", AuditSettings(), folders=FOLDERS, tables=folder.parent
        )
        return {check["check"]: [fault["id"] for fault in check["first"]]
                for check in report["checks"] if check["faults"]}  # fmt: skip

    assert "later-than-tested" not in (clean := faults()) and "shared-user" not in clean
    # An example of the test part is put among the training ones.
    train, _, test = (pq.read_table(path) for path in paths)
    stray = test.slice(0, 1)
    write_parquet(paths[0], pa.concat_tables([train, stray]))
    write_parquet(paths[2], test.slice(1))
    assert faults()["later-than-tested"] == stray["id"].to_pylist()


def test_what_has_no_time_is_refused(tables, tmp_path):
    rows = [draft("late", user_id="x", history=shown("i0"))]
    with pytest.raises(DataError, match=r"an interaction of example late has no time.*split.by"):
        parts(tables, tmp_path, rows)
    with pytest.raises(DataError, match="needs the dataset's tables"):
        split(tmp_path / "examples.parquet", tmp_path / "parts", BY_TIME, 1)
