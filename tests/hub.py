"""A model hub on this machine: what huggingface_hub asks for, from a folder of files."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """A hub that serves one model at one revision.

    Attributes:
        address: for HF_ENDPOINT.
        asked: the paths of all requests.
        refused: whether it answers that a licence must be accepted.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def downloaded(self) -> set[str]:
        """The names of the files that were asked for."""
        return {path.rpartition("/")[2] for path in self.asked if "/resolve/" in path}


@contextmanager
def serving(source: str, revision: str, folder: Path) -> Iterator[Hub]:
    """Yield a hub that has the files of a folder as the model `source`."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(path)
            if hub.refused:
                self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
                return
            if path == f"/api/models/{source}/revision/main":
                self._send(200, json.dumps({"id": source, "sha": revision}).encode(), {}, body)
                return
            if path == f"/api/models/{source}/tree/{revision}":
                tree = [{"type": "file", "path": file.relative_to(folder).as_posix(),
                         "size": file.stat().st_size, "oid": "0" * 40}
                        for file in sorted(folder.rglob("*")) if file.is_file()]  # fmt: skip
                self._send(200, json.dumps(tree).encode(), {}, body)
                return
            name = path.removeprefix(f"/{source}/resolve/{revision}/")
            file = folder / name
            if name == path or not file.is_file():
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            data = file.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()}"'
            self._send(200, data, {"ETag": tag, "X-Repo-Commit": revision}, body)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()
