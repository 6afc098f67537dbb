"""`itdr fetch`: files come whole and checked, or not at all, and the message says what to do."""

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.cli.main import main
from itdr.datasets.download.archive import extract
from itdr.datasets.download.checks import head_problem, problem
from itdr.datasets.download.fetch import fetch
from itdr.errors import DataError, DiskFullError, DownloadError, MissingFileError, SettingsError
from itdr.retry import RetryPolicy, retry_after_s
from itdr.settings.dataset import DatasetSettings
from itdr.settings.reading import check

AT_ONCE = RetryPolicy(retries=2, first_wait_s=0.0, timeout_s=5.0)
DATA = b"userId,movieId,rating\n" + b"1,2,3.5\n" * 40_000
HTML = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 31\n"


@dataclass
class Fault:
    """What goes wrong with one answer: a status, or the connection breaks or waits after bytes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    break_after: int | None = None
    wait_after: int | None = None


@dataclass
class Page:
    """A file that the server has, and the faults of its first answers."""

    data: bytes
    faults: list[Fault] = field(default_factory=list)
    etag: str = '"version-1"'
    ranges: bool = True
    tells_length: bool = True


class Site:
    """A web server whose answers a test prescribes."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[dict[str, str]] = []
        self.go_on = threading.Event()
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(dict(request.headers))
        page = self.pages.get(request.path, Page(b"", [Fault(404)]))
        fault = page.faults.pop(0) if page.faults else Fault()
        if fault.status != 200:
            request.send_response(fault.status)
            for name, value in fault.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start = self._head(request, page)
        body = page.data[start:]
        if fault.wait_after is not None:
            request.wfile.write(body[: fault.wait_after])
            request.wfile.flush()
            self.go_on.wait(10)
        request.wfile.write(body if fault.break_after is None else body[: fault.break_after])
        request.close_connection = True

    @staticmethod
    def _head(request: BaseHTTPRequestHandler, page: Page) -> int:
        asked = request.headers.get("Range", "")
        same = request.headers.get("If-Range", page.etag) == page.etag
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and same else 0
        if start and page.ranges:
            request.send_response(206)
            end = len(page.data) - 1
            request.send_header("Content-Range", f"bytes {start}-{end}/{len(page.data)}")
        else:
            start = 0
            request.send_response(200)
        if page.etag:
            request.send_header("ETag", page.etag)
        if page.tells_length:
            request.send_header("Content-Length", str(len(page.data) - start))
        request.end_headers()
        return start


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on this machine."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                site.answer(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    site.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


def source(kind: str = "http", **more: Any) -> DatasetSettings:
    """Return a dataset; `files` and `archives` are given as in a file of config/datasets/."""
    fixed = {
        "id": "movielens-32m",
        "reader": "movielens-32m",
        "title": "T",
        "page": "https://example.org",
        "licence": "L",
    }
    return check(DatasetSettings, {**fixed, "kind": kind, **more}, "test")


def one_file(site: Site, name: str = "ratings.csv", **known: Any) -> DatasetSettings:
    """Return a dataset of a single file on the server."""
    return source(files=[{"name": name, "at": [f"{site.url}/{name}"], **known}])


def in_archive(name: str, members: tuple[str, ...], **more: Any) -> DatasetSettings:
    """Return a dataset whose files lie in an archive."""
    files = [{"name": Path(m).name, "archive": name, "member": m} for m in members]
    return source(files=files, archives=[{"name": name, **more}])


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; '__' in a name stands for '/'."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), data)
    return stream.getvalue()


def visible(out: Path) -> list[str]:
    """Return the names that a user sees in a folder."""
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


def manifest(out: Path) -> dict[str, Any]:
    """Return what the manifest says of each file."""
    value = json.loads((out / "manifest.json").read_text())
    return {item["name"]: item for item in value["files"]}


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


# Plain HTTP


