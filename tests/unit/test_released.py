"""The authors' released files: whole, checked, and every row kept or counted with a reason."""

import hashlib
import json
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st

from itdr.cli.main import main
from itdr.datasets.adapters.amazon_2023 import DOMAINS
from itdr.errors import DataError, DownloadError, MissingFileError, SettingsError
from itdr.files.formats import read_json, read_parquet
from itdr.instructions.audit.run import audit
from itdr.instructions.record import RECORD
from itdr.instructions.tasks import load_task
from itdr.released.candidates import Choice, find_choice
from itdr.released.fetch import fetch_release
from itdr.released.importing import REJECTED, import_release
from itdr.released.manifest import ReleasedFile, files_of, load_manifest
from itdr.released.reader import Rejected, ReleasedRow, read_released
from itdr.retry import RetryPolicy
from itdr.settings.audit import AuditSettings
from itdr.settings.folders import FOLDERS
from itdr.settings.release import ReleaseSettings
from itdr.vocabulary import Part
from tests.release import MANIFEST, example, make_release, paths_of

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 31\n"
AT_ONCE = RetryPolicy(retries=1, first_wait_s=0.0, timeout_s=5.0)


def brought(release: Path, out: Path, task: str, dataset: str) -> Path:
    """Fetch from a local folder and return the folder with regular names."""
    files = files_of(MANIFEST, task, dataset)
    fetch_release(files, out / "fetched", ReleaseSettings(folder=str(release)))
    return out / "fetched"


def imported(release: Path, out: Path, task: str, dataset: str, seed: int = 1) -> dict[str, Any]:
    """Fetch and import; return import.json."""
    folder = brought(release, out, task, dataset)
    files, settings = files_of(MANIFEST, task, dataset), load_task(task)
    report = import_release(files, folder, out / "parts", settings, seed=seed)
    assert report == read_json(out / "parts" / "import.json")
    return report


def records(out: Path, part: str) -> list[dict[str, Any]]:
    """Return the examples of a part."""
    return read_parquet(out / "parts" / f"{part}.parquet", RECORD).to_pylist()


# The manifest


def test_the_manifest_has_all_33_pairs_in_three_parts() -> None:
    files = load_manifest(MANIFEST)
    cells = {(file.task, file.dataset) for file in files}
    assert (len(files), len(cells)) == (207, 33)
    for part in Part:
        assert {(f.task, f.dataset) for f in files if f.part is part} == cells


def test_irregular_names_get_regular_ones() -> None:
    names = {file.path: (file.part, file.name) for file in load_manifest(MANIFEST)}
    folder = "ITDR_val_data"
    odd = f"{folder}/task_next item recommendation source_MicroLens val2.json"
    assert names[odd] == (Part.VAL, "val.json")
    beauty = f"{folder}/task_target user identification source_Amazon-Review-2023-Beauty val.json"
    assert names[beauty] == (Part.VAL, "All_Beauty.val.json")


def test_domains_are_called_as_in_the_tables() -> None:
    for task in ("TKR", "NIR", "TUI"):
        files = files_of(MANIFEST, task, "amazon-2023")
        assert {file.domain for file in files} == set(DOMAINS)


def test_an_unknown_pair_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no RP/mind. It has CDR/amazon-2023, "):
        files_of(MANIFEST, "RP", "mind")


