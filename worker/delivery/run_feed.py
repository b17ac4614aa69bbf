"""Gives a courier rows to send: leases one batch after another, keeps the leases, and hands every batch back.

A batch is leased when the last one is nearly worked off, so that connections need not wait and memory stays flat
however large an edition is. Each row goes to the queue of the provider that `flow` chooses for it. Called by `run`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from worker.delivery.routing import Hold
from worker.delivery.run_books import Books, Closing
from worker.delivery.run_flow import Flow
from worker.model import DeliveryId, EditionId, Lane
from worker.store import copies, leases
from worker.store.copies import DueDelivery
from worker.store.leases import Holder, Lease

log = logging.getLogger(__name__)

_RENEWALS_A_LEASE = 4
_MOST_WAITING = 1500  # three batches; of rows that wait for a provider while another's are sent


@dataclass(kw_only=True, slots=True, eq=False)
class Batch:
    """A leased batch under way. `open` counts its rows that are neither settled nor put aside."""

    lease: Lease
    open: int
    held_back: list[DeliveryId] = field(default_factory=list)
    given_back: list[DeliveryId] = field(default_factory=list)
    waits: defaultdict[str, dict[DeliveryId, float]] = field(default_factory=lambda: defaultdict(dict))
    is_lost: bool = False  # its lease: nothing new of it may be begun


class Row(NamedTuple):
    """A due delivery, and the batch that it is leased with."""

    due: DueDelivery
    batch: Batch


class Feed:
    """The rows of one lane, until there are no more, or `may_go_on` says no."""

    def __init__(
        self,
        *,
        lane: Lane,
        books: Books,
        flow: Flow,
        holder: Holder,
        lease_s: float,
        may_go_on: Callable[[], bool],
    ) -> None:
        self.lane = lane
        self._books, self._flow, self._holder, self._lease_s = books, flow, holder, lease_s
        self._may_go_on = may_go_on
        self.is_halted = False  # by trouble, or for a breaking alert: what is under way is finished, nothing is begun
        self._queues: defaultdict[str, deque[Row]] = defaultdict(deque)
        self._promised: defaultdict[str, int] = defaultdict(int)  # connections that begin, and have taken nothing yet
        self._waiting = 0
        self._abandoned: dict[str, Hold] = {}
        self._batches: set[Batch] = set()
        self._is_dry = False
        self._leasing: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep_leases())

    @property
    def is_over(self) -> bool:
        """Whether nothing more may be begun."""
        return self.is_halted or not self._may_go_on()

    @property
    def has_more(self) -> bool:
        """Whether there may be rows that have not been taken."""
        return not self.is_over and (self._waiting > 0 or not self._is_dry)

    async def begin(self, edition_id: EditionId, batch_no: int) -> None:
        """Lease the batch that the courier was rung for, unless somebody else has it or nothing of it is due."""
        await self._lease(partial(_take_one, lane=self.lane, edition_id=edition_id, batch_no=batch_no))

    async def wants(self, provider: str) -> bool:
        """Wait until it is known whether a provider has work for one more connection than have been promised any."""
        queue = self._queues[provider]
        while len(queue) <= self._promised[provider] and await self._has_moved():
            pass
        if self.is_over or len(queue) <= self._promised[provider]:
            return False
        self._promised[provider] += 1
        return True

    async def take(self, provider: str, most: int) -> list[Row]:
        """Return up to `most` rows for a provider, in order; none when there will be none any more."""
        queue = self._queues[provider]
        while not queue and await self._has_moved():
            pass
        if self.is_over:
            self._moved.set()  # whoever waits for room sees that there will be none
            return []
        self._promised[provider] = max(0, self._promised[provider] - 1)
        rows = [queue.popleft() for _ in range(min(most, len(queue)))]
        self._waiting -= len(rows)
        self._moved.set()
        if self._waiting < most * 4 and not self._is_dry:
            self._lease_next()
        return rows

    def settle(self, row: Row) -> None:
        """Note that a row is over for this round; its batch goes back with the last one."""
        row.batch.open -= 1
        if row.batch.open == 0:
            self._hand_back(row.batch)

    def wait(self, row: Row, wait_s: float, reason: str) -> None:
        """Put a row back for later."""
        row.batch.waits[reason][row.due.id] = wait_s
        self.settle(row)

    def halt(self) -> None:
        """Begin nothing more."""
        self.is_halted = True
        self._moved.set()

    def abandon(self, provider: str, wait_s: float, reason: str) -> None:
        """Put back what waits for a provider, and what else would: nobody can be reached there."""
        self._abandoned[provider] = Hold(wait_s=wait_s, reason=reason)
        queue = self._queues.pop(provider, deque())
        self._waiting -= len(queue)
        for row in queue:
            self.wait(row, wait_s, reason)
        self._moved.set()

    def stop_leasing(self) -> None:
        """Lease nothing more in this round; what is leased goes out."""
        self._is_dry = True

    async def close(self) -> None:
        """Hand everything back, and wait until that is written."""
        self.halt()
        if self._leasing is not None:
            await asyncio.gather(self._leasing, return_exceptions=True)
        for batch in tuple(self._batches):
            self._hand_back(batch)
        try:
            await self._books.written()
        finally:
            self._keeper.cancel()

    async def _has_moved(self) -> bool:
        """Wait until there may be more rows in some queue; False when there will not be."""
        if self.is_over:
            return False
        if self._waiting >= _MOST_WAITING:  # for others: theirs must go first, or memory would not stay flat
            self._moved.clear()
            await self._moved.wait()
        elif self._is_dry:
            return False
        else:
            await asyncio.shield(self._lease_next())
        return True

    def _lease_next(self) -> asyncio.Task[None]:
        if self._leasing is None or self._leasing.done():
            self._leasing = asyncio.create_task(self._lease_any())
        return self._leasing

    async def _lease_any(self) -> None:
        self._is_dry = not await self._lease(partial(leases.take_next, lane=self.lane)) or self._is_dry

    async def _lease(self, take: Callable[..., Lease | None]) -> bool:
        take = partial(take, holder=self._holder, lease_s=self._lease_s)
        try:
            leased = await self._books.run(partial(_take, take=take))
        except Exception:
            self.halt()
            raise
        if leased is None:
            return False
        lease, rows = leased
        batch = Batch(lease=lease, open=len(rows))
        self._batches.add(batch)
        await self._flow.refresh()
        holds = [self._place(Row(due=due, batch=batch)) for due in rows]
        if not rows:
            self._hand_back(batch)
        elif all(hold is not None and hold.of_all for hold in holds):
            self.stop_leasing()  # more would only come to be put back as well
        self._moved.set()
        return True

    def _place(self, row: Row) -> Hold | None:
        """Put a row into the queue of its provider, or back for later: then return what holds it."""
        way = self._flow.route(row.due)
        if isinstance(way, str):
            way = self._abandoned.get(way, way)
        if isinstance(way, Hold):
            self.wait(row, way.wait_s, way.reason)
            return way
        self._queues[way].append(row)
        self._waiting += 1
        return None

    def _hand_back(self, batch: Batch) -> None:
        self._batches.discard(batch)
        self._books.close(
            Closing(lease=batch.lease, held_back=batch.held_back, given_back=batch.given_back, waits=batch.waits)
        )

    async def _keep_leases(self) -> None:
        """Renew leases until each is handed back or lost, also when nothing new is begun: what is under way is ours."""
        while True:
            await asyncio.sleep(self._lease_s / _RENEWALS_A_LEASE)
            for batch in [batch for batch in self._batches if not batch.is_lost]:
                renew = partial(leases.renew, lease=batch.lease, holder=self._holder, lease_s=self._lease_s)
                try:
                    batch.is_lost = not await self._books.run(renew)
                except Exception:
                    log.exception("the lease of edition %s batch %s cannot be renewed", *_name(batch.lease))
                    self.halt()


def _take(conn: Connection, *, take: Callable[[Connection], Lease | None]) -> tuple[Lease, list[DueDelivery]] | None:
    lease = take(conn)
    return None if lease is None else (lease, copies.leased(conn, lease))


def _take_one(conn: Connection, *, lane: Lane, **which: Any) -> Lease | None:  # noqa: ANN401  as `leases.take` has them
    return None if leases.must_yield(conn, lane) else leases.take(conn, **which)


def _name(lease: Lease) -> tuple[int, int]:
    return lease.edition_id, lease.batch_no
