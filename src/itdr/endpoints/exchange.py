"""One HTTP exchange, bounded as a whole: by time from its beginning to its end, and by bytes.

httpx limits each silence alone, so that a server that says a byte now and then is listened to for
ever; and it unpacks whatever comes, also what was packed twice.
"""

import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

MOST_BYTES = 64 << 20
"""Of an answer, unpacked; the longest limits of output give some megabytes."""


@dataclass(frozen=True)
class Response:
    """What a server answered."""

    status: int
    headers: httpx.Headers
    content: bytes


class Exchanges:
    """Sends requests and reads the answers; may be used by several threads."""

    def __init__(self, headers: Mapping[str, str], timeout_s: float) -> None:
        """Keep what every request is sent with.

        timeout_s: seconds that an exchange may take from its beginning to its end.
        """
        # What is asked for plain needs no unpacking, and no unpacking can be abused.
        self._headers = {"Accept-Encoding": "identity", **headers}
        self._timeout_s = timeout_s
        self._own = threading.local()
        self._lines: list[_Line] = []

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.client.close()

    def post(self, url: str, body: Mapping[str, Any]) -> Response:
        """Send a JSON object and return the answer.

        Raises:
            httpx.HTTPError: no whole answer came in time, or one that is too large or packed in a
                way that was not asked for.
            httpx.InvalidURL: the address is none.
        """
        line = self._line()
        with line.cut_after(self._timeout_s):
            return _exchange(line, url, body)

    def _line(self) -> "_Line":
        """Return the connection of this thread; of one thread it is known which one is in use."""
        if not hasattr(self._own, "line"):
            # Redirects are not followed: they could carry the key elsewhere.
            self._own.line = _Line(httpx.Client(headers=self._headers, timeout=self._timeout_s))
            self._lines.append(self._own.line)
        return self._own.line


class _Line:
    """The connection of one thread."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._socket: socket.socket | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket of a new connection; httpcore calls this at every step."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    @contextmanager
    def cut_after(self, seconds: float) -> Iterator[None]:
        """Cut the connection if the block is not done in time. Raises httpx.ReadTimeout then."""
        over = threading.Event()

        def cut() -> None:
            over.set()
            if self._socket is not None:
                with suppress(OSError):  # it ended by itself
                    # The plain socket's, under any encryption: that has nothing to say any more.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

        clock = threading.Timer(seconds, cut)
        clock.daemon = True
        clock.start()
        try:
            yield
        except httpx.HTTPError as error:
            if over.is_set():
                raise httpx.ReadTimeout(f"no whole answer in {seconds:g} s") from error
            raise
        finally:
            clock.cancel()


def _exchange(line: _Line, url: str, body: Mapping[str, Any]) -> Response:
    content = bytearray()
    extensions = {"trace": line.trace}
    with line.client.stream("POST", url, json=body, extensions=extensions) as response:
        for block in response.iter_raw():
            content += block
            if len(content) > MOST_BYTES:
                raise _too_large()
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    return Response(response.status_code, response.headers, _plain(bytes(content), packed))


def _plain(content: bytes, packed: str) -> bytes:
    """Return content unpacked, which some servers pack whatever was asked for."""
    if packed in ("", "identity"):
        return content
    if packed != "gzip":
        raise httpx.DecodingError(f"an answer packed as {packed[:40]!r}; plain text was asked for")
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(content, MOST_BYTES + 1)
    except zlib.error as error:
        raise httpx.DecodingError(f"an answer that cannot be unpacked ({error})") from error
    if len(plain) > MOST_BYTES:
        raise _too_large()
    if not reader.eof:
        raise httpx.DecodingError("an answer that is packed and cut off")
    return plain


def _too_large() -> httpx.DecodingError:
    return httpx.DecodingError(f"an answer of more than {MOST_BYTES:,} bytes")
