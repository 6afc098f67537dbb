"""Reading answers: the page of odd answers, and that no text whatever breaks the reading."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.evaluation.answers import Form, ParsedAnswer, Reading
from itdr.evaluation.answers.aliases import same_value
from itdr.evaluation.answers.titles import Titles, title_words
from itdr.evaluation.kinds.core import read
from tests.odd_answers import (
    CANDIDATES,
    FORMS,
    ONE_OF_EACH_KIND,
    PAGE,
    cases,
    counts,
    rendered,
    seen,
    totals,
    verdict,
)


@pytest.mark.parametrize("reading", list(Reading))
def test_no_odd_answer_is_read_wrongly(reading):
    wrong = [case for case in cases("corpus") if verdict(case, reading) == "wrong"]
    assert not wrong


def test_most_odd_answers_are_read():
    found = counts("corpus")
    assert sum(sum(by_verdict.values()) for by_verdict in found.values()) >= 2 * 400
    for (kind, reading), by_verdict in found.items():
        least = {Reading.STRICT: 0.15, Reading.LENIENT: 0.9}[reading]
        assert by_verdict["right"] >= least * sum(by_verdict.values()), (kind, reading)


def test_few_answers_that_the_readers_were_not_written_for_are_read_wrongly():
    for reading, by_verdict in totals("held out").items():
        most = {Reading.STRICT: 0.01, Reading.LENIENT: 0.02}[reading]
        assert by_verdict["wrong"] <= most * sum(by_verdict.values())


def test_the_page_in_docs_shows_them():
    assert PAGE.read_text("utf-8") == rendered(), "write it again: python -m tests.odd_answers"


PIECES = st.sampled_from(
    [*CANDIDATES, "age:", "gender is", "1. ", "2) ", "- ", "\n", ", ", " > ", "4", "4.5", "/5",
     "[3]", "**", "```", "out of", "rating", "\u017f", "\u0130", "\u2028", "\x85", "\u0664",
     "(1995)", "NaN"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))


@given(text=TEXTS, form=st.sampled_from(list(FORMS)))
def test_any_text_is_read_or_has_a_problem(text, form):
    strict, lenient = (read(text, FORMS[form], reading) for reading in Reading)
    for answer in (strict, lenient):
        places = [place for place in answer.ranking if place is not None]
        assert len(places) == len(set(places))
        assert all(0 <= place < len(CANDIDATES) for place in places)
        assert answer.number is None or 0.5 <= answer.number <= 5
        assert min(answer.duplicated, answer.out_of_list, answer.missing) >= 0
        assert answer.readable == (seen(answer, FORMS[form]) not in (None, [], {}))
    if strict.readable and FORMS[form].kind != "ranked_list":
        assert lenient == strict


@pytest.mark.parametrize("form", ONE_OF_EACH_KIND)
@pytest.mark.parametrize(
    "piece", ["\n", " ", ", ", "1 ", "1.", "(", '"', "- ", "* \n", "rating ", "age:", "age", ",\n",
              "of ", "out of ", "2 / ", "1. Heat\n", "Heat (1995) ", "Alien, The "]
)  # fmt: skip
def test_long_hostile_text_is_read_in_no_time(form, piece):
    begin = time.perf_counter()
    for reading in Reading:
        read(piece * 8000, FORMS[form], reading)
        read(f"1. {piece * 8000}x", FORMS[form], reading)
    assert time.perf_counter() - begin < 5


def test_a_run_on_is_not_part_of_an_attribute():
    form = Form("attributes", attributes=("gender",))
    assert not read("gender:F\nThe user", form, Reading.STRICT).readable
    assert read("gender:F\nThe user", form, Reading.LENIENT).attributes == {"gender": "F"}


@pytest.mark.parametrize(
    ("name", "ends", "absurd"),
    [("age", (1, 110), ["1990", "-5", "270", "0"]), ("birth_year", (1900, 2020), ["90", "2024"])],
)
@pytest.mark.parametrize("reading", list(Reading))
def test_an_absurd_number_is_not_read_but_what_stands_beside_it_is(name, ends, absurd, reading):
    form = Form("attributes", attributes=(name, "gender"), ranges={name: ends})
    for value in absurd:
        answer = read(f"{name}:{value}, gender:F", form, reading)
        assert (answer.attributes, answer.missing) == ({"gender": "F"}, 1)
        alone = Form("attributes", attributes=(name,), ranges={name: ends})
        assert read(f"{name}:{value}", alone, reading).problem == "out of range"
    for value in ends:
        assert float(read(f"{name}:{value}, gender:F", form, reading).attributes[name]) == value


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("female", "F"),
        ("UK", "United Kingdom"),
        ("Russia", "Russian Federation"),
        ("Seattle, WA, United States", "Seattle, WA, USA"),
        ("25 to 34", "25-34"),
    ],
)
def test_two_words_for_one_value_are_the_same_to_the_lenient_reading_alone(found, expected):
    assert same_value(found, expected, lenient=True)
    assert not same_value(found, expected, lenient=False)


@pytest.mark.parametrize(
    ("found", "expected"),
    [("male", "F"), ("Austria", "Australia"), ("Niger", "Nigeria"), ("Los Angeles, CA", "Canada"),
     ("North Korea", "South Korea"), ("25-34", "35-44"), ("Male, Maldives", "M")],
)  # fmt: skip
def test_other_values_are_not_the_same(found, expected):
    assert not same_value(found, expected, lenient=True)


def test_a_monstrous_number_is_not_read():
    form = Form("attributes", attributes=("age",), ranges={"age": (1, 110)})
    for reading in Reading:
        assert not read("age:" + "9" * 400, form, reading).readable
        assert not read("9" * 400, FORMS["films-rating"], reading).readable


@given(order=st.permutations(range(4)))
def test_the_asked_for_list_is_read_by_both(order):
    text = "\n".join(f"{place}. {CANDIDATES[at]}" for place, at in enumerate(order, start=1))
    for reading in Reading:
        answer = read(text, FORMS["films-list"], reading)
        assert answer == ParsedAnswer(ranking=tuple(order))


TITLE = st.text(min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool)


@given(titles=st.lists(TITLE, min_size=1, max_size=6, unique=True), data=st.data())
def test_any_candidates_come_back_from_the_asked_for_form(titles, data):
    order = data.draw(st.permutations(range(len(titles))))
    text = "\n".join(f"{place}. {titles[at]}" for place, at in enumerate(order, start=1))
    assert read(text, Form("ranked_list", candidates=titles), Reading.STRICT).ranking == tuple(
        order
    )
    one = read(titles[order[0]], Form("title", candidates=titles), Reading.STRICT)
    assert one.ranking == (order[0],)


def test_faults_of_a_list_are_counted():
    text = "1. Heat (1995)\n2. Heat (1995)\n3. Speed (1994)"
    for reading in Reading:
        answer = read(text, FORMS["films-list"], reading)
        assert (answer.duplicated, answer.out_of_list, answer.missing) == (1, 1, 3)


def test_a_title_that_stands_twice_can_be_named_twice():
    form = Form("ranked_list", candidates=["Hamlet", "Heat", "Hamlet"])
    assert read("1. Hamlet\n2. Hamlet\n3. Heat", form, Reading.STRICT).ranking == (0, 2, 1)


def test_a_title_wins_over_a_candidate_number():
    form = Form("title", candidates=["9 (2009)", "8 (2019)", "2"])
    assert read("2", form, Reading.LENIENT).ranking == (2,)
    assert read("9", form, Reading.LENIENT).ranking == (0,)
    assert read("3", form, Reading.LENIENT).ranking == (2,)


def test_a_title_inside_another_does_not_count():
    form = Form("title", candidates=["Alien", "Alien Nation"])
    assert read("They will watch Alien Nation.", form, Reading.LENIENT).ranking == (1,)
    assert read("Alien Nation, then Alien", form, Reading.LENIENT).problem == "several candidates"


def test_an_article_behind_a_comma_is_found_within_a_sentence():
    for text in ("I say Matrix, The (1999).", "I say The Matrix (1999)."):
        assert read(text, FORMS["films-title"], Reading.LENIENT).ranking == (1,)


def test_titles_with_the_same_words_are_not_taken_for_each_other():
    titles = Titles(["Help!", "Help?"])
    assert titles.alike("Help!") == [0]
    assert titles.alike("help") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        ("Am\u00e9lie", "AMELIE"),
        ("Tom & Huck", "Tom and Huck"),
        ("Schindler\u2019s List", "Schindlers List"),
        ("Star Wars: Episode IV - A New Hope", "Star Wars  Episode IV, a new hope"),
    ],
)
def test_small_differences_of_spelling_vanish(one, other):
    assert title_words(one) == title_words(other)


def test_text_is_read_without_fence_and_quotes_leniently():
    assert read('```text\n"Likes jazz."\n```', Form("text"), Reading.LENIENT).text == "Likes jazz."
    assert not read(' "Likes jazz." ', Form("text"), Reading.STRICT).readable
    assert read(" \n", Form("text"), Reading.STRICT).problem == "empty"


def test_attribute_values_may_hold_commas_but_no_other_attribute():
    form = Form("attributes", attributes=("gender", "location"))
    answer = read("location:Rome, Lazio, gender:F", form, Reading.STRICT)
    assert answer.attributes == {"location": "Rome, Lazio", "gender": "F"}
    more = "gender:F, location:Rome, hobby: chess"
    assert not read(more, form, Reading.STRICT).readable
    assert read(more, form, Reading.LENIENT).attributes == {"location": "Rome", "gender": "F"}


def test_an_attribute_given_twice_is_not_the_asked_for_form():
    form = Form("attributes", attributes=("gender",))
    answer = read("gender:F, gender:M", form, Reading.STRICT)
    assert not answer.readable
    assert answer.duplicated == 1
    assert read("gender:F, gender:M", form, Reading.LENIENT).problem == "contradiction"
    assert read("gender:F, gender:female", form, Reading.LENIENT).attributes == {"gender": "F"}
