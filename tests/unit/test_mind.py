"""MIND: clicks out of histories and impressions, and news whose titles hold quotes."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.datasets.adapters.mind import _BEHAVIORS, _NEWS
from itdr.datasets.readers.fields import BadCellError
from itdr.datasets.readers.times import Time, TimeOfUsa
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised

ENTITY = '[{"Label": "NASCAR", "Type": "U"}, {"Label": "Sunday, Bloody", "Type": "U"}]'
NEWS = f"N1\tsports\tracing\tRyan: Dega\tA plot.\thttps://x\t{ENTITY}\t[]\n"


def _behaviors(*rows: tuple[str, str, str, str]) -> str:
    return "".join(f"{n}\t" + "\t".join(row) + "\n" for n, row in enumerate(rows, 1))


def _clicks(tmp_path, *rows, news=NEWS):
    return normalised(tmp_path, "mind", {"behaviors.tsv": _behaviors(*rows), "news.tsv": news})


def _steps(out) -> list[tuple]:
    return [(r["user_id"], r["item_id"], r["position"], r["timestamp"]) for r in out.interactions]


def test_history_comes_first_then_clicked_impressions_in_time(tmp_path):
    """Unclicked news are no interactions; the rows of the file are in no order."""
    out = _clicks(
        tmp_path,
        ("U7", "11/13/2019 12:00:00 AM", "N9 N30 N4", "N50-0 N51-1"),
        ("U7", "11/12/2019 2:14:46 PM", "N9 N30 N4", "N52-1 N53-0 N54-0"),
    )
    assert _steps(out) == [
        ("U7", "N9", 0, None),
        ("U7", "N30", 1, None),
        ("U7", "N4", 2, None),
        ("U7", "N52", None, datetime(2019, 11, 12, 14, 14, 46, tzinfo=UTC)),
        ("U7", "N51", None, datetime(2019, 11, 13, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("written", "hour"),
    [("12:05:09 AM", 0), ("1:05:09 AM", 1), ("12:05:09 PM", 12), ("11:05:09 PM", 23)],
)
def test_times_of_the_usa_have_twelve_hours(tmp_path, written, hour):
    out = _clicks(tmp_path, ("U7", f"1/2/2019 {written}", "", "N1-1"))
    assert out.interactions[0]["timestamp"] == datetime(2019, 1, 2, hour, 5, 9, tzinfo=UTC)


def test_an_empty_history_is_fine(tmp_path):
    out = _clicks(tmp_path, ("U7", "11/12/2019 2:14:46 PM", "", "N5-1 N6-0"))
    assert [step[1] for step in _steps(out)] == ["N5"]


def test_of_several_clicks_on_the_same_news_the_first_counts(tmp_path):
    """Ids come twice inside a history, and once more in the impressions."""
    out = _clicks(
        tmp_path,
        ("U7", "11/12/2019 2:14:46 PM", "N1 N2 N1 N3", "N2-1 N8-1"),
        ("U7", "11/11/2019 2:14:46 PM", "N1 N2 N1 N3", "N8-1"),
    )
    assert _steps(out) == [
        ("U7", "N1", 0, None),
        ("U7", "N2", 1, None),
        ("U7", "N3", 3, None),
        ("U7", "N8", None, datetime(2019, 11, 11, 14, 14, 46, tzinfo=UTC)),
    ]
    assert (out.quality["rows_read"], out.quality["rows_rejected"]) == (3, 0)


def test_unlike_histories_of_a_user_are_noted_and_the_longest_counts(tmp_path):
    out = _clicks(
        tmp_path,
        ("U7", "11/12/2019 2:14:46 PM", "N1 N2", "N8-1"),
        ("U7", "11/11/2019 2:14:46 PM", "N1 N2 N3", "N9-1"),
    )
    assert [step[1] for step in _steps(out)] == ["N1", "N2", "N3", "N9", "N8"]
    assert any("1 users have unlike histories" in note for note in out.quality["notes"])


def test_users_are_derived_and_news_without_metadata_is_noted(tmp_path):
    out = _clicks(tmp_path, ("U7", "11/12/2019 2:14:46 PM", "N1 N2", "N3-0"))
    assert list(out.users) == ["U7"]
    notes = "\n".join(out.quality["notes"])
    assert "no file of users" in notes
    assert "items: 1 ids of 1 interactions have no row" in notes


def test_news_keep_quotes_categories_and_the_names_of_entities(tmp_path):
    news = (
        f'N1\tsports\tracing\t"Why" Dega "spectacularly\tA plot.\thttps://x\t{ENTITY}\t{ENTITY}\n'
        "N2\tnews\tnewspolitics\tTrump\t\thttps://x\t[]\t\n"
    )
    out = _clicks(tmp_path, ("U7", "11/12/2019 2:14:46 PM", "N1", "N2-1"), news=news)
    first, second = out.items["N1"], out.items["N2"]
    assert first["title"] == '"Why" Dega "spectacularly'
    assert first["categories"] == ["sports", "racing"]
    assert first["description"] == "A plot."
    assert first["attributes"] == {"entities": "NASCAR; Sunday, Bloody"}
    assert (second["description"], second["attributes"]) == (None, {})


def test_entities_that_are_no_json_are_left_out(tmp_path):
    out = _clicks(
        tmp_path,
        ("U7", "11/12/2019 2:14:46 PM", "N1", "N2-1"),
        news='N1\tsports\tracing\tDega\t\t\t[{"Label": \t{"a": 1}\n',
    )
    assert out.items["N1"]["attributes"] == {}


def test_broken_rows_are_rejected_with_their_reason(tmp_path):
    out = _clicks(
        tmp_path,
        ("U7", "11/12/2019 2:14:46 PM", "N1", "N2-1"),
        ("U7", "2/30/2019 2:14:46 PM", "N1", "N2-1"),
        ("U7", "13/12/2019 2:14:46 PM", "N1", "N2-1"),
        ("U7", "2019-11-12 14:14:46", "N1", "N2-1"),
        ("", "11/12/2019 2:14:46 PM", "N1", "N2-1"),
        ("U7", "11/12/2019 2:14:46 PM", "N1;N2", "N2-1"),
        ("U7", "11/12/2019 2:14:46 PM", "N1", "N2 N3"),
    )
    time = "time is not a time such as 11/12/2019 2:14:46 PM"
    assert [reason for _, _, reason in out.reasons()] == [
        *(time, time, time),
        "user_id is missing",
        "history is not a list of news ids",
        "impressions is not a list of news ids with -0 or -1 behind them",
    ]


def test_training_and_validation_part_in_one_folder_are_refused(tmp_path):
    row = _behaviors(("U7", "11/12/2019 2:14:46 PM", "N1", "N2-1"))
    for part in ("train", "dev"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "behaviors.tsv").write_text(row)
    with pytest.raises(DataError, match=r"2 files could be behaviors.tsv.*name its own folder"):
        normalised(tmp_path, "mind", {"news.tsv": NEWS})


def test_a_missing_file_is_named(tmp_path):
    row = _behaviors(("U7", "11/12/2019 2:14:46 PM", "N1", "N2-1"))
    with pytest.raises(MissingFileError, match=r"no news.tsv.*itdr fetch mind"):
        normalised(tmp_path, "mind", {"behaviors.tsv": row})


def test_real_sample(real_samples, tmp_path):
    files = {
        name: (real_samples / "mind" / name).read_bytes() for name in ("behaviors.tsv", "news.tsv")
    }
    out = normalised(tmp_path, "mind", files)
    rows = [line.split("\t") for line in files["behaviors.tsv"].decode().splitlines()]
    assert out.quality["rows_rejected"] == 0
    assert out.quality["files"]["behaviors.tsv"]["rows_read"] == len(rows)
    assert len(out.items) == 2_000
    expected = {(row[1], item) for row in rows for item in row[3].split()} | {
        (row[1], item[:-2]) for row in rows for item in row[4].split() if item.endswith("-1")
    }
    assert {(step[0], step[1]) for step in _steps(out)} == expected
    assert len(out.interactions) == len(expected)
    items = out.items.values()
    assert sum(item["description"] is None for item in items) == 99
    assert sum('"' in item["title"] for item in items) == 18
    assert not any("unlike histories" in note for note in out.quality["notes"])


def test_the_simulated_world_comes_back(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=20)
    write_raw_files(world, "mind", tmp_path, seed=5)
    out = normalised(tmp_path, "mind")
    assert out.quality["rows_rejected"] == 0
    assert len(out.interactions) == len(world.interactions)
    assert len(out.users) == 60
    per_user = {}
    for row in out.interactions:
        title = out.items.get(row["item_id"], {"title": None})["title"]
        per_user.setdefault(row["user_id"], []).append((row["position"], title))
    titles = world.items["title"]
    # A person's history has the titles of what they watched first, in that order.
    watched = world.interactions.groupby("user")["item"].apply(lambda items: list(titles[items]))
    history = {
        tuple(title for position, title in steps if position is not None)
        for steps in per_user.values()
    }
    prefixes = {tuple(items[:k]) for items in watched for k in range(len(items))}
    assert len(history & prefixes) > 20


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31)))
@settings(max_examples=50, deadline=None)
def test_a_column_of_times_is_read_as_each_cell_is(time):
    time = time.replace(microsecond=0)
    cells = {
        Time("t"): f"{time:%Y-%m-%dT%H:%M:%SZ}",
        TimeOfUsa("t"): f"{time.month}/{time.day}/{time.year} {time.strftime('%I:%M:%S %p')}",
    }
    for field, cell in cells.items():
        assert field.read(cell) == time
        assert field.convert(pa.array([cell])).to_pylist() == [time]


@pytest.mark.parametrize(
    "cell", ["2/29/2019 1:00:00 AM", "1/1/2019 13:00:00 PM", "1/1/2019 0:00:00 AM", "0/1/2019"]
)
def test_a_time_that_never_was_is_wrong_both_ways(cell):
    with pytest.raises(BadCellError):
        TimeOfUsa("t").read(cell)
    assert TimeOfUsa("t").convert(pa.array([cell])) is None


@pytest.mark.parametrize("form", [_BEHAVIORS, _NEWS])
@given(lines=any_lines)
@settings(max_examples=30, deadline=None)
def test_any_lines_are_accounted_for(form, lines):
    check_account(form, lines)
