"""Rows of a CSV file that go over several lines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from itdr.datasets.readers import multiline
from itdr.datasets.readers.fields import Field, WholeNumber
from itdr.datasets.readers.lines import Block
from itdr.datasets.readers.multiline import MultilineCsv
from tests.normalised import any_lines, unhurried

FORM = MultilineCsv((WholeNumber("id", required=True), Field("text")), header=False)


def read(*blocks: bytes):
    """Return rows as (id, text, line) and the rejected lines, from blocks of whole lines."""
    given, line = [], 1
    for data in blocks:
        given.append(Block(data, line))
        line += data.count(b"\n")
    rows, rejected = [], []
    for block in FORM.records(iter(given)):
        parsed = FORM.parse(block)
        assert block.count == sum(b.num_rows for b in parsed.batches) + len(parsed.rejected)
        rows += [tuple(row.values()) for batch in parsed.batches for row in batch.to_pylist()]
        rejected += parsed.rejected
    return rows, rejected


def test_a_cell_over_several_lines_is_one_row_numbered_by_its_first_line():
    rows, rejected = read(b'1,a\n2,"one\r\n\r\ntwo"\n3,c\n4,"x\n"\n5,"y ""z"\n')
    assert rows == [
        (1, "a", 1),
        (2, "one    two", 2),
        (3, "c", 5),
        (4, "x", 6),
        (5, 'y "z', 8),
    ]
    assert rejected == []


def test_a_row_may_begin_in_one_block_and_end_in_another():
    rows, rejected = read(b'1,a\n2,"one\n', b"two\n", b'three"\n4,d\n')
    assert rows == [(1, "a", 1), (2, "one two three", 2), (4, "d", 5)]
    assert rejected == []


def test_a_stray_quote_costs_only_its_own_line():
    rows, rejected = read(b'1,a\n2,"stray\n3,c\n4,d\n5,"over\ntwo"\n6,"end\n')
    assert rows == [(1, "a", 1), (3, "c", 3), (4, "d", 4), (5, "over two", 5)]
    assert rejected == [(2, "quotes do not match"), (7, "quotes do not match")]


def test_a_row_does_not_go_on_for_ever(monkeypatch):
    monkeypatch.setattr(multiline, "_MOST_LINES", 3)
    rows, rejected = read(b'1,"a\nb\nc"\n2,"a\nb\n', b'c\nd"\n')
    assert rows == [(1, "a b c", 1)]
    assert [line for line, _ in rejected] == [4, 5, 6, 7]


@unhurried
@given(lines=any_lines, cuts=st.sets(st.integers(1, 11)))
def test_rows_do_not_depend_on_how_the_file_is_cut_into_blocks(lines, cuts):
    lines = [line + b"\n" for line in lines]
    edges = [0, *sorted(cut for cut in cuts if cut < len(lines)), len(lines)]
    blocks = [b"".join(lines[a:b]) for a, b in pairwise(edges)]
    assert read(*blocks) == read(b"".join(lines))
