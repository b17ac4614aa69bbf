"""`HttpTransport`: sending through an HTTP provider, as a short script with three holes.

A provider's module fills in `build` (messages to a request), `parse` (a 2xx answer to one answer a message) and, where
its errors say more than their status, `refuse` and `culprits`. Here is what is the same for all: what may share a
request, repeats under a key, which failures are known to be unsent and which are doubtful. `http_wire.py` posts.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from worker.adapters.transports.http_groups import in_groups, posted_key
from worker.adapters.transports.http_replies import Reply, UnwillingError, refusal
from worker.adapters.transports.http_wire import Posting, Wire
from worker.adapters.transports.spec import TransportSpec
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Form, OutgoingMessage, Receipt, Sighting
from worker.ports import Answer, Errand, Request

REPEAT_AFTER_S: Final = (1.0, 4.0)


class HttpTransport(ABC):
    """A provider. It belongs to one event loop: close it before that loop ends."""

    form: ClassVar[Form] = Form.PARTS
    most_bytes: ClassVar[int] = 20_000_000
    keys_honoured_s: float = 0.0
    once_each: ClassVar[bool] = False
    """Whether an address may stand only once in a request."""
    unsent: ClassVar[Collection[int]] = ()
    """5xx statuses of which the provider's documentation says that the request was not carried out."""

    def __init__(self, spec: TransportSpec) -> None:
        self.spec = spec
        self._wire = Wire(spec)

    @abstractmethod
    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:
        """Write the request for messages that may share one; `key` is the same whenever these are repeated."""

    @abstractmethod
    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        """Read a 2xx answer: one answer a message, in order. Whatever it raises means that nobody knows."""

    def refuse(self, reply: Reply) -> Answer:
        """Say what an answer other than 2xx means for every message of its request."""
        return refusal(reply, self.shown(reply.text), unsent=self.unsent, now=datetime.now(UTC))

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:  # noqa: ARG002  few name a recipient
        """Return the places of the messages whose recipient is why all were refused; all places: one of them is."""
        return ()

    def together(self, message: OutgoingMessage) -> Hashable:  # noqa: ARG002  few say once what messages share
        """Messages of which this is equal may share a request."""
        return None

    @property
    def name(self) -> str:
        """The name that its DSN gives it."""
        return self.spec.name

    @property
    def connections(self) -> int:
        """How many requests may be under way at once."""
        return self.spec.connections

    @property
    def batch(self) -> int:
        """How many messages go in one request at most."""
        return self.spec.batch

    @property
    def window(self) -> int:
        """How many messages may be in doubt at once when the process dies."""
        return self.connections * self.batch

    async def work(self, errand: Errand) -> None:
        """Send until there is nothing more; see `ports.Transport`. Raises what makes the provider unwilling."""
        while (request := await errand.next(self.batch)).messages:
            answers = await self.send(request)
            for message, answer in zip(request.messages, answers, strict=True):
                if isinstance(answer, UnwillingError) and not answer.reached:
                    errand.give_back([message])
                else:
                    errand.settle(message, answer)
            if unwilling := next((answer for answer in answers if isinstance(answer, UnwillingError)), None):
                raise unwilling

    async def send(self, request: Request) -> Sequence[Answer]:
        """Send in as many posts as it takes, and give one answer a message, in order."""
        return await self._send(request, in_doubt=False)

    async def repeat(self, request: Request) -> Sequence[Answer]:
        """Send again, under its key, what may have been accepted: what is refused now may have gone before."""
        return await self._send(request, in_doubt=True)

    async def look_up(self, message_id: str) -> Sighting:  # noqa: ARG002  the port's name for it
        """Tell nothing: no provider answers at once and for certain when asked for a Message-ID of ours."""
        return Sighting.CANNOT_TELL

    async def close(self) -> None:
        """Close all connections; the transport may be used again afterwards."""
        await self._wire.close()

    def secrets(self) -> Sequence[str]:
        """Return all forms in which our secret leaves the house."""
        return (self.spec.password,)

    def shown(self, words: str) -> str:
        """Mask our secret in a provider's words, should it repeat it."""
        for secret in filter(None, self.secrets()):
            words = words.replace(secret, "***")
        return words

    def receipt(self, reply: Reply, provider_message_id: str = "", text: str = "") -> Receipt:
        """Write a receipt of this provider's."""
        return Receipt(provider=self.name, code=reply.status, text=text, provider_message_id=provider_message_id)

    async def _send(self, request: Request, *, in_doubt: bool) -> Sequence[Answer]:
        answers: dict[int, Answer] = {}
        stopped: UnwillingError | None = None
        for places in in_groups(self, request.messages):
            group = [request.messages[place] for place in places]
            key = posted_key(request.key, group, whole=len(group) == len(request.messages))
            told = [stopped] * len(group) if stopped else await self._settle(group, key, in_doubt)
            answers.update(zip(places, told, strict=True))
            stopped = next((answer for answer in told if isinstance(answer, UnwillingError)), stopped)
        return [answers[place] for place in range(len(request.messages))]

    async def _settle(self, messages: Sequence[OutgoingMessage], key: str, in_doubt: bool) -> Sequence[Answer]:
        """Send one group. Once anything of it may have been accepted, no refusal says any more that it was not."""
        try:
            posting = self.build(messages, key)
        except Exception as error:  # noqa: BLE001  whatever it is, nothing has been sent; its words may hold a letter
            if len(messages) > 1:  # one reader's odd values keep nobody else's mail back
                return await self._apart(messages, key, in_doubt)
            return [SendError(f"no request can be made of it: {type(error).__name__}", permanent=False)]
        if len(posting.content) > self.most_bytes:
            return await self._apart(messages, key, in_doubt, "it is larger than the provider takes")
        told, in_doubt = await self._ask(posting, in_doubt)
        if isinstance(told, Reply) and told.status // 100 == 2:
            return self._parsed(told, messages)
        answers = await self._refused(told, messages, key, in_doubt)
        return [_doubted(answer) for answer in answers] if in_doubt else answers

    async def _refused(
        self,
        told: Reply | UnwillingError | OutcomeUnknown,
        messages: Sequence[OutgoingMessage],
        key: str,
        in_doubt: bool,
    ) -> Sequence[Answer]:
        if not isinstance(told, Reply):
            return [told] * len(messages)
        if at_fault := self.culprits(told, messages):
            return await self._without(at_fault, told, messages, key, in_doubt)
        if told.status == 413:
            return await self._apart(messages, key, in_doubt, self.shown(told.text))
        return [self.refuse(told)] * len(messages)

    async def _ask(self, posting: Posting, in_doubt: bool) -> tuple[Reply | UnwillingError | OutcomeUnknown, bool]:
        """Post; where keys are honoured, repeat what got no answer. Tell also whether an answer was lost on the way."""
        told: Reply | UnwillingError | OutcomeUnknown = OutcomeUnknown()
        for wait_s in (0.0, *(REPEAT_AFTER_S if self.keys_honoured_s else ())):
            await asyncio.sleep(wait_s)
            told = await self._wire.post(posting)
            if isinstance(told, Reply) and not self._is_open(told):
                return told, in_doubt
            if isinstance(told, UnwillingError) and not in_doubt:
                return told, False
            in_doubt = True
        return told, in_doubt

    def _is_open(self, reply: Reply) -> bool:
        """Tell whether an answer leaves open what became of the messages."""
        return reply.status // 100 != 2 and isinstance(self.refuse(reply), OutcomeUnknown)

    def _parsed(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        try:
            answers = self.parse(reply, messages)
        except Exception as error:  # noqa: BLE001  it says that it was accepted, in words that nobody understands
            return [OutcomeUnknown(f"{type(error).__name__} in: {self.shown(reply.text)}")] * len(messages)
        if len(answers) != len(messages):
            return [OutcomeUnknown(f"{len(answers)} answers for {len(messages)} messages")] * len(messages)
        return answers

    async def _without(
        self,
        at_fault: Collection[int],
        reply: Reply,
        messages: Sequence[OutgoingMessage],
        key: str,
        in_doubt: bool,
    ) -> Sequence[Answer]:
        """Refuse those at fault and send the others; where any may be at fault, send halves until it is found."""
        text = f"{reply.status} {self.shown(reply.text)}"
        refused = SendError(text, permanent=True, blame=Blame.RECIPIENT, code=reply.status)
        others = [message for place, message in enumerate(messages) if place not in at_fault]
        if not others and len(messages) > 1:
            return await self._apart(messages, key, in_doubt, text)
        told = iter(await self._settle_part(others, key, in_doubt) if others else ())
        return [refused if place in at_fault else next(told) for place in range(len(messages))]

    async def _apart(
        self, messages: Sequence[OutgoingMessage], key: str, in_doubt: bool, text: str = ""
    ) -> Sequence[Answer]:
        """Send the halves of what was not accepted whole."""
        if len(messages) == 1:
            return [SendError(text, permanent=True, code=413)]
        half = len(messages) // 2
        first = await self._settle_part(messages[:half], key, in_doubt)
        return [*first, *await self._settle_part(messages[half:], key, in_doubt)]

    async def _settle_part(self, messages: Sequence[OutgoingMessage], key: str, in_doubt: bool) -> Sequence[Answer]:
        return await self._settle(messages, posted_key(key, messages, whole=False), in_doubt)


def _doubted(answer: Answer) -> Answer:
    return OutcomeUnknown(f"an answer was lost, and then: {answer}") if isinstance(answer, SendError) else answer
