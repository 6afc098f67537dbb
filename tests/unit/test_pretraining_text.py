"""What the tiny model reads: every learnt word can be foreseen from what stands before it."""

import re
from collections import Counter

import numpy as np
import pytest

from itdr.demo import pretraining_text as text
from itdr.demo.words import ADJECTIVES, GENRES, NOUNS

NAMES = [f"name{letter}" for letter in "abcdefghijklmno"]
GENRE_OF = {word: genre for words in (ADJECTIVES, NOUNS) for genre, group in enumerate(words)
            for word in group}  # fmt: skip


def documents(kind, count=40):
    rng = np.random.default_rng(11)
    return [text.WRITERS[kind](rng, NAMES, text.Style(0.4)) for _ in range(count)]


def entries(lines):
    """Return the entries of a list in any of its styles."""
    cut = re.split(r"\n(?:- |\d+\. )?|; | / |, ", re.sub(r"^(?:- |\d+\. )", "", lines.strip()))
    return [entry for entry in cut if entry]


def given_and_reply(parts):
    """Return the lists before the reply, each as entries, and the entries of the reply."""
    whole = "".join(part.words for part in parts)
    if text.START in whole:
        given, _, reply = whole.partition(f"{text.START}assistant\n")
        given = given.replace(text.START + "user\n", "").replace(text.END, "")
        reply = reply.replace(text.END, "")
    else:
        place = max(whole.rfind(f"{heading}:") for heading in text.HEADINGS)
        given, reply = whole[:place], whole[place:].partition(":")[2]
    headings = "|".join(text.HEADINGS)
    given = re.sub(r" \[.*?\]", "", given)  # genres behind a title
    lists = re.split(rf"(?:^|\n)(?:{headings}):", given)
    return [entries(one) for one in lists if one.strip()], entries(reply)


def genre(entry):
    return GENRE_OF[entry.split(" ")[0]]


@pytest.mark.parametrize("kind", text.WRITERS)
def test_documents_depend_on_the_generator_alone(kind):
    assert documents(kind) == documents(kind)


@pytest.mark.parametrize("kind", ["marked", "group", "doubt", "choice", "tally", "card", "diary"])
def test_about_half_of_the_documents_are_turns_of_a_chat(kind):
    chats = [parts for parts in documents(kind, 200) if parts[0].words.startswith(text.START)]
    assert 70 < len(chats) < 130


def test_the_reply_to_a_marked_list_has_the_marked_entries_first_in_the_order_shown():
    for parts in documents("marked"):
        (given,), reply = given_and_reply(parts)
        sign = next((s for s in text.SIGNS if any(e.startswith(s) for e in given)), "none ")
        marked = [entry.removeprefix(sign) for entry in given if entry.startswith(sign)]
        assert reply == marked + [entry for entry in given if not entry.startswith(sign)]


def test_the_reply_to_a_pile_has_the_films_akin_to_the_first_ones_on_top():
    for parts in documents("group"):
        (seen, pile), reply = given_and_reply(parts)
        akin = {genre(entry) for entry in seen}
        assert reply == sorted(pile, key=lambda entry: genre(entry) not in akin)


def test_a_doubtful_reply_has_every_entry_once():
    for parts in documents("doubt"):
        (_, pile), reply = given_and_reply(parts)
        assert sorted(reply) == sorted(pile)


def test_odd_titles_are_written_as_in_the_raw_files():
    rng = np.random.default_rng(5)
    titles = [text.random_film(rng, 0, text.Style(0.0, odd=1.0)).title for _ in range(100)]
    assert any(title.endswith(" Uncut") for title in titles)
    assert any(" (a.k.a. " in title for title in titles)


def test_the_second_half_of_a_halved_list_is_learnt_and_is_what_the_first_one_left():
    for parts in documents("halves"):
        (*_, pile), reply = given_and_reply(parts)
        half = len(pile) // 2
        assert [entry for entry in pile if entry in reply[:half]] == reply[:half]
        assert [entry for entry in pile if entry not in reply[:half]] == reply[half:]
        learnt = "".join(part.words for part in parts if part.learnt)
        assert all(entry.split(" ")[0] in learnt for entry in reply[half:])
        assert not any(entry.split(" ")[0] in learnt for entry in reply[:half])


def test_no_two_entries_of_a_list_begin_with_the_same_word():
    for parts in documents("doubt"):
        (_, pile), _ = given_and_reply(parts)
        assert len({entry.split(" ")[0] for entry in pile}) == len(pile)


def test_titles_without_a_year_and_in_small_letters_occur():
    rng = np.random.default_rng(5)
    style = text.Style(0.0, small=1.0, dated=0.0).settled(rng)
    titles = [text.random_film(rng, 0, style).title for _ in range(20)]
    assert [title for title in titles if title != title.lower() or "(" in title] == []


def test_a_tally_names_the_two_genres_that_most_films_have():
    rng = np.random.default_rng(11)
    for _ in range(40):
        (films,), reply = given_and_reply(text.tally(rng, NAMES, text.Style(1.0)))
        counts = Counter(GENRES[genre(film)] for film in films)
        leading = sorted(counts, key=lambda name: (-counts[name], name))[:2]
        assert reply == [" and ".join(leading)]


def test_a_card_is_asked_for_values_that_it_has():
    for parts in documents("card"):
        given = parts[1 if parts[0].words == f"{text.START}user\n" else 0].words
        values = dict(re.findall(r"^(\w+): (.+)$", given, re.MULTILINE))
        reply = "".join(part.words for part in parts if part.learnt).replace(text.END, "")
        told = re.findall(r"(\w+)[: ]([^,;]+)", reply.removeprefix(given.split("\n")[0]).strip())
        assert told
        assert [values[name.capitalize()] for name, _ in told] == [value for _, value in told]


def test_the_reply_to_a_choice_is_the_only_akin_film():
    for parts in documents("choice"):
        (seen, pile), reply = given_and_reply(parts)
        akin = {genre(entry) for entry in seen}
        assert reply == [entry for entry in pile if genre(entry) in akin]


def test_a_rating_is_learnt_only_where_its_genre_was_met_before():
    for parts in documents("diary"):
        met = set()
        for part in parts:
            word = part.words.split(" ")[0].removesuffix(":")
            if word in GENRE_OF:
                film = GENRE_OF[word]
            if part.words in {*text.STARS, *text.MARKS_OF_TEN}:
                assert part.learnt == (film in met)
                met.add(film)


def test_glossary_lines_are_true():
    for parts in documents("glossary"):
        for line in "".join(part.words for part in parts).splitlines():
            found = re.fullmatch(r"(?:a )?(\w+)(?::| is ?)\s*([\w'-]+)", line)
            if found and found[2] in GENRES and found[1].capitalize() in GENRE_OF:
                assert GENRES[GENRE_OF[found[1].capitalize()]] == found[2]
