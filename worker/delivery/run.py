"""Sends one leased batch: commits rows past the point of no return, hands them to a transport, records the outcome.

No transaction is open while it talks to the network, and nothing is sent that was not durably "committing" before. One
`Courier` lives in a delivery worker's event loop thread; `tasks` submits batches to it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from worker.delivery.decide import Patience, Verdict, after_error
from worker.delivery.grouped import Grouped
from worker.errors import ConfigurationError, SendError
from worker.lifecycle import Happening
from worker.model import DeliveryId, EditionId, Lane, OutgoingMessage
from worker.ports import Transport
from worker.store import deliveries, editions, last_check, leases
from worker.store.database import Database
from worker.store.deliveries import DueDelivery, Outcome, outcome_of
from worker.store.leases import Holder, Lease

log = logging.getLogger(__name__)
Result = TypeVar("Result")

BATCH_BUDGET_S = 45.0  # a task ends well within a minute; rows that are left go back to SQL
_RENEWALS_A_LEASE = 4
_RETRY_UNWRITABLE_S = 300.0
_RECORD_WITHIN_S = 30.0
_RECORD_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What an operator may set about delivery."""

    lease_s: float
    patience: Patience


@dataclass(kw_only=True, slots=True)
class _Run:
    """One batch under way."""

    lease: Lease
    rows: Iterator[DueDelivery]
    deadline_s: float
    tried: int = 0
    halted: bool = False  # lease lost, database away: start nothing new, finish what is under way
    held_back: list[DeliveryId] = field(default_factory=list)


