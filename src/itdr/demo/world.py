"""A small world of people and films whose tastes can be learnt from what they watch.

Every person is fond of two genres, dislikes one that they watch all the same, and now and then
tries something else. The words of a title give its genres away, as real titles often do (the first
word the main one), and age, gender and occupation pull a person towards certain genres. So each
task of the pipeline has an answer that can be worked out from its input better than by any constant
guess.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from itdr.demo.words import ADJECTIVES, GENRES, NOUNS, OCCUPATIONS, PLACES

AGE_GROUP_STARTS = (1, 18, 25, 35, 45, 50, 56)
"""Lowest age in years of each MovieLens-1M age group; the first means "under 18"."""

_ACTIVE = 3  # genres that one person watches: two loved, one disliked
_ACTIVE_SHARE = np.array([0.45, 0.30, 0.25])  # how the watching divides over them
_EXPLORE = 0.04  # share of watching outside them
_STAY = 0.25  # chance that the next film keeps the genre of the last
_LOVE = np.array([1.55, 1.25, -1.6])  # stars above or below the middle for the three active genres
_TIME_START = 946_684_800  # 2000-01-01 UTC, in seconds
_TIME_SPAN = 15 * 365 * 86_400


@dataclass(frozen=True)
class World:
    """People, films, and what the people watched.

    users: user (int), gender ("F" or "M"), age (years), occupation (0 to 20).
    items: item (int), title (str, without year), year (int), genres (list of str).
    interactions: user, item, stars (float, 0.5 to 5 in halves), time (int, seconds since 1970),
        ordered by user and time; nobody watches a film twice.
    """

    users: pd.DataFrame
    items: pd.DataFrame
    interactions: pd.DataFrame


def simulate(seed: int, users: int, items: int, interactions_per_user: int) -> World:
    """Return the world that belongs to a seed; the same arguments give the same world.

    interactions_per_user is the mean; a person watches between half and one and a half times that,
    and less where the films of their genres run out.
    """
    rng = np.random.default_rng(seed)
    item_table, primary = _make_items(rng, items)
    user_table, active = _make_users(rng, users)
    interactions = _watch(rng, active, primary, interactions_per_user)
    return World(user_table, item_table, interactions)


def _make_items(rng: np.random.Generator, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    primary = rng.permutation(np.arange(count) % len(GENRES))
    second = np.where(rng.random(count) < 0.4, rng.integers(0, len(GENRES), count), primary)
    # The films of a genre begin with different words, as long as there are enough of them.
    words = np.tile(np.arange(len(ADJECTIVES[0])), (len(GENRES), 1))
    within = pd.Series(primary).groupby(primary).cumcount().to_numpy()
    adjectives = rng.permuted(words, axis=1)[primary, within % len(ADJECTIVES[0])]
    nouns = rng.integers(0, len(NOUNS[0]), count)
    titles: list[str] = []
    taken: dict[str, int] = {}
    for genre, other, adjective, noun in zip(primary, second, adjectives, nouns, strict=True):
        title = f"{ADJECTIVES[genre][adjective]} {NOUNS[other][noun]}"
        seen = taken[title] = taken.get(title, 0) + 1
        if seen > 1:
            place = PLACES[(seen - 2) % len(PLACES)]
            part = (seen - 2) // len(PLACES)
            title += f" of {place}" + (f" {part + 1}" if part else "")
        titles.append(title)
    genres = [
        sorted({GENRES[genre], GENRES[other]}) for genre, other in zip(primary, second, strict=True)
    ]
    table = pd.DataFrame(
        {
            "item": np.arange(count),
            "title": titles,
            "year": 1950 + 5 * rng.integers(0, 11, count),
            "genres": genres,
        }
    )
    return table, primary


def _make_users(rng: np.random.Generator, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the people and, per person, the positions of their three active genres."""
    gender = rng.integers(0, 2, count)
    group = rng.integers(0, len(AGE_GROUP_STARTS), count)
    occupation = rng.integers(0, len(OCCUPATIONS), count)
    pull = rng.gumbel(size=(count, len(GENRES)))
    genre = np.arange(len(GENRES))
    # Even genres draw men and odd ones women; each age group and each occupation has a favourite.
    pull += 2.5 * (genre % 2 == gender[:, None])
    pull += 3.0 * (genre == (group % len(GENRES))[:, None])
    pull += 3.0 * (genre == ((occupation * 7 + 3) % len(GENRES))[:, None])
    active = np.argsort(-pull, axis=1)[:, :_ACTIVE]
    starts = np.array(AGE_GROUP_STARTS)
    table = pd.DataFrame(
        {
            "user": np.arange(count),
            "gender": np.where(gender == 1, "F", "M"),
            "age": starts[group] + rng.integers(0, 5, count),
            "occupation": occupation,
        }
    )
    return table, active


