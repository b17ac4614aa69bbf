"""Fetches a picture once for all readers, so that its server learns of us and of none of them.

A mail to a million asks for the same few pictures in the same minute: each is fetched by one request, for which all
others wait, and so many at a time; what failed is not tried again for a while. Addresses are other people's words, so
that the guard of `sources.fetch` holds at every hop: public addresses only, and limits on bytes and time. The pages
call it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from worker.adapters.pictures.looking import media_type
from worker.adapters.pictures.shelf import Shelf
from worker.adapters.sources.fetch import fetch, make_client
from worker.errors import FetchError

log = logging.getLogger(__name__)

MAX_BYTES: Final = 5_000_000
TIMEOUT_S: Final = 15.0
FAILED_FOR_S: Final = 300.0
"""For so long a picture that could not be had is not asked for again."""

_AT_ONCE: Final = 8
_MOST_WAITING: Final = 200
_FAILURES_KEPT: Final = 10_000
_ACCEPT: Final = "image/avif,image/webp,image/jpeg,image/png,image/gif"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPicture:
    """A picture as readers get it."""

    data: bytes
    media_type: str


class BusyError(Exception):
    """Too many different pictures are being fetched: ask again in a moment."""


class PictureProxy:
    """The pictures of one installation, for one event loop. `address_of` finds a picture's address; None for none."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        address_of: Callable[[int], str | None],
        user_agent: str,
        allow_private: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._shelf, self._address_of = shelf, address_of
        self._user_agent, self._allow_private, self._timeout_s = user_agent, allow_private, timeout_s
        self._flights: dict[int, asyncio.Task[ShownPicture | None]] = {}
        self._failed_until_s: dict[int, float] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def get(self, number: int) -> ShownPicture | None:
        """Return a picture; None where there is none, or it cannot be had or shown. Raises `BusyError`."""
        flight = self._flights.get(number)
        if flight is None:
            if len(self._flights) >= _MOST_WAITING:
                raise BusyError
            flight = asyncio.create_task(self._brought(number))
            self._flights[number] = flight
            flight.add_done_callback(lambda _: self._flights.pop(number, None))
        return await asyncio.shield(flight)  # a reader who walks away does not end it for all others

    async def _brought(self, number: int) -> ShownPicture | None:
        # Asked every time: of a story that was stopped, nothing is shown, whatever is kept.
        url = await asyncio.to_thread(self._address_of, number)
        if url is None:
            return None
        data = await asyncio.to_thread(self._shelf.get, number)
        if data is None and not self._has_failed(number):
            data = await self._fetched(number, url)
        return ShownPicture(data=data, media_type=media_type(data)) if data else None

    async def _fetched(self, number: int, url: str) -> bytes | None:
        try:
            async with self._turns, self._client() as client:
                answer = await fetch(client, url, max_bytes=MAX_BYTES, timeout_s=self._timeout_s)
        except FetchError as error:
            self._note_failure(number, str(error))
            return None
        if not media_type(answer.data):
            self._note_failure(number, f"{url} is no picture that mails show")
            return None
        await asyncio.to_thread(self._shelf.put, number, answer.data)
        return answer.data

    def _client(self) -> httpx.AsyncClient:
        return make_client(self._user_agent, allow_private=self._allow_private, accept=_ACCEPT)

    def _has_failed(self, number: int) -> bool:
        return self._failed_until_s.get(number, 0.0) > time.monotonic()

    def _note_failure(self, number: int, why: str) -> None:
        log.info("a picture is not shown: %s", why)
        if len(self._failed_until_s) >= _FAILURES_KEPT:
            self._failed_until_s.clear()
        self._failed_until_s[number] = time.monotonic() + FAILED_FOR_S
