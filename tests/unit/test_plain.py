"""What is written for other programs to show means what it says there."""

import csv

import pytest

from itdr.rendering.plain import in_csv, in_markdown
from itdr.reporting.formats.csv_files import write_rows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("&lt;", "&amp;lt;"),
        ("[x](javascript:alert(1))", "[x]\\(javascript:alert(1))"),
        ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
        ("a\n\n# b", "a # b"),
        ("Amélie (2001), 5.0", "Amélie (2001), 5.0"),
    ],
)
def test_markdown(text, shown):
    assert in_markdown(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|'/c calc'!A0", "-2+3", "\t=1"])
def test_a_cell_is_no_formula(text, tmp_path):
    write_rows(tmp_path / "a.csv", ["head", text], [[text, -0.5], ["a", "-0.500000"]])
    with (tmp_path / "a.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["head", f"'{text}"], [f"'{text}", "-0.5"],
                                          ["a", "-0.500000"]]  # fmt: skip


def test_a_carriage_return_begins_no_row():
    assert in_csv("a\rb\r\nc") == "a\nb\nc"


@pytest.mark.parametrize("text", ["-1", "+1.5", "-1e-5", "-0.25", "1,000", "a=b", ""])
def test_numbers_and_texts_stay_as_they_are(text):
    assert in_csv(text) == text