@pytest.mark.parametrize(
    "line",
    [
        "../x.json,train,RP,yelp,," + "0" * 64 + ",1",
        "x.json,training,RP,yelp,," + "0" * 64 + ",1",
        "x.json,train,RP,yelp,,0,1",
        "x.json,train,RP,yelp,," + "0" * 64 + ",many",
        "x.json,train",
    ],
)
def test_a_wrong_manifest_names_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(f"path,split,task,dataset,domain,sha256,bytes\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        load_manifest(path)


# Fetching


class Site:
    """A web server with a folder's files, which counts requests."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.url = folder, list[str](), ""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "site")
    site.folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(unquote(self.path).lstrip("/"))
            super().do_GET()

        def log_message(self, *args: object) -> None: ...

    def handler(*args: Any) -> Handler:
        return Handler(*args, directory=str(site.folder))

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def published(folder: Path, task: str, dataset: str) -> list[ReleasedFile]:
    """Return the manifest's files as if those in the folder were the published ones."""
    return [
        file.model_copy(
            update={
                "sha256": hashlib.sha256((folder / file.path).read_bytes()).hexdigest(),
                "bytes": (folder / file.path).stat().st_size,
            }
        )
        for file in files_of(MANIFEST, task, dataset)
    ]


def test_files_are_downloaded_checked_and_not_brought_twice(site: Site, tmp_path: Path) -> None:
    make_release(site.folder, ("NIR", "microlens"))
    files = published(site.folder, "NIR", "microlens")
    settings = ReleaseSettings(address=site.url)
    for _ in range(2):
        fetch_release(files, tmp_path / "out", settings, retry_policy=AT_ONCE)
    assert site.asked == [file.path for file in files]
    for file in files:
        assert (tmp_path / "out" / file.name).read_bytes() == (site.folder / file.path).read_bytes()
    told = read_json(tmp_path / "out" / "manifest.json")["files"]
    assert [item["published"] for item in told] == [True] * 3
    assert told[0]["path"] == files[0].path


def test_a_download_that_is_not_the_published_file_is_refused(site: Site, tmp_path: Path) -> None:
    make_release(site.folder, ("RP", "yelp"))
    files = files_of(MANIFEST, "RP", "yelp")
    with pytest.raises(DownloadError, match=r"what came for train.json is not the file"):
        fetch_release(
            files, tmp_path / "out", ReleaseSettings(address=site.url), retry_policy=AT_ONCE
        )
    assert not (tmp_path / "out" / "train.json").exists()


def test_a_downloaded_pointer_is_refused_with_the_commands_that_get_the_content(
    site: Site, tmp_path: Path
) -> None:
    make_release(site.folder, ("RP", "yelp"))
    files = files_of(MANIFEST, "RP", "yelp")
    (site.folder / files[0].path).write_text(POINTER.format(files[0].sha256))
    with pytest.raises(DownloadError, match=r"Git LFS pointer.*git lfs install && git clone http"):
        fetch_release(
            files, tmp_path / "out", ReleaseSettings(address=site.url), retry_policy=AT_ONCE
        )


def test_a_local_pointer_is_refused_with_the_command_that_gets_the_content(tmp_path: Path) -> None:
    release = make_release(tmp_path / "my clone", ("RP", "yelp"))
    path = release / paths_of("RP", "yelp")["val"][0]
    path.write_text(POINTER.format("0" * 64))
    with pytest.raises(DataError) as caught:
        brought(release, tmp_path, "RP", "yelp")
    assert f"{path}: it is a Git LFS pointer" in str(caught.value)
    assert f"git -C '{release}' lfs pull" in str(caught.value)
    assert not (tmp_path / "fetched" / "manifest.json").exists()


def test_local_files_are_linked_wherever_they_lie_and_told_apart(tmp_path: Path) -> None:
    release = make_release(tmp_path / "clone", ("RP", "yelp"))
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in release.rglob("*.json"):
        path.rename(flat / path.name)
    folder = brought(flat, tmp_path, "RP", "yelp")
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "test.json",
        "train.json",
        "val.json",
    ]
    told = read_json(folder / "manifest.json")["files"]
    assert [item["published"] for item in told] == [False] * 3


def test_missing_local_files_are_all_named(tmp_path: Path) -> None:
    release = make_release(tmp_path / "clone", ("RP", "yelp"))
    for part in ("train", "test"):
        (release / paths_of("RP", "yelp")[part][0]).unlink()
    with pytest.raises(MissingFileError) as caught:
        brought(release, tmp_path, "RP", "yelp")
    assert "2 of 3 files are not there" in str(caught.value)
    assert "task_Rating Prediction source_yelp test.json" in str(caught.value)


def test_an_html_page_is_no_release(tmp_path: Path) -> None:
    release = make_release(tmp_path / "clone", ("RP", "yelp"))
    (release / paths_of("RP", "yelp")["train"][0]).write_text("<html>log in</html>")
    with pytest.raises(DataError, match="HTML page"):
        brought(release, tmp_path, "RP", "yelp")


# Reading


def rows(tmp_path: Path, text: str | bytes) -> list[ReleasedRow | Rejected]:
    path = tmp_path / "file.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_released(path))


