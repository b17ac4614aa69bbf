"""One request to a WebSub hub: a form, posted to public addresses only, bounded in bytes, time and redirects.

Decides nothing about what an answer means for a subscription. `client` makes what it is posted with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from worker.errors import FetchError, printable

TIMEOUT_S: Final = 20.0
_MOST_REDIRECTS: Final = 3
_READ_BYTES: Final = 2_048
_LONGEST_WORD: Final = 300
_FOLLOWED: Final = frozenset({307, 308})  # section 5.1.2: the request is to be repeated there, as it is


@dataclass(frozen=True, kw_only=True, slots=True)
class HubAnswer:
    """What a hub has answered; `said` is the beginning of its own words, printable, where it did not accept."""

    status: int
    said: str

    @property
    def accepts(self) -> bool:
        """Whether the request was taken on: 202 of WebSub, and 204 of PubSubHubbub 0.3."""
        return 200 <= self.status < 300

    @property
    def refuses(self) -> bool:
        """Whether the hub wants nothing of it, and not only at the moment (408, 425, 429 and 5xx are of the moment)."""
        return 400 <= self.status < 500 and self.status not in {408, 425, 429}


async def ask_hub(
    client: httpx.AsyncClient, hub: str, form: Mapping[str, str], *, https_only: bool, timeout_s: float = TIMEOUT_S
) -> HubAnswer:
    """Post a form to a hub. Raises `FetchError` where no answer is to be had; a retry may help."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _follow(client, hub, form, https_only=https_only)
    except TimeoutError:
        raise FetchError(f"no answer within {timeout_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise FetchError(printable(str(error))[:_LONGEST_WORD] or type(error).__name__) from error


async def _follow(client: httpx.AsyncClient, hub: str, form: Mapping[str, str], *, https_only: bool) -> HubAnswer:
    here = httpx.URL(hub)
    for _ in range(_MOST_REDIRECTS + 1):
        if here.scheme not in ({"https"} if https_only else {"https", "http"}) or not here.host:
            raise FetchError("hubs are asked over HTTPS only")
        async with client.stream("POST", here, data=dict(form), follow_redirects=False, timeout=None) as response:
            location = response.headers.get("Location", "").strip()
            if response.status_code not in _FOLLOWED or not location:
                said = "" if response.is_success else await _beginning(response)
                return HubAnswer(status=response.status_code, said=said)
            here = response.url.join(location)
    raise FetchError(f"it redirects more than {_MOST_REDIRECTS} times")


async def _beginning(response: httpx.Response) -> str:
    """Read a little of an answer as it is on the wire; we ask for no compression."""
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk[:_READ_BYTES]
        if len(read) >= _READ_BYTES:
            break
    return printable(bytes(read).decode("utf-8", "replace"))[:_LONGEST_WORD]
