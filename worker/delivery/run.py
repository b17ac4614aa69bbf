"""Sends what is due: leases batches, commits rows, hands them to transports as messages, records the answers.

No transaction is open while it talks to the network, and nothing is sent that was not durably "committing" before. One
`Courier` lives in a delivery worker's event loop thread; `tasks` rings it for a batch, and it goes on with whatever
else of the lane is due, so that connections never stand idle between two batches.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
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
_UNREACHABLE_S = 10.0
_BY_ANOTHER_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What an operator may set about delivery."""

    lease_s: float
    patience: Patience


class Courier:
    """Delivers batches. `write` turns a due row into a finished message; `stopping` tells that the process must end."""

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
    ) -> None:
        self._transports, self._flow, self._write = transports, flow, write
        self._holder, self._terms, self._stopping = holder, terms, stopping
        self._books = Books(database)

    @property
    def patience(self) -> Patience:
        """How long retries wait."""
        return self._terms.patience

    async def deliver(self, lane: Lane, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch, then of others, and return how many rows were tried.

        Raises what the database raises; whatever had no answer by then is found out about later.
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
        try:
            await feed.begin(edition_id, batch_no)
            works = (self._work(name, errand, feed) for name, errand in errands.items())
            troubles = [trouble for trouble in await asyncio.gather(*works, return_exceptions=True) if trouble]
        finally:
            await feed.close()
            await self._flow.flush()
        if troubles:
            raise troubles[0]
        return sum(errand.tried for errand in errands.values())

    async def close(self) -> None:
        """End all connections; the courier may be used again afterwards."""
        for transport in self._transports.values():
            await transport.close()
        await self._flow.close()

    def _errand(self, transport: Transport, feed: Feed) -> ProviderErrand:
        return ProviderErrand(
            transport,
            feed=feed,
            books=self._books,
            flow=self._flow,
            write=self._write,
            patience=self._terms.patience,
        )

    async def _work(self, name: str, errand: ProviderErrand, feed: Feed) -> None:
        """Let all of a provider's connections work; what cannot be reached concerns only the rows meant for it."""
        transport = self._transports[name]
        works = (self._channel(transport, errand, feed) for _ in range(transport.connections))
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

    @staticmethod
    async def _channel(transport: Transport, errand: ProviderErrand, feed: Feed) -> None:
        if await feed.wants(transport.name):
            await transport.work(errand)