def test_a_file_comes_whole_and_the_manifest_says_from_where(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    fetch(one_file(site, sha256=sha256(DATA)), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA
    assert list(tmp_path.glob(".*")) == []
    assert manifest(tmp_path)["ratings.csv"] == {
        "name": "ratings.csv",
        "origin": f"{site.url}/ratings.csv",
        "bytes": len(DATA),
        "sha256": sha256(DATA),
        "published": True,
    }


def test_a_broken_download_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(break_after=100_000)])
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA
    assert "Range" not in site.requests[0]
    assert site.requests[1]["Range"] == "bytes=100000-"
    assert site.requests[1]["If-Range"] == '"version-1"'


def test_a_later_run_goes_on_too(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(break_after=100_000), Fault(503), Fault(503)])
    with pytest.raises(DownloadError, match=r"503.*100,000 bytes have come.*Run it again"):
        fetch(one_file(site), tmp_path, retry_policy=RetryPolicy(retries=1, first_wait_s=0))
    assert visible(tmp_path) == []
    site.pages["/ratings.csv"].faults.clear()
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert site.requests[-1]["Range"] == "bytes=100000-"
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_a_file_that_changed_meanwhile_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(b"old" * 50_000, [Fault(break_after=9), Fault(503)])
    with pytest.raises(DownloadError):
        fetch(one_file(site), tmp_path, retry_policy=RetryPolicy(retries=1, first_wait_s=0))
    site.pages["/ratings.csv"] = Page(DATA, etag='"version-2"')
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_a_server_without_ranges_sends_all_again(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(break_after=100_000)], ranges=False)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_halves_are_not_joined_when_nothing_tells_that_they_belong_together(
    site: Site, tmp_path: Path
) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(break_after=100_000)], etag="")
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert "Range" not in site.requests[1]


def test_a_server_that_always_breaks_off_is_given_up(site: Site, tmp_path: Path) -> None:
    faults = [Fault(break_after=1000) for _ in range(20)]
    site.pages["/ratings.csv"] = Page(DATA, faults, ranges=False)
    with pytest.raises(DownloadError, match=r"Given up after 3 failure\(s\)"):
        fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert visible(tmp_path) == []


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    busy = Fault(503, {"Retry-After": "0"})
    site.pages["/ratings.csv"] = Page(DATA, [busy, Fault(429)])
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert len(site.requests) == 3
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(503, {"Retry-After": "86400"})])
    with pytest.raises(DownloadError, match="asks to wait 86400 s"):
        fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)


@pytest.mark.parametrize(
    ("status", "says"), [(404, "no such file any more"), (403, "a login or accepted terms")]
)
def test_a_refusal_is_final_and_tells_the_way_by_hand(
    site: Site, tmp_path: Path, status: int, says: str
) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(status)])
    with pytest.raises(DownloadError, match=rf"{status}.*{says}.*by hand: https://example.org"):
        fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert len(site.requests) == 1
    assert visible(tmp_path) == []


def test_a_second_address_is_tried_when_the_first_fails(site: Site, tmp_path: Path) -> None:
    site.pages["/b/ratings.csv"] = Page(DATA)
    addresses = [f"{site.url}/a/ratings.csv", f"{site.url}/b/ratings.csv"]
    fetch(source(files=[{"name": "ratings.csv", "at": addresses}]), tmp_path, retry_policy=AT_ONCE)
    assert manifest(tmp_path)["ratings.csv"]["origin"] == addresses[1]


def test_no_server_at_all_is_given_up(tmp_path: Path) -> None:
    nowhere = source(files=[{"name": "ratings.csv", "at": ["http://127.0.0.1:9/ratings.csv"]}])
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9.*Given up"):
        fetch(nowhere, tmp_path, retry_policy=AT_ONCE)