GOOD = {"instruction": "I", "input": "Q", "output": "A"}


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_and_lines_are_read_alike(tmp_path: Path, bom: str, indent: int | None) -> None:
    values = [GOOD, GOOD | {"input": "two\nlines\u2028and \u00e9"}]
    array = json.dumps(values, ensure_ascii=False, indent=indent)
    lines = "\r\n\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    assert rows(tmp_path, bom + array) == rows(tmp_path, bom + lines)
    assert rows(tmp_path, array) == [
        ReleasedRow(1, "I", "Q", "A"),
        ReleasedRow(2, "I", "two\nlines\u2028and \u00e9", "A"),
    ]


def test_a_number_is_the_text_that_it_is_written_as(tmp_path: Path) -> None:
    text = '[{"instruction": "I", "input": "Q", "output": 4.0}]'
    assert rows(tmp_path, text) == [ReleasedRow(1, "I", "Q", "4.0")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"text"', "not an object"),
        ("null", "not an object"),
        ("[]", "not an object"),
        ('{"instruction": "I", "input": "Q"}', "no output"),
        ('{"input": "Q", "output": "A"}', "no instruction"),
        ('{"instruction": "I", "input": null, "output": "A"}', "input is not a text"),
        ('{"instruction": "I", "input": ["Q"], "output": "A"}', "input is not a text"),
        ('{"instruction": "I", "input": "Q", "output": NaN}', "output is not a text"),
        ('{"instruction": "I", "input": " ", "output": "A"}', "input is empty"),
        ('{"instruction": "I", "input": "Q", "output": ""}', "output is empty"),
        ('{"instruction": "I", "input": "\\ud800", "output": "A"}', "input is not UTF-8"),
        (b'{"instruction": "I", "input": "Q", "output": "\xff"}', "output is not UTF-8"),
    ],
)
def test_a_malformed_row_is_told_from_the_others(
    tmp_path: Path, value: str | bytes, reason: str
) -> None:
    wrong = value if isinstance(value, bytes) else value.encode()
    good = json.dumps(GOOD).encode()
    for text in (b"[%b, %b, %b]" % (good, wrong, good), b"%b\n%b\n%b" % (good, wrong, good)):
        first, second, third = rows(tmp_path, text)
        assert (
            isinstance(first, ReleasedRow) and isinstance(third, ReleasedRow) and third.number == 3
        )
        assert isinstance(second, Rejected)
        assert (second.number, second.reason) == (2, reason)


def test_a_line_that_is_no_json_is_rejected_with_its_text(tmp_path: Path) -> None:
    good = json.dumps(GOOD)
    assert rows(tmp_path, f'{good}\n{{"instr\n{good}')[1] == Rejected(2, "not JSON", '{"instr')


@pytest.mark.parametrize(
    "text", ["", " \n", '[{"instruction": "I"', "[" * 100_000, "not json", '{\n"a": 1\n}', "[1] 2"]
)
def test_a_file_that_is_no_json_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"file\.json: "):
        rows(tmp_path, text)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
LIKE_ROWS = st.dictionaries(st.sampled_from(["instruction", "input", "output", "x"]), ANY_JSON)


@given(st.lists(LIKE_ROWS | ANY_JSON, min_size=1), st.booleans())
def test_every_row_comes_out_as_an_example_or_as_rejected(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], ascii_only: bool
) -> None:
    text = json.dumps(values, ensure_ascii=ascii_only)
    got = rows(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass"))
    assert [row.number for row in got] == list(range(1, len(values) + 1))
    for value, row in zip(values, got, strict=True):
        if isinstance(row, ReleasedRow):
            written = value["input"]
            assert row.input == written if isinstance(written, str) else json.dumps(written)
            assert row.input.strip() and row.output.strip()


@given(st.binary(max_size=200))
@case(b"[" * 2000)
@case(b'{"instruction": "I", "input": "Q", "output": "A"}\n\xff')
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    try:
        got = rows(tmp_path_factory.getbasetemp(), data)
    except DataError:
        return
    assert all(isinstance(row, ReleasedRow | Rejected) for row in got)


# Candidates


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Seen:\n1. A\nAmong:\n1. D\n2. B\n3. C\n4. E", "1. B\n2. C\n3. D\n4. E"),
        ("Seen: 1. A Among: 1. D 2. B 3. C 4. E", "1. B 2. C 3. D 4. E"),
        ("Seen [A], among [D, B, C, E]", "1) B\n2) C\n3) D\n4) E"),
    ],
)
def test_a_ranking_names_all_candidates_the_true_ones_first(text: str, output: str) -> None:
    assert find_choice("ranked_list", text, output) == Choice(("D", "B", "C", "E"), ("B", "C"))


