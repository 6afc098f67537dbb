"""People's texts fitted into an example: whole sentences in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.instructions.prose import one_line, sentences, spaced


@pytest.mark.parametrize(
    ("text", "limit", "fitted"),
    [
        ("Short\n and  sweet", 20, "Short and sweet"),
        ("One. Two! Three?", 10, "One. Two!"),
        ("One. Two! Three?", 9, "One. Two!"),
        ("One. Two! Three?", 8, "One."),
        ("It cost 3.50 in all. Never again.", 25, "It cost 3.50 in all."),
        ("I met Mr. Smith at no. 5 of the road", 30, ""),
        ("We saw St. Paul. It was vol. 2 of the tour.", 30, "We saw St. Paul."),
        ('He said "Go!" and left. Then what?', 30, 'He said "Go!" and left.'),
        ("Warm; soft; made of wool", 15, "Warm; soft"),
        ("no full stop at all in here", 10, ""),
        (None, 10, ""),
        ("", 10, ""),
    ],
)
def test_what_does_not_fit_is_left_out_by_whole_sentences(text, limit, fitted):
    assert sentences(text, limit) == fitted


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("GoodForKids", "good for kids"),
        ("HasTV", "has tv"),
        ("BYOBCorkage", "byob corkage"),
        ("beer_and_wine", "beer and wine"),
        ("PriceRange2", "price range 2"),
        ("lunch, dinner", "lunch, dinner"),
    ],
)
def test_identifiers_become_words(name, words):
    assert spaced(name) == words


@given(st.text(alphabet="ab. !?;\n\"'\u201d", max_size=80), st.integers(0, 60))
def test_the_result_is_the_beginning_of_the_text_and_fits(text, limit):
    found = sentences(text, limit)
    assert len(found) <= limit
    assert one_line(text).startswith(found)
    assert "\n" not in found
    if len(one_line(text)) <= limit:
        assert found == one_line(text)
