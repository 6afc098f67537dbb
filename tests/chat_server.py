"""An OpenAI-compatible server on this machine whose failures a test prescribes."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "sk-0123456789abcdefghij"  # pragma: allowlist secret


@dataclass
class Fault:
    """What goes wrong with one answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    """Sent instead of the answer."""
    break_after: int | None = None
    """Bytes after which the connection is closed."""
    hang: bool = False
    """Says nothing until the server ends."""
    drip: bool = False
    """Sends blank lines until the server ends."""


class ChatServer:
    """Answers "re: QUESTION" to every question, unless a fault is waiting for it."""

    def __init__(self) -> None:
        self.url, self.port = "", 0
        self.bodies: list[dict[str, Any]] = []
        self.authorizations: set[str | None] = set()
        self.answered: Counter[str] = Counter()
        self.faults: dict[str, list[Fault]] = {}
        self.always: Fault | None = None
        self.usage = True
        self.tells = False
        """Whether prompts have log-probabilities, one token a word, all of them -len(word)."""
        self.at_once = self.most_at_once = 0
        self.delay_s = 0.0
        self.end = threading.Event()
        self._lock = threading.Lock()

    def asked(self, question: str) -> int:
        """Return how often a question was asked."""
        return sum(body["messages"][-1]["content"] == question for body in self.bodies)

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        with self._lock:
            self.bodies.append(body)
            self.authorizations.add(request.headers.get("Authorization"))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            waiting = self.faults.get(question)
            fault = waiting.pop(0) if waiting else self.always or Fault()
        try:
            self.end.wait(self.delay_s)
            self._send(request, fault, question, body)
        finally:
            with self._lock:
                self.at_once -= 1

    def _send(
        self, request: BaseHTTPRequestHandler, fault: Fault, question: str, asked: dict[str, Any]
    ) -> None:
        if fault.hang:
            self.end.wait(20)
            return
        body = self._completion(question, asked) if fault.body is None else fault.body
        data = body.encode() if isinstance(body, str) else body
        request.send_response(fault.status)
        for name, value in fault.headers.items():
            request.send_header(name, value)
        if fault.drip:
            request.end_headers()
            while not self.end.wait(0.02):
                request.wfile.write(b"\n")
            return
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: fault.break_after])
        if fault.break_after is not None:
            request.close_connection = True
        elif fault.status == 200 and fault.body is None:
            with self._lock:
                self.answered[question] += 1

    def _completion(self, question: str, asked: dict[str, Any]) -> str:
        text = f"re: {question}"
        usage = {"prompt_tokens": len(question), "completion_tokens": len(text)}
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        told = {}
        if self.tells and "prompt_logprobs" in asked:
            words = [word for message in asked["messages"] for word in message["content"].split()]
            usage["prompt_tokens"] = len(words)
            of_words = [
                {str(i): {"logprob": -len(word), "rank": 1 + i % 2, "decoded_token": f"{word} "}}
                for i, word in enumerate(words)
            ]
            told = {"prompt_logprobs": [None, *of_words[1:]]}
        return json.dumps({"choices": [choice], **({"usage": usage} if self.usage else {}), **told})


@contextmanager
def serving(chat: ChatServer | None = None) -> Iterator[ChatServer]:
    """Yield a server that runs until the block ends; one that ended comes back at its address."""
    chat = chat or ChatServer()
    chat.end.clear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                chat.respond(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", chat.port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    chat.port = server.server_port
    chat.url = f"http://127.0.0.1:{chat.port}/v1"
    try:
        yield chat
    finally:
        chat.end.set()
        server.shutdown()
        thread.join()
        server.server_close()
