"""What a courier writes down, in one thread and in as few transactions as time leaves: group commit.

While one transaction runs, and for as long again, what comes in gathers; the next takes all of it, outcomes first: a
commit costs nearly the same for one row as for forty. At rest a single row waits for nobody. Called by `run` and its
errands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from worker.errors import ConfigurationError
from worker.model import DeliveryId, Lane
from worker.store import deliveries, editions, last_check, leases
from worker.store.database import Database, now
from worker.store.deliveries import Outcome
from worker.store.leases import Lease

log = logging.getLogger(__name__)
Result = TypeVar("Result")

RECORD_WITHIN_S = 30.0
_LONGEST_REST_S = 0.008  # connections have several times as much in hand (`smtp_supply`)
_RECORD_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """What is left to write of a batch when its lease ends."""

    lease: Lease
    held_back: Collection[DeliveryId] = ()
    given_back: Collection[DeliveryId] = ()
    waits: Mapping[str, Mapping[DeliveryId, float]] = field(default_factory=dict)  # seconds, by reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Going:
    """Rows that a transport wants to send now, by the lease that they are held under, as one request."""

    lane: Lane
    provider: str
    key: str
    rows: Mapping[Lease, Collection[DeliveryId]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """Which rows are past the point of no return, and since when: those asked for, and perhaps others'.

    `must_yield`: none are, for a breaking alert's sake.
    """

    ids: frozenset[DeliveryId]
    at: datetime
    must_yield: bool


class Books:
    """The one writer of a delivery worker's process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")
        self._outcomes: list[Outcome] = []
        self._closings: list[Closing] = []
        self._going: list[tuple[Going, asyncio.Future[Committed]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._failing_since_s: float | None = None
        self._trouble: Exception | None = None

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run one transaction of its own."""

        def transact() -> Result:
            with self._database.write() as conn:
                return work(conn)

        return await asyncio.get_running_loop().run_in_executor(self._one_writer, transact)

    async def commit(self, going: Going) -> Committed:
        """Take rows past the point of no return. Raises what the database raises, and then nothing may be sent."""
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._going.append((going, future))
        self._write_soon()
        return await future

    def record(self, outcome: Outcome) -> None:
        """Have an outcome written down."""
        self._outcomes.append(outcome)
        self._write_soon()

    def close(self, closing: Closing) -> None:
        """Have a batch handed back, after all of its outcomes that were recorded before."""
        self._closings.append(closing)
        self._write_soon()

    async def written(self) -> None:
        """Wait until everything is written. Raises what the database raised to outcomes that had to be given up."""
        while self._writing is not None and not self._writing.done():
            await asyncio.shield(self._writing)
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        rest_s = 0.0
        while self._outcomes or self._closings or self._going:
            await asyncio.sleep(rest_s)
            began_s = time.monotonic()
            outcomes, closings, going = self._outcomes, self._closings, self._going
            self._outcomes, self._closings, self._going = [], [], []
            work = partial(_transact, outcomes=outcomes, closings=closings, going=[one for one, _ in going])
            try:
                committed = await self.run(work)
            except Exception as error:  # noqa: BLE001  every waiter gets the group's own error
                for _, future in going:
                    if not future.done():
                        future.set_exception(error)
                if outcomes or closings:
                    await self._write_later(outcomes, closings, error)
                continue
            rest_s, self._failing_since_s = min(time.monotonic() - began_s, _LONGEST_REST_S), None
            for (_, future), answer in zip(going, committed, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _write_later(self, outcomes: list[Outcome], closings: list[Closing], error: Exception) -> None:
        """Keep what a transaction could not write, for a while: a receipt in hand must not become a doubt."""
        self._failing_since_s = self._failing_since_s or time.monotonic()
        is_passing = isinstance(error, DBAPIError | ConfigurationError)
        if is_passing and time.monotonic() < self._failing_since_s + RECORD_WITHIN_S:
            log.error("%d outcomes cannot be recorded yet", len(outcomes), exc_info=error)
            self._outcomes, self._closings = outcomes + self._outcomes, closings + self._closings
            await asyncio.sleep(_RECORD_EVERY_S)
            return
        self._trouble, self._failing_since_s = error, None
        self._closings = (closings if outcomes else []) + self._closings  # a lease should end, whatever else is lost


def _transact(
    conn: Connection, *, outcomes: list[Outcome], closings: list[Closing], going: list[Going]
) -> list[Committed]:
    # Batches first, in one order, then rows: so does everybody, and nobody waits in a circle.
    touched = {closing.lease for closing in closings} | {lease for one in going for lease in one.rows}
    for edition_id, batch_no in sorted({(lease.edition_id, lease.batch_no) for lease in touched}):
        leases.lock(conn, edition_id, batch_no)
    at = now(conn)
    deliveries.record(conn, outcomes, at=at)
    for closing in closings:
        _hand_back(conn, closing)
    if closings:
        editions.finish_settled(conn)
    return _commit(conn, going, at) if going else []


def _commit(conn: Connection, going: list[Going], at: datetime) -> list[Committed]:
    """Commit what many connections want to send, in one statement for each lease and request."""
    wanted: defaultdict[tuple[Lease, str, str], list[DeliveryId]] = defaultdict(list)
    for one in going:
        for lease, ids in one.rows.items():
            wanted[lease, one.provider, one.key] += ids
    lane = going[0].lane  # a process works off one lane at a time
    commit = partial(last_check.commit, conn, at=at, yields=lane is Lane.BULK)
    committed: set[DeliveryId] = set()
    for (lease, provider, key), ids in wanted.items():
        committed |= commit(lease, ids, provider=provider, request_key=key)
    must_yield = not committed and leases.must_yield(conn, lane)
    return [Committed(ids=frozenset(committed), at=at, must_yield=must_yield)] * len(going)


def _hand_back(conn: Connection, closing: Closing) -> None:
    lease = closing.lease
    last_check.settle_held_back(conn, lease, closing.held_back)
    if closing.given_back:
        deliveries.give_back(conn, lease, closing.given_back)
    for reason, waits in closing.waits.items():
        deliveries.postpone(conn, lease, waits, reason=reason)
    leases.release(conn, lease)
