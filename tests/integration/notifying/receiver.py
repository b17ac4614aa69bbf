"""A newspaper's own program: a real HTTP server on a socket that keeps what it is posted and answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Answer = int | tuple[int, dict[str, str]] | Callable[["Receiver"], int]


@dataclass
class Posted:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    def verified(self, secret: str) -> dict[str, Any]:
        """Check the signature with the library that receivers use."""
        told: dict[str, Any] = Webhook(secret).verify(self.body, dict(self.headers))
        return told


@dataclass
class Receiver:
    """What came, in order. `answers` are given one after the other, then `otherwise` for ever."""

    url: str = ""
    otherwise: Answer = 204
    answers: list[Answer] = field(default_factory=list)
    posts: list[Posted] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    most_at_once: int = 0
    delay_s: float = 0.0
    body: bytes = b""

    @property
    def ids(self) -> list[str]:
        return [post.id for post in self.posts]

    @property
    def types(self) -> list[str]:
        return [post.told["type"] for post in self.posts]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever posted was killed
            self.close_connection = True
            return
        with receiver.lock:
            receiver.at_once += 1
            receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.posts.append(Posted(self.path, headers, body))
            answer = receiver.answers.pop(0) if receiver.answers else receiver.otherwise
        time.sleep(receiver.delay_s)
        with receiver.lock:
            receiver.at_once -= 1
        if callable(answer):
            answer = answer(receiver)
        code, more = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(code)
        for name, value in more.items():
            self.send_header(name, value)
        if code != 204:
            self.send_header("Content-Length", str(len(receiver.body)))
        self.end_headers()
        if code != 204:
            self.wfile.write(receiver.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: some tests kill them."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    with _Server(("127.0.0.1", 0), handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
