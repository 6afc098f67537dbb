"""Cells, texts of people, and answers of models."""

from typing import Any

import pyarrow as pa

from itdr.datasets.adapters import (
    amazon_books,
    anime,
    bookcrossing,
    lastfm,
    microlens,
    mind,
    movielens,
    pixelrec,
)
from itdr.datasets.readers.cells import PythonList
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import BadCellError, Field, NeedsTextError
from itdr.datasets.readers.text import plain_text, repaired_text, tidy
from itdr.datasets.readers.times import Time, TimeOfUsa
from itdr.evaluation.answers import ParsedAnswer, Reading
from itdr.evaluation.kinds.core import read
from itdr.instructions.prose import one_line, sentences
from tests.bad_input.reader import Reader
from tests.odd_answers import FORMS, ONE_OF_EACH_KIND, cases

_SOURCES = (amazon_books, anime, bookcrossing, lastfm, microlens, mind, movielens, pixelrec)


def _fields() -> list[Field]:
    """Return one field of each kind that the sources have."""
    found: dict[Any, Field] = {type(field): field for field in (Time("t"), TimeOfUsa("t"))}
    for source in _SOURCES:
        for form in vars(source).values():
            if isinstance(form, Delimited):
                for field in form.fields:
                    found.setdefault((type(field), field.required), field)
    return [*found.values(), PythonList("list")]


FIELDS = _fields()
_CELLS = [
    *("4", "3.5", "007", "978446310", "0140.38572X", "NULL", "UNKNOWN", "M", "(no genres listed)"),
    *("2009-05-04T23:08:57Z", "11/12/2019 2:14:46 PM", "1605059546", "Feb 1, 2007", "12,345"),
    *("['Julie Strain', \"O'Hara\"]", "Drama|Comedy", "N55689-1 N35729-0", "a, b, c", " x "),
    *(
        "M\xc3\u0192\xc2\xbcller &amp;quot;x&quot; <b>bold</b><br/>&#378;",
        "<!-- a --> b <style>c</style>",
    ),
]


def read_cell(data: bytes) -> None:
    """Read a cell as every kind of field: alone and in a column it is the same."""
    text = data.decode("utf-8", "replace")
    for field in FIELDS:
        try:
            alone = field.read(text)
        except (BadCellError, NeedsTextError):
            alone = field
        column = field.convert(pa.array([text], pa.string()))
        if column is not None:
            assert alone is not field, f"{field} takes {text!r} in a column alone"
            assert column.to_pylist() == pa.array([alone], field.type).to_pylist()


def read_text(data: bytes) -> None:
    """Repair a text of people, and fit it into an example."""
    text = data.decode("utf-8", "replace")
    for repair in (tidy, plain_text, repaired_text):
        done = repair(text)
        assert done == tidy(done) == one_line(done)
    assert len(sentences(text, 300)) <= 300


def read_answer(data: bytes) -> None:
    """Read an answer in all forms and both ways: what is read lies in what was asked for."""
    text = data.decode("utf-8", "replace")
    for form in (FORMS[question] for question in ONE_OF_EACH_KIND):
        for reading in Reading:
            answer = read(text, form, reading)
            assert isinstance(answer, ParsedAnswer)
            places = [place for place in answer.ranking if place is not None]
            assert len(places) == len(set(places))
            assert all(0 <= place < len(form.candidates) for place in places)
            if form.kind == "number" and answer.readable:
                assert answer.number is not None
                assert form.scale[0] <= answer.number <= form.scale[1]
            assert min(answer.duplicated, answer.out_of_list, answer.missing) >= 0


def readers() -> dict[str, Reader]:
    """Return all readers of this module by name."""
    cells = [cell.encode() for cell in _CELLS]
    answers = [case.answer.encode() for case in cases("corpus")]
    return {
        "cells": Reader(lambda: cells, read_cell),
        "texts": Reader(lambda: cells, read_text),
        "answers": Reader(lambda: answers, read_answer),
    }