class Courier:
    """Delivers batches. `write` turns a due row into a finished message; `stopping` tells that the process must end."""

    def __init__(
        self,
        *,
        database: Database,
        transports: Mapping[Lane, Transport],
        write: Callable[[DueDelivery], OutgoingMessage],
        holder: Holder,
        terms: Terms,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database, self._transports, self._write = database, transports, write
        self._holder, self._terms, self._stopping = holder, terms, stopping
        self._one_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")

    @property
    def patience(self) -> Patience:
        """How long retries wait."""
        return self._terms.patience

    async def deliver(self, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch and return how many rows were tried; 0 when somebody else has it."""
        if self._stopping():
            return 0
        take = partial(leases.take, edition_id=edition_id, batch_no=batch_no)
        lease = await self._sql(partial(take, holder=self._holder, lease_s=self._terms.lease_s))
        if lease is None:
            return 0
        rows = await self._sql(partial(deliveries.leased, lease=lease))
        run = _Run(lease=lease, rows=iter(rows), deadline_s=time.monotonic() + BATCH_BUDGET_S)
        keeper = asyncio.create_task(self._keep_lease(run))
        try:
            if rows:
                await self._send_all(run, self._transports[rows[0].lane])
        finally:
            keeper.cancel()
            await self._sql(partial(_hand_back, run=run))
        return run.tried

    async def close(self) -> None:
        """End all connections; the courier may be used again afterwards."""
        for transport in set(self._transports.values()):
            await transport.close()

    async def _send_all(self, run: _Run, transport: Transport) -> None:
        commit = Grouped(partial(self._commit, run.lease))
        record = Grouped(self._record)
        senders = (self._send_in_turn(run, transport, commit, record) for _ in range(transport.connections))
        for trouble in await asyncio.gather(*senders, return_exceptions=True):
            if trouble is not None:
                raise trouble

    async def _send_in_turn(
        self,
        run: _Run,
        transport: Transport,
        commit: Grouped[DeliveryId, bool],
        record: Grouped[Outcome, None],
    ) -> None:
        """Work as one of the transport's connections: one message after the other until none is left."""
        try:
            for row in run.rows:
                if run.halted or self._stopping() or time.monotonic() > run.deadline_s:
                    return  # the row stays leased, and goes back with the rest
                message = await self._written(run.lease, row)
                if message is None:
                    continue
                if not await commit(row.id):
                    run.held_back.append(row.id)
                    continue
                run.tried += 1
                await record(await self._attempt(transport, row, message, run.lease.fence))
        except BaseException:
            run.halted = True  # the others finish what they have in hand, and start nothing more
            raise

    async def _written(self, lease: Lease, row: DueDelivery) -> OutgoingMessage | None:
        try:
            return self._write(row)
        except Exception as error:
            log.exception("delivery %s cannot be written", row.id)
            why = f"it cannot be rendered: {type(error).__name__}: {error}"
            postpone = partial(deliveries.postpone, lease=lease, delivery_id=row.id)
            await self._sql(partial(postpone, wait_s=_RETRY_UNWRITABLE_S, reason=why))
            return None

    async def _attempt(self, transport: Transport, row: DueDelivery, message: OutgoingMessage, fence: int) -> Outcome:
        try:
            return outcome_of(await transport.send(message), delivery_id=row.id, fence=fence)
        except SendError as error:
            verdict = after_error(
                error,
                attempts=row.attempts + 1,
                lane=row.lane,
                patience=self._terms.patience,
                jitter=random.random(),  # noqa: S311  spreads retries, guards nothing
            )
            return _failed(transport, row, error, verdict, fence)
        except Exception as error:  # noqa: BLE001  whatever it was, the message may have arrived: it must be found out
            return Outcome(
                delivery_id=row.id,
                fence=fence,
                happening=Happening.REPLY_LOST,
                provider=transport.name,
                text=f"{type(error).__name__}: {error}",
            )

    async def _commit(self, lease: Lease, ids: Sequence[DeliveryId]) -> Sequence[bool]:
        committed = await self._sql(partial(last_check.commit, lease=lease, ids=ids))
        return [delivery_id in committed for delivery_id in ids]

    async def _record(self, outcomes: Sequence[Outcome]) -> Sequence[None]:
        """Write outcomes down, and try again while the database is away: a receipt in hand must not become a doubt."""
        deadline_s = time.monotonic() + _RECORD_WITHIN_S
        while True:
            try:
                await self._sql(partial(deliveries.record, outcomes=outcomes))
            except (DBAPIError, ConfigurationError):  # the latter: out of reach, no connection to be had
                if time.monotonic() >= deadline_s:
                    raise
                log.exception("%d outcomes cannot be recorded yet", len(outcomes))
                await asyncio.sleep(_RECORD_EVERY_S)
            else:
                return [None] * len(outcomes)

    async def _keep_lease(self, run: _Run) -> None:
        """Renew the lease until it is lost, also when nothing new is started: what is under way is still ours."""
        lease_s = self._terms.lease_s
        renew = partial(leases.renew, lease=run.lease, holder=self._holder, lease_s=lease_s)
        is_held = True
        while is_held:
            await asyncio.sleep(lease_s / _RENEWALS_A_LEASE)
            try:
                is_held = await self._sql(renew)
            except Exception:
                log.exception("the lease of edition %s batch %s cannot be renewed", *_name(run.lease))
                run.halted = True
        run.halted = True

    async def _sql(self, work: Callable[[Connection], Result]) -> Result:
        """Run one transaction in the process's one writing thread."""

        def transact() -> Result:
            with self._database.write() as conn:
                return work(conn)

        return await asyncio.get_running_loop().run_in_executor(self._one_writer, transact)


def _failed(transport: Transport, row: DueDelivery, error: SendError, verdict: Verdict, fence: int) -> Outcome:
    return Outcome(
        delivery_id=row.id,
        fence=fence,
        happening=verdict.happening,
        provider=transport.name,
        code=error.code,
        enhanced=error.enhanced,
        text=error.text,
        retry_in_s=verdict.retry_in_s,
    )


def _hand_back(conn: Connection, run: _Run) -> None:
    last_check.settle_held_back(conn, run.lease, run.held_back)
    leases.release(conn, run.lease)
    editions.finish_settled(conn)


def _name(lease: Lease) -> tuple[int, int]:
    return lease.edition_id, lease.batch_no
