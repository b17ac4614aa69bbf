"""Finds out what became of messages whose reply was lost, and takes back what dead workers held.

Never sends anything itself: a row that is known unsent goes back among the due ones. Called by sweeps.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from worker import holder
from worker.delivery.decide import Patience, after_look_up
from worker.lifecycle import Happening
from worker.model import Lane
from worker.ports import Transport
from worker.store import deliveries, editions, leases
from worker.store.database import Database
from worker.store.deliveries import Doubtful, Outcome

log = logging.getLogger(__name__)

_AT_ONCE = 500
_SAID = {
    Happening.ACCEPTED: "found at the receiving end by its Message-ID",
    Happening.DEFERRED: "not known to have arrived: sent again with the same Message-ID",
}


def take_back(database: Database) -> int:
    """Free the batches of dead holders, turn what they had on the wire into "unknown", and expire what is too late.

    Returns how many rows changed their state.
    """
    boot = holder.boot_id()
    with database.write() as conn:  # in one transaction: only a freed lease under its own fence tells of a death
        leases.free_dead(conn, boot, [name for name in leases.holders(conn, boot) if holder.is_gone(name)])
        changed = deliveries.orphans_to_unknown(conn, limit=_AT_ONCE)
    with database.write() as conn:
        changed += deliveries.expire(conn, limit=_AT_ONCE)
        editions.finish_settled(conn)  # also of what two workers settled at the same moment, each unseen by the other
    return changed


async def find_out(database: Database, transports: Mapping[Lane, Transport], patience: Patience) -> int:
    """Ask the receiving ends about all unknown deliveries, and return how many could be settled."""
    settled, last = 0, 0
    while True:
        with database.read() as conn:
            doubtful = deliveries.unknown(conn, limit=_AT_ONCE, after=last)
        if not doubtful:
            return settled
        last = doubtful[-1].id
        outcomes = [await _ask(one, transports[one.lane], patience) for one in doubtful]
        settled += _settle(database, doubtful, outcomes)


async def _ask(one: Doubtful, transport: Transport, patience: Patience) -> Outcome | None:
    """Return what a look-up says of a delivery, None when it stays unknown."""
    try:
        sighting = await transport.look_up(one.message_id)
    except Exception:
        log.exception("%s could not be asked about delivery %s", transport.name, one.id)
        return None
    verdict = after_look_up(
        sighting,
        kind=one.edition_kind,
        severity=one.severity,
        attempts=one.attempts,
        lane=one.lane,
        patience=patience,
    )
    if verdict is None:
        return None
    return Outcome(
        delivery_id=one.id,
        fence=one.fence,
        happening=verdict.happening,
        provider=transport.name,
        text=_SAID[verdict.happening],
        retry_in_s=verdict.retry_in_s,
    )


def _settle(database: Database, doubtful: Sequence[Doubtful], outcomes: Sequence[Outcome | None]) -> int:
    told = [(one, outcome) for one, outcome in zip(doubtful, outcomes, strict=True) if outcome is not None]
    if told:
        with database.write() as conn:
            _record(conn, told)
    return len(told)


def _record(conn: Connection, told: Sequence[tuple[Doubtful, Outcome]]) -> None:
    batches = sorted({(one.edition_id, one.batch_no) for one, _ in told})
    for edition_id, batch_no in batches:
        leases.lock(conn, edition_id, batch_no)
    deliveries.record(conn, [outcome for _, outcome in told])
    for edition_id, batch_no in batches:
        leases.reschedule(conn, edition_id, batch_no)
    editions.finish_settled(conn)
