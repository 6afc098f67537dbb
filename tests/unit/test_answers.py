"""Reading answers: the page of odd answers, and that no text whatever breaks the reading."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.evaluation.answers import Answer, Form, Reading
from itdr.evaluation.answers.titles import Titles, words
from itdr.evaluation.kinds.core import read
from tests.odd_answers import CANDIDATES, FILE, FORMS, PAGE, rendered, seen


@pytest.mark.parametrize("case", PAGE["answers"], ids=lambda case: f"{case['form']}-{case['text']}")
@pytest.mark.parametrize("reading", list(Reading))
def test_odd_answers_are_read_as_the_page_says(case, reading):
    answer = read(case["text"], FORMS[case["form"]], reading)
    assert seen(answer, case["form"]) == case[reading.value], answer.problem


def test_the_page_in_docs_shows_all_of_them():
    assert len(PAGE["answers"]) >= 40
    assert FILE.read_text("utf-8") == rendered(), "write it again: python -m tests.odd_answers"


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
        assert answer.readable == (seen(answer, form) not in (None, [], {}))
    if strict.readable and form != "text":
        assert lenient == strict


@pytest.mark.parametrize("form", list(FORMS))
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


def test_a_monstrous_number_is_not_read():
    form = Form("attributes", attributes=("age",), numeric=frozenset({"age"}))
    for reading in Reading:
        assert not read("age:" + "9" * 400, form, reading).readable
        assert not read("9" * 400, FORMS["number"], reading).readable


@given(order=st.permutations(range(4)))
def test_the_asked_for_list_is_read_by_both(order):
    text = "\n".join(f"{place}. {CANDIDATES[at]}" for place, at in enumerate(order, start=1))
    for reading in Reading:
        answer = read(text, FORMS["list"], reading)
        assert answer == Answer(ranking=tuple(order))


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
        answer = read(text, FORMS["list"], reading)
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
        assert read(text, FORMS["title"], Reading.LENIENT).ranking == (1,)


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
    assert words(one) == words(other)


def test_text_is_read_without_fence_and_quotes_leniently():
    assert read('```text\n"Likes jazz."\n```', Form("text"), Reading.LENIENT).text == "Likes jazz."
    assert read(' "Likes jazz." ', Form("text"), Reading.STRICT).text == '"Likes jazz."'
    assert read(" \n", Form("text"), Reading.STRICT).problem == "empty"


def test_attribute_values_may_hold_commas_and_colons():
    form = Form("attributes", attributes=("gender", "location"))
    answer = read("location:Rome, Lazio: Italy, gender:F", form, Reading.STRICT)
    assert answer.attributes == {"location": "Rome, Lazio: Italy", "gender": "F"}


def test_an_attribute_given_twice_is_not_the_asked_for_form():
    form = Form("attributes", attributes=("gender",))
    answer = read("gender:F, gender:M", form, Reading.STRICT)
    assert not answer.readable
    assert answer.duplicated == 1
    assert read("gender:F, gender:M", form, Reading.LENIENT).attributes == {"gender": "F"}
