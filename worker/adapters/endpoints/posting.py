"""One signed POST to an endpoint: bounded in time and bytes, without redirects, to public addresses only.

The body is signed by Standard Webhooks' own library, with every secret that is in force. What the endpoint says beside
its status is read and thrown away: it may quote an address. Decides nothing about what an answer means.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Final, Self

import httpx
from standardwebhooks import Webhook

from worker.adapters.sources.address_guard import GuardedTransport
from worker.adapters.sources.fetch import retry_after
from worker.errors import FetchError, printable
from worker.tidings import Reply

TIMEOUT_S: Final = 15.0
MOST_BODY_BYTES: Final = 16_384
_DRAIN_S: Final = 2.0
_LONGEST_ERROR: Final = 300
_LIMITS: Final = httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=30)


class Poster:
    """Posts to one endpoint over connections that it keeps; an async context manager, for one event loop."""

    def __init__(self, user_agent: str, *, allow_private: bool, timeout_s: float = TIMEOUT_S) -> None:
        plain = httpx.AsyncHTTPTransport(verify=_trust(), limits=_LIMITS) if allow_private else None
        transport = plain or GuardedTransport(limits=_LIMITS, ssl_context=_trust())
        self._client = httpx.AsyncClient(
            transport=transport,
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            timeout=timeout_s,  # for each step; `post` bounds the whole
        )
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        """Begin; nothing is connected yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def post(self, url: str, *, message_id: str, body: str, secrets: Sequence[str]) -> Reply:
        """Post a message; whatever goes wrong is told in the reply."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, signed(message_id, body, secrets), body)
        except TimeoutError:
            return Reply(code=None, error=f"no answer within {self._timeout_s:g} s")
        except (FetchError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            said = printable(str(error)) or type(error).__name__
            return Reply(code=None, error=said[:_LONGEST_ERROR])

    async def _post(self, url: str, headers: dict[str, str], body: str) -> Reply:
        content = body.encode()
        async with self._client.stream(
            "POST", url, content=content, headers=headers, follow_redirects=False
        ) as response:
            await _drain(response)
        wish = response.headers.get("Retry-After", "")
        return Reply(code=response.status_code, retry_after_s=retry_after(wish, datetime.now(UTC)) if wish else None)


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return whom this process trusts; made once, for it takes longer than all else before a connection."""
    return httpx.create_ssl_context()


def signed(message_id: str, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that prove a message: its id, this moment, and a signature for each secret in force.

    The moment is this machine's, which receivers hold against their own clock.
    """
    at = datetime.now(UTC)
    signatures = [Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _drain(response: httpx.Response) -> None:
    """Read a short answer to its end, so that its connection can be used again; a longer or slower one is cut off.

    The status is known by now: nothing that happens here makes a message undelivered.
    """
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in response.aiter_raw():
                if response.num_bytes_downloaded > MOST_BODY_BYTES:
                    return
