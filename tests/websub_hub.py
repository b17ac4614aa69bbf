"""A WebSub hub of our own, and the publisher behind it: real HTTP, and every mood that hubs are known to have.

Verifies intent, keeps leases, signs, distributes, denies, refuses, and can be told to do each of it wrongly. Keeps what
it was asked for, in order. Asserts nothing.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx

from tests.http import NO_TLS


class Mood(Enum):
    """What the hub does with a request."""

    WELL = auto()  # 202, and verifies when `settle` is called
    AT_ONCE = auto()  # verifies before it answers 204, as hubs of PubSubHubbub 0.3 may
    REFUSES = auto()  # 400
    FAILS = auto()  # 503
    HANGS = auto()  # takes the request and never answers
    MOVED = auto()  # 307 to /other


@dataclass(frozen=True)
class Wish:
    """A request as it was sent, every parameter that came once."""

    path: str
    headers: dict[str, str]
    told: dict[str, str]

    @property
    def callback(self) -> str:
        return self.told["hub.callback"]


@dataclass
class Hub:
    """`lease` is what is granted, whatever is asked for; `documents` are what the publisher serves, by path."""

    url: str = ""
    mood: Mood = Mood.WELL
    lease: str | None = "864000"
    wishes: list[Wish] = field(default_factory=list)
    documents: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, verify=NO_TLS))
    closing: threading.Event = field(default_factory=threading.Event)
    _verified: int = 0

    @property
    def hub(self) -> str:
        return f"{self.url}/hub"

    @property
    def topic(self) -> str:
        return f"{self.url}/feed.xml"

    def settle(self) -> list[httpx.Response]:
        """Verify the intent behind every wish that has not been verified yet."""
        waiting, self._verified = self.wishes[self._verified :], len(self.wishes)
        return [self.verify(wish) for wish in waiting]

    def verify(self, wish: Wish, **changed: str | None) -> httpx.Response:
        """Ask whether a wish is meant; `changed` are parameters without their `hub.`, None leaves one out."""
        told: dict[str, str | None] = {
            "mode": wish.told["hub.mode"],
            "topic": wish.told["hub.topic"],
            "challenge": secrets.token_urlsafe(24),
            "lease_seconds": self.lease if wish.told["hub.mode"] == "subscribe" else None,
            **changed,
        }
        query = urlencode({f"hub.{name}": value for name, value in told.items() if value is not None})
        return self.client.get(f"{wish.callback}?{query}")

    def deny(self, wish: Wish, reason: str = "") -> httpx.Response:
        more = {"hub.reason": reason} if reason else {}
        query = urlencode({"hub.mode": "denied", "hub.topic": wish.told["hub.topic"], **more})
        return self.client.get(f"{wish.callback}?{query}")

    def push(
        self,
        wish: Wish,
        body: bytes,
        *,
        method: str = "sha256",
        content_type: str = "application/rss+xml",
        **headers: str,
    ) -> httpx.Response:
        """Distribute content, signed as the wish asked; a header that is "" is left out."""
        digest = hmac.digest(wish.told["hub.secret"].encode(), body, method).hex()
        told = {
            "Content-Type": content_type,
            "Link": f'<{self.hub}>; rel="hub", <{self.topic}>; rel="self"',
            "X-Hub-Signature": f"{method}={digest}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.post(
            wish.callback, content=body, headers={name: value for name, value in told.items() if value}
        )


@contextmanager
def websub_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(_Handler):
        served_by = hub

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, hub.client:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.closing.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    served_by: Hub

    def do_GET(self) -> None:
        hub = self.served_by
        hub.fetched.append(self.path)
        if self.path not in hub.documents:
            self._answer(404)
            return
        body, headers = hub.documents[self.path]
        self._answer(200, body, **headers)

    def do_POST(self) -> None:
        hub = self.served_by
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {name: values[0] for name, values in parse_qs(form, keep_blank_values=True).items() if len(values) == 1}
        headers = {name.lower(): value for name, value in self.headers.items()}
        if hub.mood is Mood.MOVED and self.path == "/hub":
            self._answer(307, Location="/other")
            return
        wish = Wish(self.path, headers, told)
        hub.wishes.append(wish)
        match hub.mood:
            case Mood.AT_ONCE:
                hub._verified = len(hub.wishes)
                fine = hub.verify(wish).is_success
                self._answer(204 if fine else 409)
            case Mood.REFUSES:
                self._answer(400, b"no such topic here\n\x1b[31m", Content_Type="text/plain")
            case Mood.FAILS:
                self._answer(503, b"busy", Content_Type="text/plain")
            case Mood.HANGS:
                hub.closing.wait(20)
                self.close_connection = True
            case _:
                self._answer(202)

    def _answer(self, status: int, body: bytes = b"", **headers: Any) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
