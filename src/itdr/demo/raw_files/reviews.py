"""Reviews for the simulated world: plain sentences that fit an item's genres and the stars."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.words import ADJECTIVES, GENRES, NOUNS
from itdr.demo.world import World

_TITLES = (
    ("A waste of money", "Terrible", "Do not bother", "One Star"),
    ("Disappointed", "Not for me", "Two Stars", "Expected more"),
    ("It is okay", "Mixed feelings", "Three Stars", "Neither good nor bad"),
    ("Very good", "I like it", "Four Stars", "Well worth it"),
    ("Wonderful!", "Five Stars", "My new favourite", "Could not be better"),
)
"""Headings of a review, by whole stars from 1 to 5."""

OPENINGS = (
    ("I could not stand it.", "This was awful from start to end.", "I gave up after an hour."),
    ("I had hoped for more.", "It did not hold my interest.", "Rather weak, I am afraid."),
    ("It was all right.", "Some of it works and some does not.", "Neither here nor there."),
    ("I enjoyed this a good deal.", "A solid choice.", "It is better than I thought."),
    ("I loved every minute.", "This is as good as it gets.", "I keep coming back to it."),
)

_DETAILS = (
    ("The {noun} part annoyed me", "I have had enough of the {noun}", "Even the {noun} is dull"),
    ("The {noun} did little for me", "There is too much {noun} here", "The {noun} wears thin"),
    ("The {noun} is fair", "I am not sure about the {noun}", "The {noun} came and went"),
    ("The {noun} is nicely done", "I liked the {noun}", "The {noun} makes up for the rest"),
    ("The {noun} is superb", "I adore the {noun}", "Nobody does the {noun} better"),
)

_ENDINGS = (
    ", and I do not care for {genre} titles anyway.",
    ", and {genre} titles are not my thing.",
    ", which is usual for {genre} titles.",
    ", and I am fond of {genre} titles.",
    ", and I cannot get enough of {adjective} {genre} titles.",
)


def review_titles(world: World, rows: pd.DataFrame, rng: np.random.Generator) -> pa.Array:
    """Return a heading for each of some rows of the world's interactions (text, shape (rows,))."""
    table = pa.array([title for titles in _TITLES for title in titles])
    width = len(_TITLES[0])
    return table.take(pa.array(_level(rows) * width + rng.integers(0, width, len(rows))))


def review_texts(world: World, rows: pd.DataFrame, rng: np.random.Generator) -> pa.Array:
    """Return two sentences for each of some rows of the world's interactions (text, (rows,)).

    They praise or blame as the stars do and name one of the item's genres.
    """
    level = _level(rows)
    genre = _one_genre(world, rows["item"].to_numpy(), rng)
    openings = _pick(OPENINGS, level, rng)
    # A detail depends on the stars and the genre, so all of them can be spelled out beforehand.
    spelled_out = details()
    per_pair = len(spelled_out) // (len(_DETAILS) * len(GENRES))
    detail = (level * len(GENRES) + genre) * per_pair + rng.integers(0, per_pair, len(rows))
    return pc.binary_join_element_wise(openings, pa.array(spelled_out).take(pa.array(detail)), " ")


def _level(rows: pd.DataFrame) -> np.ndarray:
    """Return 0 to 4 for one to five whole stars."""
    return np.clip(np.floor(rows["stars"].to_numpy() + 0.5), 1, 5).astype(np.int64) - 1


def _one_genre(world: World, item: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the number of one of the genres of each item."""
    numbers = {name: number for number, name in enumerate(GENRES)}
    genres = [[numbers[name] for name in names] for names in world.items["genres"]]
    first = np.array([names[0] for names in genres])
    last = np.array([names[-1] for names in genres])
    return np.where(rng.random(len(item)) < 0.5, first[item], last[item])


def _pick(
    choices: tuple[tuple[str, ...], ...], level: np.ndarray, rng: np.random.Generator
) -> pa.Array:
    width = len(choices[0])
    table = pa.array([text for texts in choices for text in texts])
    return table.take(pa.array(level * width + rng.integers(0, width, len(level))))


def details() -> list[str]:
    """Return the second sentences by level and genre, equally many for each."""
    sentences = []
    for templates, ending in zip(_DETAILS, _ENDINGS, strict=True):
        for genre, nouns, adjectives in zip(GENRES, NOUNS, ADJECTIVES, strict=True):
            for noun, adjective in zip(nouns * 2, adjectives, strict=True):
                words = {"noun": noun.lower(), "adjective": adjective.lower()}
                words["genre"] = genre.lower()
                sentences += [(template + ending).format(**words) for template in templates]
    return sentences