def test_a_title_within_another_is_not_found_there() -> None:
    text = "Seen:\n1. Alien 3\nAmong:\n1. Aliens\n2. Alien\n3. Alien 3\n4. The Alien"
    choice = find_choice("ranked_list", text, "1. Alien\n2. The Alien\n3. Aliens\n4. Alien 3")
    assert choice == Choice(("Aliens", "Alien", "Alien 3", "The Alien"), ("Alien", "The Alien"))


def test_a_ranking_of_something_that_is_not_shown_has_no_candidates() -> None:
    assert find_choice("ranked_list", "1. A\n2. B", "1. A\n2. Z") is None
    assert find_choice("ranked_list", "1. A", "A") is None


@pytest.mark.parametrize(
    "text",
    [
        "Seen:\n1. X:Drama\n2. Y:Crime\nOne of:\n1. B\n2. A: the film\n3. C\nWhich?",
        "Seen: 1. X 2. Y\nOne of: 1. B 2. A: the film 3. C",
        "Seen:\n- X\n- Y\n\nOne of:\n- B\n- A: the film\n- C",
    ],
)
def test_the_next_item_stands_in_the_last_list_that_holds_it(text: str) -> None:
    choice = find_choice("title", text, "A: the film")
    assert choice == Choice(("B", "A: the film", "C"), ("A: the film",))


def test_categories_behind_candidates_are_left_out() -> None:
    text = "One of:\n1. B:Drama\n2. A: the film:Crime\n3. C:Horror"
    choice = find_choice("title", text, "A: the film")
    assert choice == Choice(("B", "A: the film", "C"), ("A: the film",))


# Importing


@pytest.mark.parametrize(
    "cell",
    [("RP", "movielens-32m"), ("TKR", "mind"), ("NIR", "microlens"), ("UAP", "movielens-1m")],
    ids="/".join,
)
def test_released_files_become_parts(tmp_path: Path, cell: tuple[str, str]) -> None:
    task, dataset = cell
    report = imported(make_release(tmp_path / "clone", cell), tmp_path, *cell)
    assert [file["read"] for file in report["files"]] == [20] * 3
    assert [file["kept"] for file in report["files"]] == [20] * 3
    by_id = {record["id"]: record for record in records(tmp_path, "train")}
    first = by_id[f"{task}/{dataset}/train-1"]
    assert {name: first[name] for name in GOOD} == example(task, 0)
    assert (first["user_id"], first["history"], first["template_version"]) == (None, None, 0)
    if task in ("TKR", "NIR"):
        titles = [item["title"] for item in first["candidates"]]
        assert len(titles) == (10 if task == "TKR" else 5)
        assert (
            first["targets"]
            == [line.partition(". ")[2] or line for line in first["output"].split("\n")][
                : 5 if task == "TKR" else 1
            ]
        )
        assert set(first["targets"]) < set(titles)


def test_all_domains_of_a_dataset_become_one_part(tmp_path: Path) -> None:
    release = make_release(tmp_path / "clone", ("NIR", "amazon-2023"), rows=3)
    report = imported(release, tmp_path, "NIR", "amazon-2023")
    assert len(report["files"]) == 36
    train = records(tmp_path, "train")
    assert {record["domain"] for record in train} == set(DOMAINS)
    assert len({record["id"] for record in train}) == len(train) == 36
    # In a random order, so that the first rows are not of one domain.
    assert len({record["domain"] for record in train[:12]}) > 3


