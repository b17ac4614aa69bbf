"""A transport that does what a test tells it to, over nothing: it keeps what it was handed, and answers as scripted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import DeliveryId, Form, OutgoingMessage, Receipt, Sighting
from worker.ports import Answer, Errand, Request

BUSY = SendError("4.3.2 busy", permanent=False, code=451, enhanced="4.3.2")
NO_SUCH_USER = SendError("5.1.1 nobody", permanent=True, blame=Blame.RECIPIENT, code=550, enhanced="5.1.1")


class StandIn:
    """Answers each recipient with the next of its `answers` (an exception to raise), and 250 when there is none left.

    `during` is awaited while a message is under way. `sightings` answers look-ups by Message-ID, an exception too.
    """

    form = Form.MIME

    def __init__(self, *, connections: int = 3) -> None:
        self.name, self.connections = "stand-in", connections
        self.sent: list[OutgoingMessage] = []
        self.answers: defaultdict[str, list[BaseException]] = defaultdict(list)
        self.sightings: dict[str, Sighting | Exception] = {}
        self.sighting = Sighting.CANNOT_TELL
        self.asked: list[str] = []
        self.during: Callable[[OutgoingMessage], Awaitable[object]] | None = None
        self.closed = self.workers = 0
        self.keys_honoured_s = 0.0
        self.repeated: list[Request] = []
        self.repeats: dict[DeliveryId, Answer] = {}
        self._under_way = 0

    @property
    def window(self) -> int:
        return self.connections

    async def work(self, errand: Errand) -> None:
        self.workers += 1
        while (request := await errand.next(1)).messages:
            for message in request.messages:
                errand.settle(message, await self._answer(message))

    async def _answer(self, message: OutgoingMessage) -> Answer:
        self._under_way += 1
        assert self._under_way <= self.connections
        self.sent.append(message)
        try:
            await (self.during(message) if self.during else asyncio.sleep(0))
        finally:
            self._under_way -= 1
        if answers := self.answers[message.recipient]:
            answer = answers.pop(0)
            if not isinstance(answer, SendError | OutcomeUnknown):
                raise answer
            return answer
        return Receipt(provider=self.name, code=250, text="Ok", provider_message_id=f"queue-{len(self.sent)}")

    async def repeat(self, request: Request) -> Sequence[Answer]:
        self.repeated.append(request)
        return [self.repeats.get(message.delivery_id, OutcomeUnknown("?")) for message in request.messages]

    async def look_up(self, message_id: str) -> Sighting:
        self.asked.append(message_id)
        found = self.sightings.get(message_id, self.sighting)
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        self.closed += 1
