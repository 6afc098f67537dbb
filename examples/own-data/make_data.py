"""Make the three CSV files of this example: an invented town library and what its members borrow.

    python examples/own-data/make_data.py

Every member likes two shelves and gives their books more stars than others, so that the stars of a
book can be guessed from the ones before. A few rows are broken on purpose; the pipeline lists them.
"""

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent / "data"
MEMBERS, LOANS = 220, (8, 16)
WORDS = {
    "Crime": ("Silent Cold Last Hidden Stolen Torn", "Witness Alibi Verdict Motive Cellar Letter"),
    "Travel": ("Slow Distant Northern Open Winding High", "Road Harbour Island Train Border Coast"),
    "Cooking": ("Simple Sweet Salted Green Golden Warm", "Bread Kitchen Soup Orchard Spice Table"),
    "History": ("Old Forgotten Fallen First Great Iron", "Empire Castle Queen Siege Senate Plague"),
    "Science": ("Quantum Tiny Deep Curious Bright Dark", "Atom Ocean Brain Comet Fossil Signal"),
    "Romance": ("Tender Secret Faithful Summer Shy", "Kiss Promise Dance Heart Wedding Rose Vow"),
}  # fmt: skip
BRANCHES = ("Station", "Riverside", "Old Town")
FIRST_DAY = datetime(2023, 1, 2, 9, 0)
BROKEN = [
    ["", "B003", "4", "2023-05-01 10:00"],
    ["M0005", "B010", "11", "2023-05-02 11:30"],
    ["M0006", "B011", "3", "sometime in May"],
]


def books() -> dict[str, tuple[str, str]]:
    """Return id to title and shelf."""
    found = {}
    for shelf, (adjectives, nouns) in WORDS.items():
        for adjective in adjectives.split():
            for noun in nouns.split():
                found[f"B{len(found) + 1:03}"] = (f"The {adjective} {noun}", shelf)
    return found


def loans(draw: random.Random, library: dict[str, tuple[str, str]]) -> list[list[str]]:
    """Return member, book, stars (often none) and time of every loan."""
    by_shelf = {shelf: [b for b, (_, s) in library.items() if s == shelf] for shelf in WORDS}
    rows = []
    for number in range(1, MEMBERS + 1):
        liked = draw.sample(list(WORDS), 2)
        day = FIRST_DAY + timedelta(days=draw.randrange(200))
        taken: set[str] = set()
        for _ in range(draw.randint(*LOANS)):
            shelf = draw.choice(liked) if draw.random() < 0.65 else draw.choice(list(WORDS))
            book = draw.choice([book for book in by_shelf[shelf] if book not in taken])
            taken.add(book)
            day += timedelta(days=draw.randrange(1, 30), minutes=30 * draw.randrange(16))
            stars = draw.choice((4, 5) if shelf in liked else (1, 2, 3))
            told = str(stars) if draw.random() < 0.9 else ""
            rows.append([f"M{number:04}", book, told, f"{day:%Y-%m-%d %H:%M}"])
            day = day.replace(hour=9, minute=0)
    return rows


def write(name: str, rows: list[list[str]]) -> None:
    """Write a CSV file."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main() -> None:
    """Write loans.csv, books.csv and members.csv; the same bytes every time."""
    draw = random.Random(7)  # noqa: S311 (not for secrets)
    library = books()
    rows = loans(draw, library) + BROKEN
    draw.shuffle(rows)
    members = [
        [f"M{number:04}", str(draw.randint(9, 90)) if draw.random() < 0.8 else "unknown",
         draw.choice(BRANCHES)]
        for number in range(1, MEMBERS + 1)
    ]  # fmt: skip
    HERE.mkdir(exist_ok=True)
    write("loans.csv", [["card", "book", "stars", "borrowed"], *rows])
    shelved = [[book, title, shelf] for book, (title, shelf) in library.items()]
    write("books.csv", [["book", "title", "shelf"], *shelved])
    write("members.csv", [["card", "age", "branch"], *members])


if __name__ == "__main__":
    main()
