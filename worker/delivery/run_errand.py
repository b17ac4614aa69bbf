"""One provider's share of a courier's round: rows become messages, durable and then sent, and answers become outcomes.

Transports see it as `ports.Errand`. Between `next` and `settle` a message is "committing": the window of doubt. Called
by `run`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Any, NamedTuple

from worker.delivery.decide import Patience, Verdict, after_error
from worker.delivery.run_books import Books, Committed, Going
from worker.delivery.run_feed import Feed, Row
from worker.delivery.run_flow import Flow
from worker.errors import AddressError, Blame, OutcomeUnknown, SendError
from worker.lifecycle import Happening
from worker.model import DeliveryId, Form, OutgoingMessage, Receipt
from worker.ports import Answer, Request, Transport
from worker.store.copies import DueDelivery
from worker.store.deliveries import Outcome
from worker.store.leases import Lease

log = logging.getLogger(__name__)

_RETRY_UNWRITABLE_S = 300.0


class _OnTheWire(NamedTuple):
    row: Row
    message: OutgoingMessage
    since: datetime


class ProviderErrand:
    """What one transport works off, over all of its connections at once."""

    def __init__(
        self,
        transport: Transport,
        *,
        feed: Feed,
        books: Books,
        flow: Flow,
        write: Callable[[DueDelivery, Form], OutgoingMessage],
        patience: Patience,
        hands: Executor | None = None,
    ) -> None:
        self._transport, self._feed, self._books, self._flow = transport, feed, books, flow
        self._write, self._patience, self._hands = write, patience, hands
        self._on_the_wire: dict[DeliveryId, _OnTheWire] = {}
        # Random: a restored database counts anew, and a provider remembers what it was sent under a key.
        self._round = secrets.token_hex(8)
        self._requests = itertools.count(1)
        self.tried = 0

    async def next(self, most: int) -> Request:
        """Give messages that are past the point of no return; see `ports.Errand`."""
        while rows := await self._feed.take(self._transport.name, most):
            written, unfit = [], []
            admitted = await self._admitted(rows)
            for row, message in zip(admitted, await self._written(admitted), strict=True):
                if isinstance(message, OutgoingMessage):
                    written.append((row, message))
                elif isinstance(message, AddressError):
                    reason = f"nothing was sent: {message.message}"
                    unfit.append((row, SendError(reason, permanent=True, blame=Blame.RECIPIENT)))
                else:
                    self._put_aside(row, message)
            if unfit:
                await self._refuse(unfit)
            if request := await self._commit(written):
                return request
        return Request(key="", messages=())

    def settle(self, message: OutgoingMessage, answer: Answer) -> None:
        """Have an answer written down; see `ports.Errand`."""
        sent = self._on_the_wire.pop(message.delivery_id)
        self.tried += 1
        self._books.record(self._outcome(sent.row, answer, since=sent.since))
        self._flow.heard(self._transport.name, sent.row.due, answer)
        self._feed.settle(sent.row)

    def give_back(self, messages: Sequence[OutgoingMessage]) -> None:
        """Put messages that were never sent back among the due ones; see `ports.Errand`."""
        for message in messages:
            row = self._on_the_wire.pop(message.delivery_id).row
            row.batch.given_back.append(row.due.id)
            self._feed.settle(row)

    def close(self) -> None:
        """Put whatever is on the wire in doubt: its transport has ended without a word about it."""
        for sent in tuple(self._on_the_wire.values()):
            self.settle(sent.message, OutcomeUnknown("the transport ended without a word"))

    async def _admitted(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that may go now; those that must wait long for their turn go back to SQL."""
        await self._flow.refresh()
        holds = await self._flow.admit(self._transport.name, [row.due for row in rows])
        for row, hold in zip(rows, holds, strict=True):
            if hold is not None:
                self._feed.wait(row, hold.wait_s, hold.reason)
        if all(hold is not None and hold.of_all for hold in holds):
            self._feed.stop_leasing()  # more would only come to wait as well
        return [row for row, hold in zip(rows, holds, strict=True) if hold is None]

    async def _written(self, rows: Sequence[Row]) -> list[OutgoingMessage | Exception]:
        """Write rows' messages; in the place of one that cannot be written stands why.

        Other threads sign while this one sends: OpenSSL lets go of the interpreter meanwhile.
        """

        def write(row: Row) -> OutgoingMessage | Exception:
            try:
                return self._write(row.due, self._transport.form)
            except Exception as error:  # noqa: BLE001  told to whom it concerns
                return error

        if self._hands is None:
            return [write(row) for row in rows]
        return await asyncio.get_running_loop().run_in_executor(self._hands, lambda: [write(row) for row in rows])

    def _put_aside(self, row: Row, error: Exception) -> None:
        """Put a row back for later whose message cannot be written by a fault of ours."""
        log.error("delivery %s cannot be written", row.due.id, exc_info=error)
        self._feed.wait(row, _RETRY_UNWRITABLE_S, f"it cannot be rendered: {type(error).__name__}: {error}")

    async def _commit(self, written: Sequence[tuple[Row, OutgoingMessage]]) -> Request | None:
        """Take rows past the point of no return; None when none of them may go."""
        written = sorted(written, key=lambda one: one[0].due.id)  # the order in which it would be made again
        key = f"{self._round}-{next(self._requests)}"
        kept = key if self._transport.keys_honoured_s else ""
        committed = await self._committed([row for row, _ in written], key=kept)
        if committed is None:
            return None
        going = [one for one in written if one[0].due.id in committed.ids]
        self._on_the_wire |= {row.due.id: _OnTheWire(row, message, committed.at) for row, message in going}
        return Request(key=key, messages=tuple(message for _, message in going)) if going else None

    async def _refuse(self, unfit: Sequence[tuple[Row, SendError]]) -> None:
        """End rows that nothing can be written to, as if their receiving end had refused them: no retry would help."""
        committed = await self._committed([row for row, _ in unfit], key="")  # in no request that is ever repeated
        for row, error in unfit:
            if committed is not None and row.due.id in committed.ids:
                self.tried += 1
                self._books.record(self._outcome(row, error, since=committed.at))
                self._feed.settle(row)

    async def _committed(self, rows: Sequence[Row], *, key: str) -> Committed | None:
        """Return which rows are past the point of no return, and put the others back; None when none may be begun."""
        by_lease: defaultdict[Lease, list[DeliveryId]] = defaultdict(list)
        for row in rows:
            if not row.batch.is_lost:
                by_lease[row.batch.lease].append(row.due.id)
        if not by_lease or self._feed.is_over:
            return None
        going = Going(lane=self._feed.lane, provider=self._transport.name, key=key, rows=by_lease)
        try:
            committed = await self._books.commit(going)
        except BaseException:
            self._feed.halt()
            raise
        if committed.must_yield:
            self._feed.halt()
            return None
        for row in rows:
            if row.due.id not in committed.ids:
                row.batch.held_back.append(row.due.id)
                self._feed.settle(row)
        return committed

    def _outcome(self, row: Row, answer: Answer, *, since: datetime) -> Outcome:
        due = row.due
        of_this_try: dict[str, Any] = {
            "delivery_id": due.id,
            "fence": row.batch.lease.fence,
            "provider": self._transport.name,
            "number": due.attempts + 1,
            "started_at": since,
        }
        if isinstance(answer, Receipt):
            return Outcome(
                **of_this_try,
                happening=Happening.ACCEPTED,
                code=answer.code,
                enhanced=answer.enhanced,
                text=answer.text,
                provider_message_id=answer.provider_message_id,
            )
        if isinstance(answer, SendError):
            verdict = self._verdict(row, answer, since=since)
            return Outcome(
                **of_this_try,
                happening=verdict.happening,
                code=answer.code,
                enhanced=answer.enhanced,
                text=answer.text,
                retry_in_s=verdict.retry_in_s,
                avoid=self._transport.name if verdict.avoids else "",
            )
        return Outcome(**of_this_try, happening=Happening.REPLY_LOST, text=str(answer))

    def _verdict(self, row: Row, error: SendError, *, since: datetime) -> Verdict:
        due = row.due
        return after_error(
            error,
            attempts=due.attempts + 1,
            lane=due.lane,
            patience=self._patience,
            jitter=random.random(),  # noqa: S311  spreads retries, guards nothing
            others=self._flow.others(self._transport.name, due.lane),
            left_s=(due.expires_at - since).total_seconds(),
        )
