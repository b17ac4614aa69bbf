"""The connections to one HTTP provider: posts a request, and tells what is known when no answer comes back.

It speaks httpx's transport without its client: the client logs every URL, keeps cookies and reads the environment.
Redirects are never followed, certificates always checked, and nothing here repeats a request. `http.py` calls it.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from worker import __version__
from worker.adapters.transports.http_replies import Reply, UnwillingError
from worker.adapters.transports.spec import TransportSpec
from worker.errors import ConfigurationError, OutcomeUnknown

_MOST_READ_BYTES: Final = 4_000_000
# httpx-aiohttp calls it ConnectTimeout when a connection is reset after the body, so aiohttp's own exception decides.
_NEVER_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"Tocsin/{__version__}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """A request to be posted. Its headers may hold secrets, its content addresses: neither is ever shown."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class Wire:
    """At most `spec.connections` connections, opened when first needed, in the event loop that first posts."""

    def __init__(self, spec: TransportSpec) -> None:
        self._spec = spec
        self._tls = _trust(spec)
        self._transport: AiohttpTransport | None = None
        times = spec.timeouts
        # "pool" is how long a connection may take from DNS to TLS: connections are never waited for.
        self._limits = {"connect": times.connect_s, "pool": times.connect_s, "read": times.reply_s}
        self._whole_s = times.connect_s + times.reply_s  # a server that sends a byte now and then does not get more

    async def post(self, posting: Posting) -> Reply | UnwillingError | OutcomeUnknown:
        """Post, and return what came of it: nothing is raised but a cancellation.

        `UnwillingError` (not `reached`): no connection, so certainly not sent. `OutcomeUnknown`: no whole answer.
        """
        try:
            request = httpx.Request(
                "POST",
                _address(self._spec.base_url + posting.path),
                headers={**_HEADERS, **posting.headers},
                content=posting.content,
                extensions={"timeout": self._limits},
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            return UnwillingError(f"{self._spec.name} cannot be asked: {type(error).__name__}", reached=False)
        try:
            async with asyncio.timeout(self._whole_s):
                return await self._exchange(request)
        except Exception as error:  # noqa: BLE001  only a connection that was never made is known to have sent nothing
            cause = error.__cause__ or error
            if isinstance(cause, _NEVER_CONNECTED):
                reason = f"{self._spec.address} cannot be reached: {_words(cause)}"
                return UnwillingError(reason, reached=False)
            return OutcomeUnknown(f"no answer from {self._spec.address}: {_words(cause)}")

    async def close(self) -> None:
        """Close all connections; `post` opens new ones."""
        transport, self._transport = self._transport, None
        if transport:
            await transport.aclose()

    async def _exchange(self, request: httpx.Request) -> Reply:
        self._transport = self._transport or self._opened()
        response = await self._transport.handle_async_request(request)
        body = bytearray()
        try:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _MOST_READ_BYTES:
                    break
        finally:
            await response.aclose()
        return Reply(status=response.status_code, headers=dict(response.headers), body=bytes(body[:_MOST_READ_BYTES]))

    def _opened(self) -> AiohttpTransport:
        connector = aiohttp.TCPConnector(
            limit=self._spec.connections + 1,  # one for what is asked for again meanwhile
            keepalive_timeout=self._spec.idle_s,
            ssl=self._tls,
        )
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        return AiohttpTransport(verify=self._tls, trust_env=False, client=session)


def _trust(spec: TransportSpec) -> ssl.SSLContext:
    try:
        return _context(spec.ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"transport {spec.name}: no certificates in {spec.ca_file}: {error.strerror}"
        ) from error


@functools.lru_cache(maxsize=64)
def _address(url: str) -> httpx.URL:
    """Parse a URL once: all posts of a provider go to one or two."""
    return httpx.URL(url)


@functools.cache
def _context(ca_file: Path | None) -> ssl.SSLContext:
    """Load the authorities that are trusted, the system's unless a file is named: some 20 ms."""
    return ssl.create_default_context(cafile=ca_file)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".strip()
