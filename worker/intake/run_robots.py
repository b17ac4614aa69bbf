"""Fetches and keeps hosts' robots.txt, for as long as RFC 9309 lets them be kept.

Decides nothing about what a file means: `robots` does. Kept in memory, one a process: after a restart they are asked
for once more. `run_pages` calls it before it fetches a page.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

import httpx

from worker.adapters.sources.fetch import fetch
from worker.errors import FetchError
from worker.intake.robots import MAX_ROBOTS_BYTES, Rules, read_robots, without_a_file

_LIFE_S: Final = 24 * 3600.0  # RFC 9309, section 2.4: no longer, unless the file cannot be had
_RETRY_S: Final = 30 * 60.0
_MAX_FETCHED_BYTES: Final = 5_000_000  # of which the rules' limit is read; a file beyond this is none
_TIMEOUT_S: Final = 15.0
_MAX_HOSTS: Final = 5_000
_MAX_KEPT_BYTES: Final = 5_000_000  # of files; read, they take twenty times as much memory


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    rules: Rules
    until_s: float
    is_answer: bool  # a file, or the word that there is none
    file_bytes: int = 0


class Robots:
    """What hosts allow the robot `product`. May be used by any number of tasks of one event loop."""

    def __init__(
        self,
        product: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_kept_bytes: int = _MAX_KEPT_BYTES,
    ) -> None:
        self._product, self._clock, self._max_kept_bytes = product, clock, max_kept_bytes
        self._kept: dict[str, _Kept] = {}
        self._file_bytes = 0

    async def rules(self, client: httpx.AsyncClient, url: str) -> Rules:
        """Return the rules of a page's host (with its scheme and port), fetching them where need be. Never raises.

        A host whose file cannot be had any more keeps the rules that it last had; one that never had any bars all.
        """
        place = place_of(url)
        if not place:
            return Rules(product=self._product, reason="it is no address on the web")
        kept = self._kept.get(place)
        if kept and self._clock() < kept.until_s:
            return kept.rules
        fresh = await self._fetch(client, place)
        if kept and kept.is_answer and not fresh.is_answer:
            fresh = replace(kept, until_s=fresh.until_s)
        self._keep(place, fresh)
        return fresh.rules

    def _keep(self, place: str, fresh: _Kept) -> None:
        """Keep a host's rules, and let go of the oldest ones: a name server can make up any number of hosts."""
        self._forget(place)
        while self._kept and (
            len(self._kept) >= _MAX_HOSTS or self._file_bytes + fresh.file_bytes > self._max_kept_bytes
        ):
            self._forget(next(iter(self._kept)))
        self._kept[place] = fresh
        self._file_bytes += fresh.file_bytes

    def _forget(self, place: str) -> None:
        gone = self._kept.pop(place, None)
        self._file_bytes -= gone.file_bytes if gone else 0

    async def _fetch(self, client: httpx.AsyncClient, place: str) -> _Kept:
        try:
            fetched = await fetch(client, f"{place}/robots.txt", max_bytes=_MAX_FETCHED_BYTES, timeout_s=_TIMEOUT_S)
        except FetchError as error:
            rules = without_a_file(error.status, product=self._product)
            life_s = _RETRY_S if rules.reason else _LIFE_S
            return _Kept(rules=rules, until_s=self._clock() + life_s, is_answer=not rules.reason)
        rules = await asyncio.to_thread(read_robots, fetched.data, product=self._product)
        size = min(len(fetched.data), MAX_ROBOTS_BYTES)
        return _Kept(rules=rules, until_s=self._clock() + _LIFE_S, is_answer=True, file_bytes=size)


def place_of(url: str) -> str:
    """Return scheme, host and port of an address, in small letters; "" for what is no address on the web.

    >>> place_of("HTTPS://News.Example:8443/a?b")
    'https://news.example:8443'
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
