"""Who is asking, what a browser may do with the answer, and a log that names neither readers nor their links.

ASGI middlewares and two questions about a request. Decides nothing about pages.
"""

from __future__ import annotations

import logging
import time
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("worker.web.access")

_PEER: Final = "tocsin.peer"
_WAS_HEAD: Final = "tocsin.was_head"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a token in the address must not travel to the pages that we link to
    "Cache-Control": "no-store",
}
_STATIC: Final = "/static/"
_STATIC_HEADERS: Final = _HEADERS | {"Cache-Control": "public, max-age=600"}


class RememberPeer:
    """Keeps the socket's peer, which the proxy's headers will hide: what is for this machine only is judged by it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            client = scope.get("client")
            scope[_PEER] = client[0] if client else ""
        await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET on every path; the server leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. The server keeps its own scope, and so still knows what was asked."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = dict(scope, method="GET") | {_WAS_HEAD: True}
        await self._app(scope, receive, send)


class SecurityHeaders:
    """Gives every answer the headers that it has not set itself."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self._app = app
        self._headers = _HEADERS | {"Content-Security-Policy": policy}
        self._static_headers = _STATIC_HEADERS | {"Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the answer's headers."""
        defaults = self._static_headers if scope.get("path", "").startswith(_STATIC) else self._headers

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in defaults.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, complete if scope["type"] == "http" else send)


class AccessLog:
    """Writes a line a request: the route's pattern, not the path, which may hold a token; no query, no address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started_s = 0, time.monotonic()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            took_ms = (time.monotonic() - started_s) * 1000
            log.info("%s %s %s %.0f ms", scope["method"], _pattern(scope), status or "gone", took_ms)


def page_policy(*, images: str = "", ancestors: str = "'none'") -> str:
    """Return what browsers may do with a page: nothing from elsewhere but images of an origin, no frame but in these.

    >>> page_policy(images="https://cdn.courier.example")[:99]
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https://cdn.courier.e"
    >>> page_policy(ancestors="'self'").endswith("frame-ancestors 'self'")
    True
    """
    sources = f"'self' data: {images}".rstrip()
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self'; img-src {sources}; connect-src 'self'; "
        f"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )


def framed_mail_policy(*, images: str) -> str:
    """Return what a mail in the inbox's frame may do: show itself, with the pictures that the proxy serves.

    Nothing else of ours: whoever looks into the inbox is not to be counted as a reader who opens a mail.

    >>> "img-src https://news.courier.example/img/ data:;" in framed_mail_policy(
    ...     images="https://news.courier.example"
    ... )
    True
    """
    return (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src {images}/img/ data:; base-uri 'self'; frame-ancestors 'self'"
    )


def preview_policy(*, images: bool) -> str:
    """Return what a mail in a preview's frame may do: show itself, and pictures if they are wanted.

    >>> "img-src 'none';" in preview_policy(images=False)
    True
    """
    sources = "https: http: data:" if images else "'none'"
    return f"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src {sources}; frame-ancestors 'self'"


def is_local(request: Request, *, base_url: str) -> bool:
    """Tell whether somebody on this very machine asks, without a proxy in between.

    The socket's peer decides. A proxy on this machine would make everybody local, so that its headers count against it;
    so does a host name that is not ours, by which a web page could reach loopback through its visitor's browser.
    """
    if not is_loopback(request.scope.get(_PEER, "")) or any(name in request.headers for name in _FORWARDED):
        return False
    host = _host(f"//{request.headers.get('host', '')}")
    return is_loopback(host) or host == _host(base_url)


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be this machine.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "evil.example", "")]
    [True, True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def was_head(request: Request) -> bool:
    """Tell whether only the headers were asked for."""
    return bool(request.scope.get(_WAS_HEAD, False))


def client_address(request: Request) -> str:
    """Return the address of whoever asks, as the trusted proxies tell it; "" when unknown."""
    return request.client.host if request.client else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _pattern(scope: Scope) -> str:
    if scope["path"].startswith(_STATIC):
        return str(scope["path"])
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "(no such page)"
