"""What one connection after another is about to send: messages taken from an errand, a few at a time.

While one half of what it may hold is being sent the other half is made durable, so that a connection seldom waits for
the disk. Decides nothing about any reply. `smtp.py` makes one for each call of `work`.
"""

from __future__ import annotations

import asyncio
from collections import deque

from worker.adapters.transports.smtp_envelope import Envelope, Offers, seal
from worker.errors import SendError
from worker.model import OutgoingMessage
from worker.ports import Errand, Request


class Supply:
    """The messages of an errand in its order; never more than `most` of them wait here."""

    def __init__(self, errand: Errand, *, most: int) -> None:
        self._errand = errand
        self._at_once = (most + 1) // 2
        self._low = most - self._at_once
        self._first = True
        self._ready: deque[OutgoingMessage] = deque()
        self._coming: asyncio.Task[Request] | None = None
        self._is_over = False

    def at_hand(self, offers: Offers) -> Envelope | None:
        """Return the next message, sealed for a relay, if it need not be waited for.

        None also when no more can be had: that is for `next` to raise, when nothing is half said to a relay.
        """
        if self._has_failed:
            return None
        if self._coming is not None and self._coming.done():
            self._arrive(self._coming.result())
        if len(self._ready) <= self._low and self._coming is None and not self._is_over:
            self._coming = asyncio.create_task(self._fetch())  # before one leaves: what comes must find room
        while self._ready:
            message = self._ready.popleft()
            try:
                return seal(message, offers)
            except SendError as error:  # nothing of it was said to the relay
                self._errand.settle(message, error)
        return None

    async def next(self, offers: Offers) -> Envelope | None:
        """Return the next message, sealed for a relay; None when the errand has nothing left."""
        while (envelope := self.at_hand(offers)) is None:
            if not await self.has_more():
                return None
        return envelope

    async def has_more(self) -> bool:
        """Tell whether there is another message; waits until that is known."""
        if self._has_failed or (not self._ready and not self._is_over):
            self._coming = self._coming or asyncio.create_task(self._fetch())
            self._arrive(await asyncio.shield(self._coming))  # whoever is cancelled here has yet to give it back
        return bool(self._ready)

    def put_back(self, envelope: Envelope | None) -> None:
        """Take back a message that was announced to a relay and not sent; the next connection begins with it."""
        if envelope is not None:
            self._ready.appendleft(envelope.message)

    async def give_back(self) -> None:
        """Hand in whatever has not been begun."""
        try:
            if self._coming is not None:
                self._arrive(await self._coming)
        finally:
            if self._ready:
                self._errand.give_back(tuple(self._ready))
                self._ready.clear()

    @property
    def _has_failed(self) -> bool:
        coming = self._coming
        return coming is not None and coming.done() and (coming.cancelled() or coming.exception() is not None)

    async def _fetch(self) -> Request:
        # One at first: the other connections want some too.
        most, self._first = 1 if self._first else self._at_once, False
        return await self._errand.next(most)

    def _arrive(self, request: Request) -> None:
        self._coming = None
        self._is_over = not request.messages
        self._ready.extend(request.messages)
