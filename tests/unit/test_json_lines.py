"""JSON lines: every line is accounted for, and a broken one costs its neighbours nothing."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.datasets.readers.json_lines import (
    JsonLines,
    Key,
    date_time,
    identifier,
    mapping,
    milliseconds,
    rating,
    required,
    text_key,
    text_list,
)
from itdr.datasets.readers.lines import Block
from tests.normalised import any_lines, check_account

FORM = JsonLines((identifier("id"), text_key("name"), text_list("tags"), mapping("more")))


def _parse(form, *lines):
    data = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    parsed = form.parse(Block(data, 1))
    return pa.Table.from_batches(parsed.batches, form.schema).to_pylist(), parsed.rejected


def _one(key, value):
    """Return what one key makes of a value, or the reason why its row is rejected."""
    rows, rejected = _parse(JsonLines((key,)), json.dumps({key.name: value}).encode())
    return rows[0][key.name] if rows else rejected[0][1]


def test_an_object_becomes_a_row_with_its_line():
    rows, rejected = _parse(
        FORM, b'{"id": "007", "name": "\\u00e9\\/a", "tags": ["b", "a"], "z": 1}'
    )
    assert rows == [{"id": "007", "name": "é/a", "tags": ["b", "a"], "more": None, "line": 1}]
    assert rejected == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty line"),
        (b"  \r\n", "empty line"),
        (b'{"id": "1"', "not JSON"),
        (b'{"id": "1"} {"id": "2"}', "not JSON"),
        (b'{"id": "\\ud83d"}', "not JSON"),
        (b"{'id': '1'}", "not JSON"),
        (b'{"id": "a\tb"}', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"id": null}', "id is missing"),
        (b'{"Id": "1"}', "id is missing"),
        (b'{"id": "\xff"}', "not UTF-8 text"),
    ],
)
def test_a_broken_line_is_rejected_alone(line, reason):
    rows, rejected = _parse(FORM, b'{"id": "a"}', line, b'{"id": "b"}')
    assert [(row["id"], row["line"]) for row in rows] == [("a", 1), ("b", 3)]
    assert rejected == [(2, reason)]


def test_the_reason_does_not_depend_on_the_other_lines():
    odd = [b"[1]", b'{"id": ""}']
    assert _parse(FORM, *odd)[1] == [(1, "not a JSON object"), (2, "id is missing")]
    assert _parse(FORM, *odd, b"{")[1][:2] == [(1, "not a JSON object"), (2, "id is missing")]


@pytest.mark.parametrize("value", ["a ", " a", "07", "-_x"])
def test_an_id_is_kept_as_it_is(value):
    assert _one(identifier("id"), value) == value


@pytest.mark.parametrize("value", [{"a": 1}, [1], [], {}, True, False])
def test_an_object_a_list_or_a_truth_value_is_no_id(value):
    assert _one(identifier("id"), value) == "id is not a text"


@pytest.mark.parametrize("value", [1e12, "1e12", "1_528_000_000_000", "+1528000000000", " 1528"])
def test_a_time_is_digits_alone(value):
    line = json.dumps({"time": value}).encode()
    rows, rejected = _parse(
        JsonLines((milliseconds("time"),)), line.replace(b"1000000000000.0", b"1e12")
    )
    assert not rows and rejected[0][1] == "time is missing or not a whole number"


def test_a_number_that_is_an_id_becomes_text():
    assert _one(identifier("id"), 12) == "12"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (4.0, 4.0),
        ("4", 4.0),
        (4.5, "stars is not in steps of 1"),
        (0, "stars is outside 1 to 5"),
        (float("nan"), "stars is outside 1 to 5"),
        ("good", "stars is missing or not a number"),
        ([4], "stars is missing or not a number"),
    ],
)
def test_a_rating_lies_on_its_scale(value, found):
    assert _one(rating("stars", 1, 5), value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1528051241317, 1528051241317),
        (1528051241, "t in milliseconds is outside the years 1990 to 2099"),
        (1.52309e12, "t is missing or not a whole number"),
        (10**30, "t is missing or not a whole number"),
        (True, "t is missing or not a whole number"),
    ],
)
def test_milliseconds_lie_in_sane_years(value, found):
    assert _one(milliseconds("t"), value) == found


@pytest.mark.parametrize("value", ["infinity", "0018-07-07", "2100-01-01"])
def test_a_date_lies_in_sane_years(value):
    assert _one(date_time("d"), value) == "d is outside the years 1990 to 2099"


def test_text_is_plain():
    assert _one(text_key("name"), " <b>Tom</b> &amp;\n Jerry ") == "Tom & Jerry"
    assert _one(text_key("name"), "   ") is None


def test_an_objects_values_are_text():
    value = {"a": "u'x'", "b": 1, "c": {"d": True}, "e": None}
    expected = [("a", "u'x'"), ("b", "1"), ("c", '{"d":true}'), ("e", None)]
    assert _one(mapping("m"), value) == expected
    assert _one(mapping("m"), 3) is None


def test_a_required_key_can_be_of_any_kind():
    assert _one(required(Key("tags", pa.list_(pa.string()), form=["VARCHAR"])), None) == (
        "tags is missing"
    )


@settings(max_examples=30, deadline=None)
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    check_account(FORM, lines)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=6), st.booleans())
def test_ids_come_through_unchanged(ids, ascii_only):
    lines = [json.dumps({"id": f"x{i}"}, ensure_ascii=ascii_only).encode() for i in ids]
    rows, rejected = _parse(FORM, *lines)
    assert ([row["id"] for row in rows], rejected) == ([f"x{i}" for i in ids], [])
