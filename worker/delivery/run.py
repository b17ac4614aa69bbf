"""Sends what is due: leases batches, commits rows, hands them to transports as messages, records the answers.

No transaction is open while it talks to the network, and nothing is sent that was not durably "committing" before. One
`Courier` lives in a delivery worker's event loop thread; `tasks` rings it for a batch, and it goes on with whatever
else of the lane is due, so that connections never stand idle between two batches.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from worker.delivery.decide import Patience
from worker.delivery.run_books import Books
from worker.delivery.run_errand import ProviderErrand
from worker.delivery.run_feed import Feed
from worker.delivery.run_flow import Flow
from worker.errors import SendError
from worker.model import EditionId, Form, Lane, OutgoingMessage
from worker.ports import Transport
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.store.leases import Holder

log = logging.getLogger(__name__)

BATCH_BUDGET_S = 45.0  # a task ends well within a minute; rows that are left go back to SQL
LAST_REPLIES_S = 5.0
_LOOKS_EVERY_S = 1.0
_GOODBYE_S = 3.0  # `tocsin up` gives a worker six in all
_UNREACHABLE_S = 10.0
_BY_ANOTHER_S = 1.0
_HANDS = 3  # threads that write and sign: two cores' worth, and one that waits for its turn to run Python


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What an operator may set about delivery."""

    lease_s: float
    patience: Patience


class Courier:
    """Delivers batches. `write` turns a due row into a finished message; `stopping` tells that the process must end.

    Where `write` also signs, and `signs_long`, it is called by threads of their own.
    """

    def __init__(
        self,
        *,
        database: Database,
        transports: Mapping[str, Transport],
        flow: Flow,
        write: Callable[[DueDelivery, Form], OutgoingMessage],
        holder: Holder,
        terms: Terms,
        stopping: Callable[[], bool] = lambda: False,
        signs_long: bool = False,
    ) -> None:
        self._transports, self._flow, self._write = transports, flow, write
        self._holder, self._terms, self._stopping = holder, terms, stopping
        self._books = Books(database)
        self._hands = ThreadPoolExecutor(_HANDS, thread_name_prefix="signing") if signs_long else None
        self._busy: Counter[str] = Counter()  # connections at work, by provider
        self._late: set[asyncio.Task[None]] = set()  # rounds of which only replies are missing

    @property
    def patience(self) -> Patience:
        """How long retries wait."""
        return self._terms.patience

    async def deliver(self, lane: Lane, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch, then of others, and return how many rows were tried.

        Raises what the database raises; whatever had no answer by then is found out about later. Replies that take long
        are waited for beside the next calls.
        """
        if self._stopping():
            return 0
        until_s = time.monotonic() + BATCH_BUDGET_S
        feed = Feed(
            lane=lane,
            books=self._books,
            flow=self._flow,
            holder=self._holder,
            lease_s=self._terms.lease_s,
            may_go_on=lambda: time.monotonic() < until_s and not self._stopping(),
        )
        errands = {name: self._errand(transport, feed) for name, transport in self._transports.items()}
        work = asyncio.create_task(self._round(feed, errands, edition_id, batch_no))
        try:
            await self._attend(work, feed)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise
        if work.done():
            work.result()
        else:
            self._late.add(work)
            work.add_done_callback(self._end_late)
        return sum(errand.tried for errand in errands.values())

    async def close(self) -> None:
        """End all connections; the courier may be used again afterwards. What waits for replies does so no longer."""
        if self._late:
            await asyncio.wait(self._late, timeout=_GOODBYE_S)
        for work in tuple(self._late):
            work.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        for transport in self._transports.values():
            await transport.close()
        await self._flow.close()

    async def _attend(self, work: asyncio.Task[None], feed: Feed) -> None:
        """Wait for a round as long as it has something to begin, and a little for its last replies.

        A relay may take ten minutes to answer; the lane's next mail goes by the other connections meanwhile. A process
        that is to end has nothing better to do.
        """
        left_s = LAST_REPLIES_S
        while not work.done() and (left_s >= 0 or self._stopping()):
            await asyncio.wait({work}, timeout=_LOOKS_EVERY_S)
            left_s = LAST_REPLIES_S if feed.has_more else left_s - _LOOKS_EVERY_S

    def _end_late(self, work: asyncio.Task[None]) -> None:
        self._late.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("a round whose last replies came late has failed", exc_info=error)

    async def _round(
        self, feed: Feed, errands: Mapping[str, ProviderErrand], edition_id: EditionId, batch_no: int
    ) -> None:
        try:
            await feed.begin(edition_id, batch_no)
            works = (self._work(name, errand, feed) for name, errand in errands.items())
            troubles = [trouble for trouble in await asyncio.gather(*works, return_exceptions=True) if trouble]
        finally:
            await feed.close()
            await self._flow.flush()
        if troubles:
            raise troubles[0]

    def _errand(self, transport: Transport, feed: Feed) -> ProviderErrand:
        return ProviderErrand(
            transport,
            feed=feed,
            books=self._books,
            flow=self._flow,
            write=self._write,
            patience=self._terms.patience,
            hands=self._hands,
        )

    async def _work(self, name: str, errand: ProviderErrand, feed: Feed) -> None:
        """Let all of a provider's connections work; what cannot be reached concerns only the rows meant for it."""
        transport = self._transports[name]
        free = transport.connections - self._busy[name]  # earlier rounds may wait for replies on the others
        if free <= 0:
            feed.abandon(name, _UNREACHABLE_S, f"all connections to {name} wait for replies")
            return
        works = (self._channel(transport, errand, feed) for _ in range(free))
        endings = await asyncio.gather(*works, return_exceptions=True)
        errand.close()
        defects = [end for end in endings if isinstance(end, BaseException) and not isinstance(end, SendError)]
        unreached = [end for end in endings if isinstance(end, SendError)]
        for error in unreached:
            self._flow.unreachable(name, error)
        if unreached:
            log.warning("%s: %s", name, unreached[0])
            wait_s = _BY_ANOTHER_S if self._flow.others(name, feed.lane) else _UNREACHABLE_S
            feed.abandon(name, wait_s, unreached[0].text)
        if defects:
            feed.halt()
            raise defects[0]

    async def _channel(self, transport: Transport, errand: ProviderErrand, feed: Feed) -> None:
        if not await feed.wants(transport.name):
            return
        self._busy[transport.name] += 1
        try:
            await transport.work(errand)
        finally:
            self._busy[transport.name] -= 1
