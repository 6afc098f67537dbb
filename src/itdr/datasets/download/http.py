"""Plain HTTP: a download that goes on where it was broken off and ends whole or not at all."""

import json
import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx

from itdr import __version__
from itdr.datasets.download.checks import Sums, difference, file_sums, head_problem, problem
from itdr.datasets.download.parts import finish, part_of, room_for
from itdr.errors import DownloadError
from itdr.files.progress import Progress
from itdr.retry import RetryPolicy, retry_after_s
from itdr.settings.dataset import Published

log = logging.getLogger("itdr")

ShowProgress = Callable[[str, float | None, str], AbstractContextManager[Progress]]

# Compressing on the way would make sizes and ranges those of other bytes than the file's.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"itdr/{__version__} (httpx)"}
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_ADVICE = {
    401: "The server wants a login",
    403: "The server refuses it: a login or accepted terms may be missing",
    404: "There is no such file any more",
    410: "The file was taken away",
}


class _BrokenError(Exception):
    """The attempt failed in a way that may pass."""

    def __init__(self, why: str, asked_s: float | None = None) -> None:
        super().__init__(why)
        self.asked_s = asked_s


@dataclass(frozen=True)
class DownloadRequest:
    """A file to be downloaded."""

    url: str
    target: Path
    """Where it shall lie."""
    known: Published
    """Its published size and checksums."""
    by_hand: str
    """How to get it otherwise; ends the error messages."""


def download(request: DownloadRequest, retry_policy: RetryPolicy, show: ShowProgress) -> Sums:
    """Bring a file and return its size and checksums.

    What has come of a broken download stays in a hidden file beside the target and is gone on
    with, also in another run, as long as the server says that its file is still the same one.

    Args:
        request: what to bring where.
        retry_policy: when to try again.
        show: makes the progress display.

    Raises:
        DownloadError: it cannot be had, or what came is not the file.
        DiskFullError: there is no room for it.
    """
    target, part = request.target, part_of(request.target)
    with room_for(target, kept=_kept(part)):
        if _size(part) == 0 or _size(part) != request.known.bytes:
            _persist(request, retry_policy, show)
        found = file_sums(part)
    wrong = difference(request.known, found) or problem(part, target.name)
    if wrong is not None:
        _forget(part)
        raise DownloadError(
            f"{request.url}: what came for {target.name} is not the file: {wrong}. "
            f"{request.by_hand}"
        )
    with room_for(target, kept=_kept(part)):
        finish(part, target)
    _forget(part)
    return found


def _persist(request: DownloadRequest, retry_policy: RetryPolicy, show: ShowProgress) -> None:
    """Fill the part file, in as many attempts as the policy allows.

    Tenacity counts attempts alone: its stop, its wait and the count would all be written here.
    """
    part, failures = part_of(request.target), 0
    furthest = _size(part)
    with httpx.Client(
        follow_redirects=True, timeout=retry_policy.timeout_s, headers=_HEADERS
    ) as client:
        while True:
            try:
                return _attempt(client, request, show)
            except (_BrokenError, httpx.TransportError) as error:
                # Only bytes beyond all earlier ones count, or a server that ignores ranges and
                # always breaks off would be asked for ever.
                failures = 1 if _size(part) > furthest else failures + 1
                furthest = max(furthest, _size(part))
                _wait_or_give_up(request, error, failures, retry_policy)
            except httpx.HTTPError as error:
                raise DownloadError(f"{request.url}: {error}. {request.by_hand}") from error


def _wait_or_give_up(
    request: DownloadRequest, error: Exception, failures: int, retry_policy: RetryPolicy
) -> None:
    asked = error.asked_s if isinstance(error, _BrokenError) else None
    why = f"{request.url}: {str(error) or type(error).__name__}"
    if failures <= retry_policy.retries and (asked or 0) <= retry_policy.longest_retry_after_s:
        retry_policy.wait(failures, why, asked)
        return
    wait = f" The server asks to wait {asked:.0f} s." if asked else ""
    raise DownloadError(
        f"{why}. Given up after {failures} failure(s) in a row, {_size(part_of(request.target)):,} "
        f"bytes have come.{wait} Run it again to go on. {request.by_hand}"
    ) from error


def _attempt(client: httpx.Client, request: DownloadRequest, show: ShowProgress) -> None:
    """Ask once for what is missing and write what comes."""
    part = part_of(request.target)
    with client.stream("GET", request.url, headers=_resumption(request)) as response:
        if response.status_code == 416:
            total = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
            if total and int(total[1]) == _size(part):
                return
            _forget(part)
            raise _BrokenError("the server's file is not the one that was begun")
        start = _start(response, request)
        if start not in (0, _size(part)):
            _forget(part)
            raise _BrokenError("the server sent another part than was asked for")
        _remember(part, request.url, response)
        _write(response, request, start, show)


def _resumption(request: DownloadRequest) -> dict[str, str]:
    """Return the headers that ask for the rest of a file that was begun, {} to begin anew."""
    part = part_of(request.target)
    size = _size(part)
    if size == 0:
        return {}
    try:
        begun = json.loads(_notes(part).read_text(encoding="utf-8"))
        same, version = begun["url"] == request.url, begun["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not same:
        return {}
    if version:
        return {"Range": f"bytes={size}-", "If-Range": version}
    # Without a version only a checksum can tell that both halves are of one file.
    return {"Range": f"bytes={size}-"} if request.known.md5 or request.known.sha256 else {}


def _start(response: httpx.Response, request: DownloadRequest) -> int:
    """Return the place of the file at which the response's bytes begin."""
    status = response.status_code
    if status in _WORTH_ANOTHER_TRY:
        asked = retry_after_s(response.headers.get("Retry-After"))
        raise _BrokenError(f"the server answers {status} {response.reason_phrase}", asked)
    if status not in (200, 206):
        advice = _ADVICE.get(status, "This is no answer to a download")
        raise DownloadError(
            f"{request.url}: {status} {response.reason_phrase}. {advice}. {request.by_hand}"
        )
    if status == 200:
        return 0
    place = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(place[1]) if place else -1


def _write(
    response: httpx.Response, request: DownloadRequest, start: int, show: ShowProgress
) -> None:
    part = part_of(request.target)
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else request.known.bytes
    more = None if total is None else total - start
    with (
        room_for(request.target, more, _kept(part)),
        part.open("ab" if start else "wb") as file,
        show(request.target.name, total, "B") as bar,
    ):
        bar.update(start)
        for block in response.iter_raw():
            wrong = head_problem(block) if file.tell() == 0 else None
            if wrong is not None:
                _forget(part)
                raise DownloadError(f"{response.url}: what came {wrong}. {request.by_hand}")
            file.write(block)
            bar.update(len(block))
    if total is not None and _size(part) < total:
        raise _BrokenError(f"it ended after {_size(part):,} of {total:,} bytes")


def _remember(part: Path, url: str, response: httpx.Response) -> None:
    """Note which version of the file is being written; a weak ETag does not tell."""
    etag = response.headers.get("ETag", "")
    strong = etag if etag.startswith('"') else ""
    version = strong or response.headers.get("Last-Modified", "")
    _notes(part).write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")


def _kept(part: Path) -> str:
    return f"What came so far stays in {part.name}; the next run goes on with it. "


def _notes(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
