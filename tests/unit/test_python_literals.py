"""Python dictionaries, one a line: rewritten in bulk or read one by one, with the same values."""

import ast
import json
import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itdr.datasets.readers.json_lines import Key, identifier, text_list
from itdr.datasets.readers.lines import Block
from itdr.datasets.readers.python_literals import PythonLiterals, line_to_json, to_json
from itdr.demo.raw_files.steam import python_2_literal
from tests.normalised import any_lines, check_account

FORM = PythonLiterals((identifier("id"), text_list("tags"), Key("price", pa.string())))


def _parse(*lines):
    parsed = FORM.parse(Block(b"".join(line + b"\n" for line in lines), 1))
    return pa.Table.from_batches(parsed.batches, FORM.schema).to_pylist(), parsed.rejected


def _in_bulk(line: bytes):
    """Return the value of a line that is rewritten with others, None if it is left to Python."""
    text, doubtful = to_json(line + b"\n")
    if len(doubtful):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    "line",
    [
        rb"{u'a': u'b', u'c': [u'd', 1, 2.5, -3], u'e': True, u'f': False, u'g': None}",
        rb"""{u'a': u"it's", 'b': 'say "yes"', "c": "x"}""",
        rb"""{u'a': u'it\'s "so"', u'b': u"it's \"so\"", u'c': ''}""",
        rb"{u'a': u'\xe9\u4e2d\U0001f600', u'b': u'\n\t\\n\\\\', u'c': 'a\\'}",
        rb"{u'a': u'True, None: u, False', u'b': u'{[}', u'c': {u'd': {}}, u'e': []}",
        "{'a': 'é中😀'}".encode(),
        rb"{}",
    ],
)
def test_usual_lines_are_rewritten_in_bulk(line):
    assert _in_bulk(line) == ast.literal_eval(line.decode())


@pytest.mark.parametrize(
    "line",
    [
        rb"{'a': (1, 2)}",
        rb"{'a': 'b' 'c'}",
        rb"{'a': '''b'''}",
        rb"{'a': r'\n'}",
        rb"{'a': '\N{BULLET}\a\0\/'}",
        rb"{'a': 0x10, 'b': 1_000, 'c': .5, 'd': 1., 'e': +1}",
        rb"{1: 'a', 'b': 1e-05}",
        b"{'a': 'x\ty'}",
        rb"  {'a': 1}  # a game",
    ],
)
@pytest.mark.filterwarnings("ignore:invalid escape")
def test_unusual_lines_are_left_to_python(line):
    assert _in_bulk(line) is None
    found, reason = line_to_json(line)
    expected = json.loads(json.dumps(ast.literal_eval(line.decode().strip())))
    assert (json.loads(found), reason) == (expected, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty line"),
        (b"{u'id': u'1'", "not a Python literal"),
        (b"{u'id': u'1}", "not a Python literal"),
        (b'{"id": true}', "not a Python literal"),
        (b"{u'id': nan}", "not a Python literal"),
        (b"{u'id': __import__('os').getcwd()}", "not a Python literal"),
        (b"{u'id': u'\\xg1'}", "not a Python literal"),
        (b"{[]: 1}", "not a Python literal"),
        (b"{'id': 1}\x00", "not a Python literal"),
        (b"(" * 5000, "not a Python literal"),
        (b"[1]", "not a dictionary"),
        (b"{'id'}", "not a dictionary"),
        (b"{u'id': u''}", "id is missing"),
        (b"{u'id': u'\xff'}", "not UTF-8 text"),
    ],
)
def test_a_broken_line_is_rejected_alone(line, reason):
    rows, rejected = _parse(b"{u'id': u'a'}", line, b"{u'id': u\"b's\"}")
    assert [(row["id"], row["line"]) for row in rows] == [("a", 1), ("b's", 3)]
    assert rejected == [(2, reason)]


def test_halves_of_a_surrogate_pair_are_joined_and_a_lone_one_is_marked():
    rows, _ = _parse(b"{u'id': u'\\ud83d\\ude00'}", b"{u'id': u'x\\ud83d'}")
    assert [row["id"] for row in rows] == ["\U0001f600", "x\ufffd"]


def test_numbers_and_words_can_stand_in_one_column():
    rows, _ = _parse(b"{'id': '1', 'price': 4.99}", b"{'id': '2', 'price': u'Free'}")
    assert [row["price"] for row in rows] == ["4.99", "Free"]


def test_line_ends_of_windows_are_read():
    rows, _ = _parse(b"{u'id': u'a'}\r", b"{u'id': u'b'}\r")
    assert [row["id"] for row in rows] == ["a", "b"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "u'\"\\xn{}[]:, TrueNone", max_size=12
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=0, abs_tol=0)
    return a == b


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(texts, values, max_size=4), min_size=1, max_size=4))
@pytest.mark.parametrize("spell", [repr, ascii, python_2_literal])
def test_both_ways_give_the_value_that_was_printed(spell, printed):
    data = b"".join(spell(value).encode() + b"\n" for value in printed)
    text, doubtful = to_json(data)
    lines = text.split(b"\n")
    assert len(lines) == len(printed) + 1
    for number, value in enumerate(printed):
        slow, reason = line_to_json(spell(value).encode())
        assert reason is None
        assert json.loads(slow) == value
        if number not in doubtful:
            assert json.loads(lines[number]) == value


@settings(max_examples=100, deadline=None)
@given(st.text("{u'id': \\x0\"aNoe1,[]}#-.\n", max_size=40))
def test_what_is_rewritten_in_bulk_is_what_python_reads(text):
    line = text.replace("\n", "").encode()
    bulk = _in_bulk(line)
    if isinstance(bulk, dict):
        found, reason = line_to_json(line)
        assert reason is None, line
        assert json.loads(found) == bulk or '"' in text  # of a repeated key either may count


@settings(max_examples=30, deadline=None)
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    check_account(FORM, lines)
