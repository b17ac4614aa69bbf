"""A web server of the test's own, that behaves as servers on the web do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Web(ThreadingHTTPServer):
    """Remembers what it was asked, and how many at once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.asked: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.closing = threading.Event()
        self.busy, self.busiest, self._lock = 0, 0, threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, by: int) -> None:
        with self._lock:
            self.busy += by
            self.busiest = max(self.busiest, self.busy)

    @property
    def methods(self) -> Counter[str]:
        return Counter(method for method, _ in self.asked)


class Pages(BaseHTTPRequestHandler):
    """Answers by the path."""

    server: Web

    def do_HEAD(self) -> None:
        self._answer(body=b"")

    def do_GET(self) -> None:
        self._answer(body=b"<p>words</p>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, *, body: bytes) -> None:
        self.server.asked.append((self.command, self.path))
        self.server.agents.add(self.headers.get("User-Agent", ""))
        self.server.count(1)
        try:
            self._say(self.path.partition("?")[0].strip("/"), body)
        except OSError:  # nobody listens any more
            self.close_connection = True
        finally:
            self.server.count(-1)

    def _say(self, what: str, body: bytes) -> None:
        match what.split("-"):
            case ["slow"]:
                self.server.closing.wait(20)
            case ["nohead"]:
                self._reply(405 if self.command == "HEAD" else 200, body)
            case ["loop"]:
                self._reply(302, b"", Location="/loop")
            case ["moved"]:
                self._reply(301, b"", Location="/200")
            case ["inside"]:
                self._reply(302, b"", Location=f"http://127.0.0.2:{self.server.server_port}/200")
            case ["picture", size]:
                self._reply(200, b"x" * int(size) if self.command == "GET" else b"", kind="image/png", is_told=False)
            case [status]:
                self._reply(int(status), body)

    def _reply(
        self, status: int, body: bytes, *, kind: str = "text/html", is_told: bool = True, **headers: Any
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if is_told:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Web]:
    """Run one until the block ends."""
    server = Web()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