# What came is not the file


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"sha256": "0" * 64}, "its sha256 is"),
        ({"md5": "0" * 32}, "its md5 is"),
        ({"bytes": 7}, "its bytes is 320022, 7 is published"),
    ],
)
def test_a_wrong_checksum_or_size_is_refused(
    site: Site, tmp_path: Path, known: dict[str, Any], says: str
) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    with pytest.raises(DownloadError, match=says):
        fetch(one_file(site, **known), tmp_path, retry_policy=AT_ONCE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("ratings.csv", HTML, "is an HTML page"),
        ("ratings.csv", POINTER, "is a Git LFS pointer"),
        ("ratings.csv", b'<?xml version="1.0"?><Error><Code>No</Code></Error>', "in XML"),
        ("ratings.csv", b"", "is empty"),
        ("ratings.csv", gzip.compress(DATA), "its name lacks .gz"),
        ("ratings.csv.gz", DATA, "is not compressed by gzip"),
        ("ratings.csv.gz", gzip.compress(DATA)[:-20], "is a truncated or damaged gzip"),
    ],
)
def test_something_else_in_place_of_data_is_refused_by_name(
    site: Site, tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    site.pages[f"/{name}"] = Page(data)
    with pytest.raises(DownloadError, match=says):
        fetch(one_file(site, name), tmp_path, retry_policy=AT_ONCE)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_zip_is_refused(site: Site, tmp_path: Path) -> None:
    site.pages["/ml.zip"] = Page(zipped(ml__ratings_csv=DATA)[:-30])
    with pytest.raises(DownloadError, match="is no whole zip archive"):
        fetch(
            in_archive("ml.zip", ("ml/ratings.csv",), at=[f"{site.url}/ml.zip"]),
            tmp_path,
            retry_policy=AT_ONCE,
        )
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_recognition(head: bytes) -> None:
    assert head_problem(head) is None or isinstance(head_problem(head), str)


@given(st.text(alphabet="0123456789,;:{}\"'abcé \n", min_size=1))
def test_plain_rows_pass_as_data(rows: str) -> None:
    assert head_problem(rows.encode()) is None


@given(st.sampled_from([b"", b"\xef\xbb\xbf", b"\n \t", b"<!-- x -->"]), st.booleans())
def test_a_page_is_recognised_behind_white_space_and_comments(before: bytes, upper: bool) -> None:
    page = HTML.upper() if upper else HTML.lower()
    assert head_problem(before + page) is not None


@given(st.text())
def test_any_retry_after_is_understood_or_ignored(header: str) -> None:
    seconds = retry_after_s(header)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(-(10**6), 10**6))
def test_retry_after_takes_dates(offset: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=offset), usegmt=True)
    assert retry_after_s(date, now) == max(0, offset)


# The disk is full; the process is killed


def run_apart(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Run Python code in another process."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True
    )


FETCH = """
import sys
from pathlib import Path
from itdr.settings.dataset import DatasetSettings
from itdr.settings.reading import check
from itdr.retry import RetryPolicy
from itdr.datasets.download.fetch import fetch
file = {"name": "ratings.csv", "at": [sys.argv[1]]}
what = {"id": "steam", "title": "T", "reader": "steam", "kind": "http", "page": "P",
        "licence": "L", "files": [file]}
fetch(check(DatasetSettings, what, "test"), Path(sys.argv[2]), retry_policy=RetryPolicy(retries=0))
"""
SMALL_FILES_ONLY = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""


def test_a_full_disk_is_named_and_the_download_can_go_on(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    run = run_apart(SMALL_FILES_ONLY + FETCH, f"{site.url}/ratings.csv", str(tmp_path))
    _, message = run.communicate(timeout=30)
    assert "the disk is full or a quota is reached" in message
    assert "the next run goes on with it. Make room" in message
    assert visible(tmp_path) == []
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert site.requests[-1]["Range"] == "bytes=100000-"
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("tells_length", "says"), [(True, "more bytes are needed"), (False, "the disk is full")]
)
def test_a_small_disk_is_noticed_before_or_while_writing(
    site: Site, small_disk: Path, tells_length: bool, says: str
) -> None:
    site.pages["/ratings.csv"] = Page(DATA, tells_length=tells_length)
    with pytest.raises(DiskFullError, match=says):
        fetch(one_file(site), small_disk, retry_policy=AT_ONCE)
    assert visible(small_disk) == []


def test_a_full_disk_while_unpacking_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "ml.zip").write_bytes(zipped(ratings_csv=DATA))
    with pytest.raises(DiskFullError, match="more bytes are needed"):
        fetch(in_archive("ml.zip", ("ratings.csv",), at=["http://x"]), small_disk, tmp_path)
    assert list(small_disk.iterdir()) == []


