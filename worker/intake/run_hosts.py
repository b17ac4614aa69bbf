"""Lets one request at a time ask a host, whoever needs it: a feed's poll, an index's sitemaps, an article's page.

In one event loop; between processes a host's feeds are held by claims (`store.polling`). Decides nothing. `run_visits`
and `run_whole` hold a host for each of their requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Hosts:
    """The hosts that one event loop is asking, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, host: str) -> AsyncIterator[None]:
        """Wait until nobody asks this host, and keep the others waiting. Never held twice by one task."""
        lock, others = self._waiting.get(host, (asyncio.Lock(), 0))
        self._waiting[host] = lock, others + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._waiting.pop(host)
            if waiting > 1:
                self._waiting[host] = lock, waiting - 1
