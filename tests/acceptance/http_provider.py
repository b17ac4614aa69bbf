"""A mail provider in a thread: plays Resend's batch endpoint as its pages have it, keys included.

Its pages: resend.com/docs/api-reference/emails/send-batch-emails, /docs/dashboard/emails/idempotency-keys; 2026-11-28.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Self


class MailProvider:
    """Accepts everything, nothing twice under one key. While `silent` is set, it accepts and does not answer.

    With `moods` it takes its time, and now and then keeps an answer to itself.
    """

    def __init__(self) -> None:
        self.moods: Random | None = None
        self.accepted: list[dict[str, Any]] = []
        self.requests = 0
        self.silent = threading.Event()
        self.heard = threading.Event()
        self._known: dict[str, tuple[bytes, bytes]] = {}
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/emails/batch"
                assert self.headers["Authorization"] == "Bearer a-key"
                status, answer = provider.take(self.headers["Idempotency-Key"], body)
                provider.heard.set()
                if provider.keeps_silent():
                    self.close_connection = True
                    return
                with contextlib.suppress(OSError):  # whoever asked may have been killed
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name for it
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Say nothing of connections that were cut."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def dsn(self) -> str:
        """How an installation names it."""
        return f"resend://a-key@default?name=way&base_url=http://127.0.0.1:{self._server.server_port}"

    def keeps_silent(self) -> bool:
        """Decide whether to answer, and take some time about it."""
        if self.moods is None:
            return self.silent.is_set()
        time.sleep(self.moods.uniform(0, 0.5))
        return self.moods.random() < 0.1

    def take(self, key: str, body: bytes) -> tuple[int, bytes]:
        """Accept a batch, unless its key is known."""
        with self._lock:
            self.requests += 1
            if key not in self._known:
                mails = json.loads(body)
                self.accepted += mails
                ids = [{"id": f"{len(self._known)}-{place}"} for place in range(len(mails))]
                self._known[key] = (body, json.dumps({"data": ids}).encode())
            before, answer = self._known[key]
            if before != body:
                return 409, b'{"statusCode": 409, "name": "invalid_idempotent_request", "message": "other payload"}'
            return 200, answer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
