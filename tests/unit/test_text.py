"""What is repaired in texts, and what is left as it is."""

# ruff: noqa: RUF001 (the letters that look like others are what is tested)

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.datasets.readers.text import (
    Text,
    add_text_functions,
    plain_text,
    repair_letters,
    repaired_text,
    texts,
    tidy,
)
from tests.normalised import unhurried

REPAIRS = (tidy, plain_text, repaired_text)

rough_texts = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(list("ab <>&;?/ÃÂâ€¼é…’\n\t\u00a0\u200b\u2028")),
    )
) | st.lists(st.sampled_from(["<br>", "&amp;", "&#39;", "  ", "<b>", "Ã©", "x"])).map("".join)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("one<br />two<p>three</p>", "one two three"),
        ("<b>bold</b>ly <a href='x'>linked</a>", "boldly linked"),
        ("&quot;Yes&quot; &amp; no&#33;", '"Yes" & no!'),
        ("&amp;quot;twice&amp;quot;", '"twice"'),
        ("&lt;br&gt;a tag in entities", "a tag in entities"),
        ("&#378 without a semicolon", "ź without a semicolon"),
        ("two\r\n\r\nlines\tand  blanks ", "two lines and blanks"),
        ("nul\x00 and\u200b invisible\ufeff", "nul and invisible"),
        ("<script>alert(1)</script>text<!-- not seen -->", "text"),
    ],
)
def test_markup_becomes_plain_text(raw, plain):
    assert plain_text(raw) == plain


@pytest.mark.parametrize("raw", ["I <3 it", "x < 5 and y > 3", "<sigh>", "AT&T", "?a=1&copy=2"])
def test_what_only_looks_like_markup_stays(raw):
    assert plain_text(raw) == raw


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        ("GarcÃ­a", "García"),
        ("donâ€™t", "don’t"),
        ("Ä°zmir", "İzmir"),
        ("ã‚¢ãƒ‹ãƒ¡", "アニメ"),
        ("ðŸ˜€", "😀"),
        ("SÃ?Â¼skind", "Süskind"),
        ("weiÃ?Â?e", "wei?e"),
        ("Ã?ngel", "?ngel"),
        ("don\x92t", "don’t"),
    ],
)
def test_letters_encoded_twice_are_restored(raw, repaired):
    assert repair_letters(raw) == repaired


@pytest.mark.parametrize("raw", ["São Paulo", "CAFÉ…", "Spaß“", "irmã…”", "é…»", "naïve æøå", "Ã?"])
def test_right_letters_stay(raw):
    assert repair_letters(raw) == raw


@unhurried
@given(rough_texts)
def test_a_repaired_text_is_one_line_and_repaired_once_and_for_all(text):
    for repair in REPAIRS:
        done = repair(text)
        assert done == " ".join(done.split())
        assert tidy(done) == done


@unhurried
@given(st.lists(rough_texts))
def test_a_column_is_repaired_as_its_cells_are(cells):
    for repair in REPAIRS:
        column = texts(pa.array([None, *cells], pa.string()), repair)
        assert column.to_pylist() == [None] + [repair(cell) or None for cell in cells]
        field = Text("x", repair=repair, nothing=("x",))
        read = [field.read(cell) for cell in cells]
        assert field.convert(pa.array(cells, pa.string())).to_pylist() == read


def test_sql_knows_the_functions():
    with duckdb.connect() as connection:
        add_text_functions(connection)
        query = (
            "SELECT tidy(' a '), plain_text('a<br>b'), repaired_text('Ã©'), tidy(' '), tidy(NULL)"
        )
        assert connection.sql(query).fetchall() == [("a", "a b", "é", None, None)]
