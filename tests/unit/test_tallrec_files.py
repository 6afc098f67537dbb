"""The files that TALLRec's authors released: every row can be read and scored."""

import pytest

from itdr.evaluation.predictions import why_unscorable
from itdr.instructions.record import reference_columns
from itdr.instructions.tasks import load_task
from itdr.released.reader import ReleasedRow, read_released
from tests.unit.test_windows import FOLDERS


@pytest.mark.parametrize(
    ("file", "task", "dataset", "rows", "likes"),
    [
        ("movie/valid.json", "LIKE-FILM-AS-RELEASED", "movielens-100k", 1000, 0.658),
        ("movie/test.json", "LIKE-FILM-AS-RELEASED", "movielens-100k", 1000, 0.528),
        ("book/valid.json", "LIKE-BOOK-AS-RELEASED", "bookcrossing", 2427, 0.417),
        ("book/test.json", "LIKE-BOOK-AS-RELEASED", "bookcrossing", 2427, 0.434),
    ],
)
def test_all_rows_are_read_with_the_share_of_likes_that_was_counted(
    real_samples, file, task, dataset, rows, likes
):
    path = real_samples / "tallrec" / file
    if not path.is_file():
        pytest.skip(f"no {file} among the real samples")
    read = list(read_released(path))
    assert len(read) == rows and all(isinstance(row, ReleasedRow) for row in read)
    share = sum(row.output == "Yes." for row in read) / len(read)
    assert share == pytest.approx(likes, abs=5e-4)
    settings = load_task(task, FOLDERS)
    for row in read:
        record = {"id": "x", "task": task, "dataset": dataset, "domain": None, "output": row.output,
                  "candidates": None, "targets": None}  # fmt: skip
        assert why_unscorable(reference_columns(record), settings) is None
    assert {row.instruction for row in read} == {settings.description}
