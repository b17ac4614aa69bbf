"""A mail provider in a thread: plays Resend's batch endpoint as its pages have it, keys included.

Its pages: resend.com/docs/api-reference/emails/send-batch-emails, /docs/dashboard/emails/idempotency-keys; 2026-11-28.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
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
                told = {name.lower(): value for name, value in self.headers.items()}
                status, answer = provider.take(self.path, told, body)
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
        return f"resend://a-key@default?name=way&base_url={self.url}"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def addresses(self) -> list[str]:
        """Whom it has accepted mail for."""
        return [mail["to"][0] for mail in self.accepted]

    def keeps_silent(self) -> bool:
        """Decide whether to answer, and take some time about it."""
        if self.moods is None:
            return self.silent.is_set()
        time.sleep(self.moods.uniform(0, 0.5))
        return self.moods.random() < 0.1

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Accept a batch, unless its key is known."""
        assert (path, headers["authorization"]) == ("/emails/batch", "Bearer a-key")
        key = headers["idempotency-key"]
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


class KeylessProvider(MailProvider):
    """Plays Postmark's batch endpoint (postmarkapp.com/developer/api/email-api, 2026-11-28), which knows no keys."""

    @property
    def dsn(self) -> str:
        """How an installation names it."""
        return f"postmark://a-token@default?name=way&base_url={self.url}"

    @property
    def addresses(self) -> list[str]:
        """Whom it has accepted mail for."""
        return [mail["To"] for mail in self.accepted]

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Accept whatever comes."""
        assert (path, headers["x-postmark-server-token"]) == ("/email/batch", "a-token")
        mails = json.loads(body)
        with self._lock:
            self.requests += 1
            self.accepted += mails
        return 200, json.dumps([{"ErrorCode": 0, "Message": "OK", "MessageID": "m"} for _ in mails]).encode()

    def events(self) -> list[dict[str, Any]]:
        """Say of each mail that it was delivered, as postmarkapp.com/developer/webhooks/delivery-webhook has it."""
        return [
            {
                "RecordType": "Delivery",
                "MessageID": f"m-{number}",
                "Recipient": mail["To"],
                "DeliveredAt": datetime.now(UTC).isoformat(),
                "Details": "smtp;250 2.0.0 OK",
                "Metadata": mail["Metadata"],
            }
            for number, mail in enumerate(self.accepted)
        ]
