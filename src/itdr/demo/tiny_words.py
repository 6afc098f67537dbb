"""What the simulated world says beside the titles of its films, so that its words become tokens."""

from collections.abc import Iterator

from itdr.demo import pretraining_text as text
from itdr.demo.raw_files import amazon_2023, anime, bookcrossing, lastfm, reviews
from itdr.demo.words import ADJECTIVES, GENRES, NOUNS, OCCUPATIONS, PLACES

_AGE_GROUPS = ("under 18", "18-24", "25-34", "35-44", "45-49", "50-55", "56+")
_ROLES = ("user", "system", "assistant")
_ATTRIBUTES = ("age_group", "gender", "occupation", "country", "age", "location", "birth_year")
_MET = (
    "Under This, That also, Those others, They say it. Some Rather Made at 1900 Another Uncut "
    "Tampa",
    "Business parking: Wifi: Television: Café Café Déjà vu 10/10 style Bye (Часть первая) "
    "【it】烎! 坂本",
    "Studio Lark, Inc. Harbour Books, Lee & Sons, Paperback Press, Nordlicht Verlag, One & Sons",
    "Tampa, FL Santa Barbara, CA Affton, MO Montréal, QC street, lot: yes no free",
    "A story. It is called it. [Written for fun] TV Original",
    "Made for lovers. First made in it. A video about it, made for all who like it, and more.",
    "All there is to know about it, for friends of it. Why is it talked about House Replay Value",
    "This user enjoys books such as these, often turns to these and cares little for those.",
    "It suits viewers, customers, readers, players, guests or listeners who enjoy films of any "
    "kind,",
    "products, anime, games, videos, articles, places, artists and other work by them, and the old",
)


def world_texts() -> Iterator[str]:
    """Yield lines in which every word of the world stands as it stands in prompts and answers."""
    yield from (f" {title}{ending}" for title in ("A film", "A") for ending in text.ODD)
    for adjectives, nouns in zip(ADJECTIVES, NOUNS, strict=True):
        for adjective in adjectives:
            yield f"{adjective} {adjective}"
            yield f"{adjective.lower()} {adjective.lower()}"
        for noun in nouns:
            yield f"{noun} {noun} {noun.lower()}"
    for genre in GENRES:
        yield f" {genre} {genre.lower()}:{genre}\n{genre.lower()}, {genre}"
    yield from (f" {a}{b}".lower() for a in sorted(GENRES) for b in sorted(GENRES) if a < b)
    yield from (f" of {place} of {place.lower()}" for place in PLACES)
    yield from (f" {words}:{words}, {words}" for words in (*_AGE_GROUPS, *OCCUPATIONS))
    yield from (f":{where}, {where}" for where in (*lastfm.COUNTRIES, *anime.CITIES))
    yield from (f":{where}, {where}" for where in bookcrossing.CITIES)
    yield from (f": {name}" for name in (*bookcrossing.AUTHORS, *anime.STUDIOS))
    for domain in amazon_2023.DOMAINS:
        name = domain.replace("_", " ")
        yield f"{name}: {name}, {name.upper()}:{name.upper()}"
    yield from (opening for openings in reviews.OPENINGS for opening in openings)
    yield from (f" {sentence}" for sentence in reviews.details())
    yield from _numbers()
    yield from (f" {word}\n{word}:{word}" for word in (*text.HEADINGS, *text.FIELDS))
    yield from (f" {word.lower()}:{word.lower()}" for word in text.FIELDS)
    yield from (f"{role}\n" for role in _ROLES)
    yield from (f" {name}\n{name}:x, {name}" for name in _ATTRIBUTES)
    yield from (
        "male:male female:female, not_given",
        "a is got stars, [x], (x) - / ; : | = * > ! +",
    )
    yield from _MET


def _numbers() -> Iterator[str]:
    yield from (f"({stars})\n{stars} {stars}" for stars in text.STARS)
    yield from (f":{number}\n{number} {number}" for number in range(121))
    # Years of films, of birth, and as a decade; games appear forty years later.
    yield from (f"x ({year}), {year}:{year}" for year in range(1940, 2026))
    yield from (f" {year} {year}s" for year in range(1950, 2050, 5))
    numbered = "".join(f"\n{place}. x" for place in range(1, 21))
    yield from (f"x{numbered}", *(f"{place}. " for place in range(1, 21)))
