"""When two values of an attribute say the same: "female" and "F", "UK" and "United Kingdom".

Compared without regard to case, accents, punctuation and words of doubt; a country stands alone or
at the end of a place. Names and codes of countries are those of ISO 3166 (pycountry), and the few
others in common use below.
"""

import re
from functools import cache, lru_cache

import pycountry

from itdr.evaluation.answers.titles import words

_WORDS_OF_GENDERS = {
    "f": """f she her female females woman women girl lady gal feminine femenino mujer femme feminin
            weiblich frau женскии 女 女性""",
    "m": """m he his male males man men boy gentleman guy dude masculine masculino hombre homme
            masculin mannlich mann мужскои 男 男性""",
}
_GENDERS = {word: gender for gender, found in _WORDS_OF_GENDERS.items() for word in found.split()}
_FILLERS = set(
    re.findall(
        r"\w+",
        "a an the mostly mainly likely probably possibly most rather more young old older adult "
        "user person appears seems to be is leaning predominantly identifies as percent "
        "i id say guess",
    )
)
_DOUBT = re.compile(
    r"^(?:(?:most )?likely|probably|possibly|perhaps|maybe|presumably)\s+|"
    r"\s*\?+$|,\s(?:most likely|likely|probably|possibly|perhaps|maybe|presumably|"
    r"i think|i guess)$|"
    r"\s*\([^()]{0,60}\b(?:likely|guess|estimate|estimated|probably|approx|confidence)\b[^()]{0,20}\)$",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"|not .*|n a|unknown|none|null|nan|undefined|unspecified|undisclosed|unclear|"
    r"cannot be determined|value|string|[xyz]"
)
_LITTLE = re.compile(
    r"(?:no|unknown|cannot|cant|unable|insufficient|undetermined|undefined|unspecified|undisclosed|"
    r"unclear|unsure|uncertain|indeterminate|prefer not|impossible|hard to)(?: .*)?|"
    r"tbd|any|anything|either|both|all|.* unknown|"
    r"(?:your |the )?(?:city|country|state|town)(?: (?:city|country|state))*"
)
_YEARS = re.compile(r"(\d\+?)\s*(?:years?|yrs?|y\.?o\.?)\b(?:[ -](?:old|of age))?$", re.IGNORECASE)
_COMMON_NAMES = {
    "GB": ("uk", "u k", "great britain", "britain", "england", "scotland", "wales"),
    "US": ("us", "u s", "u s a", "america", "united states of america", "the states"),
    "RU": ("russia",),
    "NL": ("holland",),
    "TR": ("turkey",),
    "KR": ("korea",),
    "KP": ("north korea",),
    "CI": ("ivory coast",),
    "MK": ("macedonia",),
    "CZ": ("czech republic",),
    "LA": ("laos",),
    "SY": ("syria",),
    "MM": ("burma",),
    "SZ": ("swaziland",),
    "CV": ("cape verde",),
    "VA": ("vatican",),
    "BR": ("brasil",),
    "DE": ("deutschland",),
    "ES": ("espana",),
    "IT": ("italia",),
}


def same_value(found: str, expected: str, lenient: bool) -> bool:
    """Say whether a value is the expected one: the same text or, leniently, the same words."""
    return found == expected or (lenient and plain_value(found) == plain_value(expected) != "")


@lru_cache(1 << 14)
def plain_value(value: str) -> str:
    """Return a value as it is compared; different values never become the same."""
    value = _YEARS.sub(r"\1", without_doubt(value))
    value = re.sub(r"(\d)\s?(?:to|-|\N{EN DASH})\s?(?=\d)", r"\1 ", value)
    gender = _gender(value)
    if gender:
        return gender
    *place, last = re.sub(r"\s*\([^()]*\)$", "", value).split(",")
    if place and _country(f"{place[-1]},{last}"):  # "Seoul, Korea, Republic of"
        last = f"{place.pop()},{last}"
    country = _country(value) or _country(last)
    if country and country == _country(value):
        return country
    return " ".join(filter(None, (*map(words, place), country or words(last)))) or words(value)


def without_doubt(value: str) -> str:
    """Return a value without "likely", "(estimated)" and the like."""
    return _DOUBT.sub("", value.strip())


def says_nothing(value: str, name: str) -> bool:
    """Say whether a value is none: "unknown", a placeholder, denied, or two at once."""
    plain = words(value)
    if _NO_VALUE.fullmatch(plain) or plain == words(name):
        return True
    sides = re.split(r"\s+or\s+|/", re.sub(r"\s*\([^()]*\)$", "", value))
    known = {_gender(side) or _country(side) for side in sides}
    return len(known) > 1 and None not in known


def says_little(value: str, name: str) -> bool:
    """Say whether a value speaks of none or of several, in words that may also be a name."""
    genders = {_GENDERS[word] for word in words(value).split() if word in _GENDERS}
    countries = {_country(side) for side in re.split(r",|&|/|\band\b", value)}
    several = len(countries - {None}) > 1 and "country" in name.lower()
    return _LITTLE.fullmatch(words(value)) is not None or several or len(genders) > 1


def _gender(value: str) -> str | None:
    """Return the gender of which all words of a value speak."""
    found = {
        _GENDERS.get(word)
        for word in words(value).split()
        if word not in _FILLERS and not word.isdigit()
    }
    return found.pop() if len(found) == 1 else None


def _country(value: str) -> str | None:
    """Return the code of a country's name; two letters must be capitals to be a code."""
    value = value.strip(" .")
    if len(value) == 2 and value.isupper() and pycountry.countries.get(alpha_2=value):
        return value
    name = words(value)
    return _countries().get(name.removeprefix("the "))


@cache
def _countries() -> dict[str, str]:
    fields = ("name", "official_name", "common_name", "alpha_3")
    found = {
        words(getattr(country, field)): country.alpha_2
        for country in pycountry.countries
        for field in fields
        if hasattr(country, field)
    }
    for country in pycountry.countries:  # "Korea, Republic of" is "Republic of Korea"
        head, comma, tail = country.name.partition(", ")
        if comma:
            found[words(f"{tail} {head}")] = country.alpha_2
    return found | {name: code for code, names in _COMMON_NAMES.items() for name in names}
