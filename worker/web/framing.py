"""Which other sites' pages may show the sign-up box, and the headers by which browsers hold them to it.

Every answer of the box has them, an error too: within a frame a reader would otherwise see nothing at all. Decides by
TOCSIN_EMBED_ORIGINS; called by `app` and `embed`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.web.security import page_policy

BOX: Final = "/embed"
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")  # RFC 6454, 6.2


def origins(given: str, *, home_url: str) -> tuple[str, ...]:
    """Return the origins whose pages may show the box, besides our own: as set, else the newspaper's home; `*` is any.

    >>> origins("", home_url="https://www.Courier.example/news"), origins("*", home_url=""), origins("", home_url="")
    (('https://www.courier.example',), ('*',), ())
    >>> origins("https://M.Courier.example", home_url="")
    ('https://m.courier.example',)
    """
    home = urlsplit(home_url)
    return tuple(given.lower().split()) if given or not home.netloc else (f"{home.scheme}://{home.netloc}".lower(),)


def allows(allowed: Sequence[str], origin: str) -> bool:
    """Tell whether pages of an origin may show the box. What a frame without a site says ("null") is no origin.

    Nor is whatever else somebody writes into the box's address: it goes into the record of consent.

    >>> allows(("https://a.example",), "https://a.example"), allows(("*",), "null"), allows((), "https://a.example")
    (True, False, False)
    >>> allows(("*",), "https://a.example:8443"), allows(("*",), "https://a.example/and more")
    (True, False)
    """
    return bool(_ORIGIN.fullmatch(origin)) and (origin in allowed or "*" in allowed)


class BoxHeaders:
    """Lets the pages of some origins frame the box, and their scripts read what it answers; no cookie is involved."""

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str]) -> None:
        self._app, self._allowed = app, allowed
        self._policy = page_policy(ancestors=" ".join(("'self'", *allowed)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the box's answer."""
        if scope["type"] != "http" or scope["path"] != BOX:
            await self._app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "")

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers.add_vary_header("Origin")
                if allows(self._allowed, origin):
                    headers["Access-Control-Allow-Origin"] = origin
            await send(message)

        await self._app(scope, receive, complete)