def _watch(
    rng: np.random.Generator, active: np.ndarray, primary: np.ndarray, mean: int
) -> pd.DataFrame:
    count = len(active)
    # A film met a second time is dropped, so draw more than are wanted and cut afterwards.
    wanted = rng.integers(mean // 2, mean + mean // 2 + 1, count)
    drawn = wanted * 2
    user = np.repeat(np.arange(count), drawn)
    slot = _slots(rng, user)
    explore = rng.random(len(user)) < _EXPLORE
    genre = np.where(explore, rng.integers(0, len(GENRES), len(user)), active[user, slot])
    item = _films_of_genres(rng, genre, primary)
    affinity = np.where(active[user] == genre[:, None], _LOVE, 0.0).sum(axis=1)
    quality = rng.normal(0, 0.2, len(primary))
    stars = 3.0 + affinity + quality[item] + rng.normal(0, 0.3, len(user))
    frame = pd.DataFrame(
        {"user": user, "item": item, "stars": np.clip(np.round(stars * 2) / 2, 0.5, 5.0)}
    )
    frame = frame[~frame.duplicated(["user", "item"])]
    position = frame.groupby("user").cumcount().to_numpy()
    frame = frame[position < wanted[frame["user"].to_numpy()]].reset_index(drop=True)
    first = rng.integers(_TIME_START, _TIME_START + _TIME_SPAN, count)
    gap = rng.integers(60, 3 * 86_400, len(frame))
    frame["time"] = first[frame["user"]] + gap.cumsum() - _sum_before_user(gap, frame["user"])
    return frame


def _slots(rng: np.random.Generator, user: np.ndarray) -> np.ndarray:
    """Return for each step which active genre is watched, with runs of the same genre."""
    slot = rng.choice(_ACTIVE, len(user), p=_ACTIVE_SHARE)
    fresh = rng.random(len(user)) >= _STAY
    fresh |= np.r_[True, user[1:] != user[:-1]]
    last_fresh = np.maximum.accumulate(np.where(fresh, np.arange(len(user)), 0))
    return slot[last_fresh]


def _films_of_genres(
    rng: np.random.Generator, genre: np.ndarray, primary: np.ndarray
) -> np.ndarray:
    """Return a film of each wanted genre, the front ones of a genre far more often."""
    order = np.argsort(primary, kind="stable")
    start = np.searchsorted(primary[order], np.arange(len(GENRES)))
    size = np.bincount(primary, minlength=len(GENRES))
    rank = np.floor(rng.random(len(genre)) ** 1.3 * size[genre]).astype(np.int64)
    return order[start[genre] + rank]


def _sum_before_user(gap: np.ndarray, user: pd.Series) -> np.ndarray:
    """Return for each row the sum of all gaps that belong to earlier users."""
    total = np.r_[0, gap.cumsum()]
    first_row = np.searchsorted(user.to_numpy(), user.to_numpy(), side="left")
    return total[first_row]