def test_the_order_depends_on_the_seed_alone(tmp_path: Path) -> None:
    release = make_release(tmp_path / "clone", ("RP", "yelp"))
    orders = []
    for seed in (1, 1, 2):
        imported(release, tmp_path, "RP", "yelp", seed=seed)
        orders.append([record["id"] for record in records(tmp_path, "test")])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_rows_read_are_rows_kept_and_rows_rejected(tmp_path: Path) -> None:
    good = [example("RP", number) for number in range(5)]
    test = [*good, {"input": "Q"}, None, example("RP", 1) | {"output": "eleven"}]
    release = make_release(tmp_path / "clone", ("RP", "yelp"), test=test)
    report = imported(release, tmp_path, "RP", "yelp")
    of_test = report["files"][-1]
    assert (of_test["read"], of_test["kept"]) == (8, 5)
    assert of_test["rejected"] == {
        "its output cannot be scored": 1,
        "no instruction": 1,
        "not an object": 1,
    }
    rejected = read_parquet(tmp_path / "parts" / "rejected.parquet", REJECTED).to_pylist()
    assert [(row["row"], row["text"]) for row in rejected][:2] == [
        (6, '{"input": "Q"}'),
        (7, "null"),
    ]
    assert "'eleven' is not a number from 1 to 5" in rejected[2]["detail"]


def test_training_needs_no_candidates_but_scoring_does(tmp_path: Path) -> None:
    odd = [{"instruction": "I", "input": "Which?", "output": "This"}]
    good = [example("NIR", number) for number in range(4)]
    release = make_release(
        tmp_path / "clone", ("NIR", "microlens"), train=good + odd, test=good + odd
    )
    train, _, test = imported(release, tmp_path, "NIR", "microlens")["files"]
    assert (train["kept"], train["without_candidates"]) == (5, 1)
    assert (test["kept"], test["rejected"]) == (4, {"its candidates cannot be found": 1})


def test_a_part_of_which_nothing_is_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    test = [example("RP", 1) | {"output": "99"}] * 3
    release = make_release(tmp_path / "clone", ("RP", "yelp"), test=test)
    with pytest.raises(DataError) as caught:
        imported(release, tmp_path, "RP", "yelp")
    assert "no example of the part test is left" in str(caught.value)
    assert "3 rows: its output cannot be scored, such as row 1 of ITDR_test" in str(caught.value)
    assert "'99' is not a number from 1 to 5" in str(caught.value)
    assert not (tmp_path / "parts").exists()


def audited(out: Path) -> dict[str, Any]:
    """Audit imported parts and return audit.json."""
    parts = [out / "parts" / f"{part}.parquet" for part in Part]
    return audit(parts, out / "audit", AuditSettings(), folders=FOLDERS)


@pytest.mark.parametrize(
    ("task", "dataset"),
    [
        ("RP", "yelp"),
        ("TKR", "mind"),
        ("CDR", "amazon-2023"),
        ("NIR", "pixelrec"),
        ("UAP", "movielens-1m"),
        ("IR", "steam"),
        ("TUI", "amazon-2023"),
    ],
)
def test_imported_examples_pass_the_audit(tmp_path: Path, task: str, dataset: str) -> None:
    imported(make_release(tmp_path / "clone", (task, dataset)), tmp_path, task, dataset)
    report = audited(tmp_path)
    assert report["clean"], report["checks"]
    unchecked = {row["check"]: row["unchecked"] for row in report["checks"]}
    who = "shared-item" if task == "TUI" else "shared-user"
    assert "the examples do not say whose they are" in unchecked[who]


def test_faults_of_the_release_are_found(tmp_path: Path) -> None:
    train = [example("UAP", 1), example("UAP", 2), example("UAP", 1)]
    train[1]["instruction"] = ""
    train.append({"instruction": "I", "input": "She is gender:F", "output": "gender:F"})
    cell = ("UAP", "movielens-1m")
    imported(make_release(tmp_path / "clone", cell, train=train), tmp_path, *cell)
    report = audited(tmp_path)
    assert {row["check"]: row["faults"] for row in report["checks"] if row["faults"]} == {
        "duplicate-example": 1,
        "empty-field": 1,
        "leaked-answer": 1,
    }


def test_the_commands_fetch_and_import(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    release = make_release(tmp_path / "clone", ("UAP", "movielens-1m"))
    cell = ["UAP", "movielens-1m"]
    caplog.set_level("INFO")
    shared = ["--manifest", str(MANIFEST), "--out"]
    fetched, parts = str(tmp_path / "fetched"), str(tmp_path / "parts")
    assert main(["fetch-release", *cell, *shared, fetched, "--folder", str(release)]) == 0
    assert main(["import-release", *cell, *shared, parts, "--release", fetched]) == 0
    assert "3 files, 3 of which are not the published ones" in caplog.text
    assert "UAP/movielens-1m: 60 rows read, 60 kept, 0 rejected" in caplog.text