def test_a_killed_process_leaves_no_finished_file(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA, [Fault(wait_after=131_072)])
    run = run_apart(FETCH, f"{site.url}/ratings.csv", str(tmp_path))
    part = tmp_path / ".ratings.csv.part"
    until = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    site.go_on.set()
    assert visible(tmp_path) == []
    begun = part.stat().st_size
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert site.requests[-1]["Range"] == f"bytes={begun}-"
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


# Files that are there already


def test_a_complete_folder_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert len(site.requests) == 1


def test_a_file_that_was_put_there_is_used_when_its_checksum_is_right(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "ratings.csv").write_bytes(DATA)
    fetch(one_file(site, sha256=sha256(DATA)), tmp_path, retry_policy=AT_ONCE)
    assert site.requests == []
    assert manifest(tmp_path)["ratings.csv"]["origin"] == "found in the folder"


def test_a_file_that_is_not_the_published_one_is_fetched_again(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    (tmp_path / "ratings.csv").write_bytes(DATA[:-9])
    fetch(one_file(site, bytes=len(DATA)), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_a_file_that_was_damaged_after_all_was_complete_is_noticed(
    site: Site, tmp_path: Path
) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    (tmp_path / "ratings.csv").write_bytes(HTML)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "ratings.csv").read_bytes() == DATA


def test_a_failing_run_takes_the_mark_of_completeness_away(site: Site, tmp_path: Path) -> None:
    site.pages["/ratings.csv"] = Page(DATA)
    fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    (tmp_path / "ratings.csv").unlink()
    del site.pages["/ratings.csv"]
    with pytest.raises(DownloadError):
        fetch(one_file(site), tmp_path, retry_policy=AT_ONCE)
    assert visible(tmp_path) == []


def test_optional_files_come_when_asked_for(site: Site, tmp_path: Path) -> None:
    site.pages = {"/a.csv": Page(DATA), "/b.csv": Page(DATA)}
    files = [
        {"name": "a.csv", "at": [f"{site.url}/a.csv"]},
        {"name": "b.csv", "at": [f"{site.url}/b.csv"], "needed": False},
    ]
    fetch(source(files=files), tmp_path, retry_policy=AT_ONCE)
    assert visible(tmp_path) == ["a.csv", "manifest.json"]
    fetch(source(files=files), tmp_path, optional=True, retry_policy=AT_ONCE)
    assert visible(tmp_path) == ["a.csv", "b.csv", "manifest.json"]


# Archives


def tar_gz(**members: bytes) -> bytes:
    """Return a tar.gz archive; names as in `zipped`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_csv", ".csv"))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


@pytest.mark.parametrize(("name", "pack"), [("ml.zip", zipped), ("ml.tar.gz", tar_gz)])
def test_the_named_members_alone_are_taken_out(
    site: Site, tmp_path: Path, name: str, pack: Any
) -> None:
    site.pages[f"/{name}"] = Page(pack(ml__README=b"x", ml__a_csv=DATA, ml__b_csv=b"1,2\n"))
    dataset = in_archive(name, ("ml/a.csv", "ml/b.csv"), at=[f"{site.url}/{name}"])
    fetch(dataset, tmp_path, retry_policy=AT_ONCE)
    assert visible(tmp_path) == ["a.csv", "b.csv", "manifest.json"]
    assert (tmp_path / "a.csv").read_bytes() == DATA
    assert manifest(tmp_path)["a.csv"]["origin"] == f"{site.url}/{name}!ml/a.csv"


def test_a_member_with_a_wrong_checksum_is_refused(site: Site, tmp_path: Path) -> None:
    site.pages["/ml.zip"] = Page(zipped(a_csv=DATA))
    archive = {"name": "ml.zip", "at": [f"{site.url}/ml.zip"]}
    file = {"name": "a.csv", "archive": "ml.zip", "member": "a.csv", "md5": "0" * 32}
    with pytest.raises(DownloadError, match=r"a\.csv is not the published one: its md5"):
        fetch(source(files=[file], archives=[archive]), tmp_path, retry_policy=AT_ONCE)
    assert "a.csv" not in visible(tmp_path)


def test_an_archive_that_is_there_is_used_and_kept(site: Site, tmp_path: Path) -> None:
    (tmp_path / "ml.zip").write_bytes(zipped(a_csv=DATA))
    fetch(
        in_archive("ml.zip", ("a.csv",), at=[f"{site.url}/ml.zip"]), tmp_path, retry_policy=AT_ONCE
    )
    assert visible(tmp_path) == ["a.csv", "manifest.json", "ml.zip"]
    assert site.requests == []


def test_an_archive_without_the_member_is_refused(site: Site, tmp_path: Path) -> None:
    site.pages["/ml.zip"] = Page(zipped(other_csv=DATA))
    with pytest.raises(DataError, match=r"holds no 'a\.csv'"):
        fetch(in_archive("ml.zip", ("a.csv",), at=[f"{site.url}/ml.zip"]), tmp_path)


def test_a_gz_file_is_one_member(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(DATA))
    assert extract(tmp_path / "a.gz", {"any": tmp_path / "a"}) == []
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "x/../../a.csv", "..\\a.csv"])
def test_a_member_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.zip").write_bytes(zipped(**{name: DATA}))
    with pytest.raises(DataError, match="climbs out"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})
    assert visible(tmp_path) == ["m.zip"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "m.tar", "w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match="is no plain file"):
        extract(tmp_path / "m.tar", {"a.csv": tmp_path / "out.csv"})
    assert visible(tmp_path) == ["m.tar"]


def test_a_zip_entry_that_is_a_link_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        info = zipfile.ZipInfo("a.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="is no plain file"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itdr.datasets.download.decompression.ALWAYS_ALLOWED", 1 << 20)
    (tmp_path / "m.zip").write_bytes(zipped(a_csv=bytes(8 << 20)))
    with pytest.raises(DataError, match=r"would grow from 8,\d+ to 8,388,608 bytes"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"1\n" * (4 << 20)))
    with pytest.raises(DataError, match=r"grows from 8,\d+ to more than [\d,]+ bytes"):
        extract(tmp_path / "a.gz", {"a.csv": tmp_path / "out.csv"})
    assert visible(tmp_path) == ["a.gz", "m.zip"]


def test_a_bomb_behind_the_end_of_a_tar_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itdr.datasets.download.decompression.ALWAYS_ALLOWED", 1 << 20)
    tar = gzip.decompress(tar_gz(a_csv=DATA))
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(tar + bytes(8 << 20)))
    with pytest.raises(DataError, match="over 250-fold"):
        extract(tmp_path / "m.tar.gz", {"a.csv": tmp_path / "out.csv"})
    with pytest.raises(DataError, match="over 250-fold"):
        problem(tmp_path / "m.tar.gz", "m.tar.gz")
    assert visible(tmp_path) == ["m.tar.gz"]


def test_a_false_size_of_another_member_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "m.tar", "w") as archive:
        info = tarfile.TarInfo("README")
        info.size = 1 << 50
        archive.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"'README' would grow from"):
        extract(tmp_path / "m.tar", {"a.csv": tmp_path / "out.csv"})


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(a_csv=DATA))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    (tmp_path / "m.zip").write_bytes(data)
    with pytest.raises(DataError, match=r"'a\.csv' is encrypted"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})


def test_a_member_compressed_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(a_csv=DATA))
    for mark, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + method] = 99
    (tmp_path / "m.zip").write_bytes(data)
    with pytest.raises(DataError, match="compressed in a way that is not read here"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})


def test_an_archive_inside_an_archive_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "m.zip").write_bytes(zipped(inner_zip=zipped(a_csv=DATA)))
    assert extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"}) == ["a.csv"]
    assert visible(tmp_path) == ["m.zip"]


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(a_csv=DATA))
    true, false = len(DATA).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    (tmp_path / "m.zip").write_bytes(bytes(data).replace(true, false))
    with pytest.raises(DataError, match=r"damaged|grows beyond"):
        extract(tmp_path / "m.zip", {"a.csv": tmp_path / "out.csv"})
    assert visible(tmp_path) == ["m.zip"]


@pytest.mark.parametrize(("name", "pack"), [("m.zip", zipped), ("m.tar.gz", tar_gz)])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str, pack: Any) -> None:
    data = bytearray(pack(a_csv=os.urandom(50_000)))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    (tmp_path / name).write_bytes(bytes(data))
    with pytest.raises(DataError, match="cut off, damaged or"):
        extract(tmp_path / name, {"a.csv": tmp_path / "out.csv"})
    assert visible(tmp_path) == [name]


# From a folder


def test_known_names_are_found_at_any_depth_and_linked(tmp_path: Path) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    (mine / "deep" / "er").mkdir(parents=True)
    (mine / "deep" / "er" / "a.csv").write_bytes(DATA)
    (mine / "b.csv.gz").write_bytes(gzip.compress(DATA))
    (mine / "ml.zip").write_bytes(zipped(ml__c_csv=DATA))
    files = [
        {"name": "a.csv", "at": ["http://x/a"], "sha256": "0" * 64},
        {"name": "b.csv", "at": ["http://x/b"]},
        {"name": "c.csv", "archive": "ml.zip", "member": "ml/c.csv"},
        {"name": "d.csv", "at": ["http://x/d"], "needed": False},
    ]
    archives = [{"name": "ml.zip", "at": ["http://x/ml"]}]
    fetch(source(files=files, archives=archives), out, mine)
    assert visible(out) == ["a.csv", "b.csv.gz", "c.csv", "manifest.json"]
    assert (out / "a.csv").readlink() == mine / "deep" / "er" / "a.csv"
    assert (out / "c.csv").read_bytes() == DATA
    assert manifest(out)["a.csv"]["published"] is False
    assert manifest(out)["b.csv.gz"]["origin"] == str(mine / "b.csv.gz")
    assert manifest(out)["c.csv"]["origin"] == f"{mine / 'ml.zip'}!ml/c.csv"


def test_the_folder_may_be_given_again_in_another_form(tmp_path: Path) -> None:
    dataset = source(files=[{"name": "a.csv", "at": ["http://x/a"]}])
    for name, data in (("a.csv.gz", gzip.compress(DATA)), ("a.csv", DATA)):
        mine = tmp_path / name.replace(".", "-")
        mine.mkdir()
        (mine / name).write_bytes(data)
        fetch(dataset, tmp_path / "out", mine)
        assert visible(tmp_path / "out") == [name, "manifest.json"]


def test_a_needed_file_that_is_absent_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    dataset = in_archive("ml.zip", ("ml/a.csv",), at=["http://x"], also=["old.zip"])
    with pytest.raises(MissingFileError) as error:
        fetch(dataset, tmp_path / "out", tmp_path / "mine")
    for part in (str(tmp_path / "mine"), "a.csv or a.csv.gz, or ml.zip or old.zip", "by hand"):
        assert part in str(error.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="nowhere: no such folder"):
        fetch(in_archive("m.zip", ("a",), at=["http://x"]), tmp_path / "o", tmp_path / "nowhere")


def test_the_place_as_in_the_archive_tells_files_of_one_name_apart(tmp_path: Path) -> None:
    for folder in ("ml-25m", "ml-32m"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
        (tmp_path / "mine" / folder / "a.csv").write_bytes(folder.encode())
    dataset = in_archive("ml.zip", ("ml-32m/a.csv",), at=["http://x"])
    fetch(dataset, tmp_path / "out", tmp_path / "mine")
    assert (tmp_path / "out" / "a.csv").read_bytes() == b"ml-32m"


def test_two_files_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
        (tmp_path / "mine" / folder / "a.csv").write_bytes(DATA)
    with pytest.raises(DataError, match=r"which a\.csv is meant\? .*x/a\.csv or .*y/a\.csv"):
        fetch(
            source(files=[{"name": "a.csv", "at": ["http://x/a"]}]),
            tmp_path / "out",
            tmp_path / "mine",
        )


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", POINTER, "Git LFS pointer"),
        ("a.csv", HTML, "HTML page"),
        ("a.csv.gz", gzip.compress(DATA)[:-9], "truncated"),
        ("m.zip", zipped(a_csv=DATA)[:-9], "no whole zip"),
    ],
)
def test_a_local_file_that_is_no_data_is_refused(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_bytes(data)
    with pytest.raises(DataError, match=says):
        fetch(in_archive("m.zip", ("a.csv",), at=["http://x"]), tmp_path / "out", tmp_path / "mine")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_links_to_itself_is_searched_once(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.csv").write_bytes(DATA)
    (tmp_path / "mine" / "loop").symlink_to(tmp_path / "mine")
    fetch(
        source(files=[{"name": "a.csv", "at": ["http://x/a"]}]),
        tmp_path / "mine" / "out",
        tmp_path / "mine",
    )
    assert (tmp_path / "mine" / "out" / "a.csv").read_bytes() == DATA


# By hand


def by_hand() -> DatasetSettings:
    """Return a dataset that everybody must fetch for himself."""
    files = [{"name": "a.csv"}, {"name": "b.csv", "needed": False}]
    return source("manual", files=files, login="Accept the terms first.")


def test_a_manual_dataset_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"Accept the terms first\. Put the files into"):
        fetch(by_hand(), tmp_path)


def test_files_that_were_put_there_by_hand_are_used(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(DATA)
    fetch(by_hand(), tmp_path)
    assert list(manifest(tmp_path)) == ["a.csv"]


def test_a_page_saved_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HTML)
    with pytest.raises(DataError, match="HTML page"):
        fetch(by_hand(), tmp_path)
    assert "manifest.json" not in visible(tmp_path)


# Hubs


def hub(kind: str) -> DatasetSettings:
    """Return a dataset of a hub."""
    repository = None if kind == "gdrive" else "owner/name"
    return source(kind, repository=repository, files=[{"name": "a.csv", "at": ["sub/a.csv"]}])


def web_error(module: str, status: int) -> Exception:
    """Return an HTTP error as the hub's client raises it."""
    if module == "requests":
        import requests

        answer = requests.Response()
        answer.status_code = status
        return requests.HTTPError("refused", response=answer)
    import httpx
    from huggingface_hub.errors import HfHubHTTPError

    request = httpx.Request("GET", "https://example.org")
    return HfHubHTTPError("refused", response=httpx.Response(status, request=request))


def test_hugging_face_files_are_brought_at_the_pinned_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def client(repository: str, path: str, **options: Any) -> str:
        asked.update(options, repository=repository, path=path)
        there = Path(options["local_dir"], path)
        there.parent.mkdir(parents=True)
        there.write_bytes(DATA)
        return str(there)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", client)
    fetch(hub("huggingface").model_copy(update={"revision": "abc"}), tmp_path, retry_policy=AT_ONCE)
    assert (asked["repository"], asked["path"], asked["revision"]) == (
        "owner/name",
        "sub/a.csv",
        "abc",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "manifest.json"]


def test_kaggle_zips_of_single_files_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client(handle: str, path: str, output_dir: str) -> str:
        there = Path(output_dir, "a.csv")
        there.write_bytes(zipped(a_csv=DATA))
        return str(there)

    monkeypatch.setattr("kagglehub.dataset_download", client)
    fetch(hub("kaggle"), tmp_path, retry_policy=AT_ONCE)
    assert (tmp_path / "a.csv").read_bytes() == DATA


def test_a_google_drive_page_in_place_of_the_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdown.download", lambda output, **_: Path(output).write_bytes(HTML))
    with pytest.raises(DownloadError, match="HTML page"):
        fetch(hub("gdrive"), tmp_path, retry_policy=AT_ONCE)
    assert visible(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "function", "error", "says"),
    [
        ("huggingface", "huggingface_hub.hf_hub_download", ("httpx", 403), "HF_TOKEN"),
        ("huggingface", "huggingface_hub.hf_hub_download", ("httpx", 500), "Given up after 3"),
        ("kaggle", "kagglehub.dataset_download", ("requests", 401), "KAGGLE_API_TOKEN"),
        ("kaggle", "kagglehub.dataset_download", ("requests", 404), "no 'sub/a.csv' there"),
        ("kaggle", "kagglehub.dataset_download", ("requests", 502), "Given up after 3"),
        ("gdrive", "gdown.download", ("requests", 500), "Given up after 3"),
    ],
)
def test_errors_of_the_hubs_clients_say_who_must_do_what(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    function: str,
    error: tuple[str, int],
    says: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise web_error(*error)

    monkeypatch.setattr(function, fail)
    with pytest.raises(DownloadError, match=says) as caught:
        fetch(hub(kind), tmp_path, retry_policy=AT_ONCE)
    assert "To get it by hand: https://example.org" in str(caught.value)
    assert visible(tmp_path) == []


def test_a_google_drive_quota_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gdown.exceptions import FileURLRetrievalError

    def fail(**_: Any) -> None:
        raise FileURLRetrievalError("Too many users have viewed this file\nmore")

    monkeypatch.setattr("gdown.download", fail)
    with pytest.raises(DownloadError, match=r"\(Too many users have viewed this file\).*later"):
        fetch(hub("gdrive"), tmp_path, retry_policy=AT_ONCE)


def test_a_client_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(DownloadError, match="the package gdown is not installed"):
        fetch(hub("gdrive"), tmp_path, retry_policy=AT_ONCE)


# Folders of one's own


def own(folder: Path | None) -> DatasetSettings:
    """Return a dataset whose columns name a file and a folder of files."""
    interactions = {"file": "parts", "user_id": "u", "item_id": "i"}
    columns = {"interactions": interactions, "items": {"file": "items.csv", "item_id": "i"}}
    more = {"reader": None, "columns": columns, "page": None}
    return source("folder", **more, **({"folder": str(folder)} if folder else {}))


def test_a_folder_of_ones_own_is_linked_with_what_the_columns_name_alone(tmp_path: Path) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    (mine / "parts").mkdir(parents=True)
    for name in ("items.csv.gz", "parts/a.csv", "parts/b.csv", "other.csv"):
        data = gzip.compress(DATA) if name.endswith(".gz") else DATA
        (mine / name).write_bytes(data)
    fetch(own(mine), out)
    assert list(manifest(out)) == ["items.csv.gz", "parts/a.csv", "parts/b.csv"]
    (mine / "parts" / "b.csv").unlink()
    (mine / "parts" / "c.csv").write_bytes(DATA)
    fetch(own(None), out, mine)
    assert list(manifest(out)) == ["items.csv.gz", "parts/a.csv", "parts/c.csv"]
    assert sorted(path.name for path in (out / "parts").iterdir()) == ["a.csv", "c.csv"]


def test_a_folder_of_ones_own_that_lacks_a_file_or_a_place_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"no parts or parts\.gz\. Name the folder"):
        fetch(own(tmp_path), tmp_path / "out")
    with pytest.raises(MissingFileError, match=r"nobody says where it is\. Name the folder"):
        fetch(own(None), tmp_path / "out")


