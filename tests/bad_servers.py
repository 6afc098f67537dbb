"""Servers on this machine that misbehave below what an HTTP library lets a server do."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _gigabyte() -> bytes:
    """Return a megabyte that gzip unpacks to a gigabyte."""
    packer = zlib.compressobj(9, wbits=-15)
    again = packer.compress(b"\0" * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + again * 1024 + packer.flush() + bytes(8)


_LARGE = _gigabyte()
_BOMB = gzip.compress(_LARGE)
Misbehaviour = Callable[[socket.socket, threading.Event], None]


def _all(data: bytes) -> Misbehaviour:
    return lambda line, end: line.sendall(data)


def _for_ever(first: bytes, again: bytes, pause_s: float = 0.0) -> Misbehaviour:
    def behave(line: socket.socket, end: threading.Event) -> None:
        line.sendall(first)
        while not end.wait(pause_s) if pause_s else not end.is_set():
            line.sendall(again)

    return behave


def _with_length(body: bytes, more: bytes = b"", length: int | None = None) -> Misbehaviour:
    size = len(body) if length is None else length
    return _all(_OK + more + b"Content-Length: %d\r\n\r\n" % size + body)


SERVERS: dict[str, Misbehaviour] = {
    "says nothing": lambda line, end: end.wait(30) and None,
    "closes at once": lambda line, end: None,
    "a byte of header now and then": _for_ever(b"HTTP/1.1 200 OK\r\nX-Y: ", b"y", 0.05),
    "endless header": _for_ever(b"HTTP/1.1 200 OK\r\nX-Y: ", b"y" * 65536),
    "endless headers": _for_ever(b"HTTP/1.1 200 OK\r\n", b"X-Y: y\r\n" * 1000),
    "100 Continue for ever": _for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "100 Continue as fast as it can": _for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a byte of body now and then": _for_ever(_OK + b"\r\n", b" ", 0.05),
    "endless body": _for_ever(_OK + b"\r\n", b" " * 65536),
    "endless chunks": _for_ever(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
    "packed twice": _with_length(_BOMB, b"Content-Encoding: gzip, gzip\r\n"),
    "packed twice, two headers": _with_length(
        _BOMB, b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
    ),
    "packed once, large": _with_length(_LARGE, b"Content-Encoding: gzip\r\n"),
    "packed as said, but not": _with_length(b"{}", b"Content-Encoding: gzip\r\n"),
    "packed otherwise": _with_length(b"{}", b"Content-Encoding: br\r\n"),
    "too short": _with_length(b"{}", length=10**6),
    "a length of a thousand digits": _all(_OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n{}"),
    "negative length": _all(_OK + b"Content-Length: -1\r\n\r\n{}"),
    "no HTTP": _all(b"SSH-2.0-OpenSSH_9.6\r\n" * 3),
    "no status": _all(b"HTTP/1.1 ABC\r\n\r\n"),
    "status 999": _all(b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n"),
    "redirects elsewhere": _all(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    ),
    "codes for a terminal": _all(
        b"HTTP/1.1 400 Bad\r\nContent-Length: 17\r\n\r\n\x1b[2J\x1b]0;owned\x07\xc2\x9b1"
    ),
    "nested": _with_length(b"[" * 100_000),
    "no JSON": _with_length(b"\xff\xfe\0\0"),
    "other JSON": _with_length(b'{"choices": {"message": []}}'),
    "no choice": _with_length(b'{"choices": []}'),
    "half a character": _with_length(b'{"choices": [{"message": {"content": "\\ud800"}}]}'),
    "numbers beyond all": _with_length(
        b'{"choices": [{"message": {"content": "x"}}],'
        b' "usage": {"prompt_tokens": 1e400, "completion_tokens": -1}}'
    ),
}


@contextmanager
def misbehaving(name: str) -> Iterator[str]:
    """Yield the address of a server of the catalogue that runs until the block ends."""
    end = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)

    def answer(line: socket.socket) -> None:
        with suppress(OSError), line:
            line.settimeout(30)
            line.recv(65536)
            SERVERS[name](line, end)

    def serve() -> None:
        while not end.is_set():
            with suppress(TimeoutError):
                line, _ = server.accept()
                threading.Thread(target=answer, args=(line,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
    finally:
        end.set()
        thread.join()
        server.close()
