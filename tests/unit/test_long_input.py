"""Long input of one pattern is read in time that grows with its length, not with its square."""

import time

import pytest

from itdr.datasets.readers.cells import PythonList
from itdr.datasets.readers.fields import BadCellError
from itdr.datasets.readers.python_literals import line_to_json, to_json
from itdr.datasets.readers.text import repaired_text
from itdr.evaluation.answers import Form, Reading
from itdr.evaluation.kinds.core import read
from itdr.instructions.prose import sentences
from tests.odd_answers import FORMS, ONE_OF_EACH_KIND

LENGTH = 200_000
MOST_S = 10  # of computing; the square of the length takes minutes
TEXTS = ["<!--", "<!-->", "<script>", "<STYLE ", "<b ", "<", "&", "&#", "&amp;", " ", "a ", "1 "]
ANSWERS = [
    " ",
    "1 ",
    "1. ",
    "1, ",
    "of 1 ",
    "item ",
    "- ",
    "gender",
    "gender:",
    "rating ",
    "(",
    "a\n",
]


@pytest.fixture(autouse=True)
def quick():
    begun = time.process_time()
    yield
    assert time.process_time() - begun < MOST_S


@pytest.mark.parametrize("piece", TEXTS)
def test_texts_of_people(piece):
    text = "a" + piece * (LENGTH // len(piece)) + "x"
    repaired_text(text)
    sentences(text, 1500)


@pytest.mark.parametrize("piece", ANSWERS)
@pytest.mark.parametrize("before", ["", "item", "1"])
def test_answers(piece, before):
    text = before + piece * (LENGTH // len(piece)) + "x"
    for question in ONE_OF_EACH_KIND:
        for reading in Reading:
            read(text, FORMS[question], reading)


def test_an_answer_and_a_title_that_are_long_and_alike():
    title = "word " * (LENGTH // 5)
    answer = read(title + "next", Form("title", candidates=[title, "Alien"]), Reading.LENIENT)
    assert answer.readable


@pytest.mark.parametrize(
    "cell", ["['a'" + " " * LENGTH, "[" + "'a' " * (LENGTH // 4), "['" * 90_000]
)
def test_lists_as_python_prints_them(cell):
    with pytest.raises(BadCellError):
        PythonList("x").read(cell)


@pytest.mark.parametrize("piece", ["[", "(", "{'a':", "-", "1+", "'", "\\", "u'a',"])
def test_python_dictionaries(piece):
    line = b"{'a': " + piece.encode() * (LENGTH // len(piece))
    assert line_to_json(line) == (None, "not a Python literal")
    to_json(line + b"\n")