# The command


def described(folder: Path, url: str) -> str:
    """Return a folder of configuration that has the dataset `shop` of two files."""
    (folder / "datasets").mkdir()
    (folder / "datasets" / "shop.yaml").write_text(
        "title: T\nreader: steam\nkind: http\npage: P\nlicence: L\nfiles:\n"
        f"  - {{name: a.csv, at: [{url}/a.csv]}}\n  - {{name: b.csv, at: [{url}/b.csv]}}\n"
    )
    return f"--config-folder={folder}"


def test_the_command_brings_the_chosen_files(site: Site, tmp_path: Path) -> None:
    site.pages["/b.csv"] = Page(DATA)
    folder = described(tmp_path, site.url)
    out = tmp_path / "out"
    asked = ["fetch", "shop", "--out", str(out), folder, "--only", "b.csv"]
    assert main(asked) == 0
    assert visible(out) == ["b.csv", "manifest.json"]


def test_the_command_names_an_unknown_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = described(tmp_path, "http://x")
    assert main(["fetch", "shops", "--out", str(tmp_path), folder]) == 1
    assert "Did you mean 'shop'?" in capsys.readouterr().err


def test_importing_the_stage_loads_no_network_client() -> None:
    code = "import itdr.cli.fetch, sys; print(sorted({'httpx', 'gdown'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_of_a_selection_are_checked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no file 'a\.cvs'. Did you mean 'a\.csv'"):
        hub("kaggle").selected(["a.cvs"])


def test_a_file_called_tar_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x" * 2000)
    assert problem(tmp_path / "a.tar", "a.tar") == "is no tar archive (truncated?)"
