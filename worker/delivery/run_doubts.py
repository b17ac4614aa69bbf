"""Finds out what became of messages whose reply was lost, and takes back what dead workers held.

Never sends anything itself: a row that is known unsent goes back among the due ones. Called by sweeps.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from worker import holder
from worker.delivery.decide import after_look_up
from worker.lifecycle import Happening
from worker.model import Lane, Sighting
from worker.ports import Transport
from worker.store import deliveries, editions, leases
from worker.store.database import Database
from worker.store.deliveries import Doubtful, Outcome

_AT_ONCE = 500
_SAID = {
    Happening.ACCEPTED: "found at the receiving end by its Message-ID",
    Happening.DEFERRED: "not found at the receiving end: sent again with the same Message-ID",
}


def take_back(database: Database) -> int:
    """Free the batches of dead holders, turn what they had on the wire into "unknown", and expire what is too late.

    Returns how many rows changed their state.
    """
    with database.write() as conn:
        names = leases.living_holders(conn, holder.boot_id())
        leases.free_dead(conn, [name for name in names if holder.is_gone(name)])
        changed = deliveries.orphans_to_unknown(conn, limit=_AT_ONCE) + deliveries.expire(conn, limit=_AT_ONCE)
        if changed:
            editions.finish_settled(conn)
        return changed


async def find_out(database: Database, transports: Mapping[Lane, Transport]) -> int:
    """Ask the receiving ends about unknown deliveries, and return how many could be settled."""
    with database.read() as conn:
        doubtful = deliveries.unknown(conn, limit=_AT_ONCE)
    sightings = [(one, await transports[one.lane].look_up(one.message_id)) for one in doubtful]
    if not sightings:
        return 0
    with database.write() as conn:
        settled = [_settle(conn, one, sighting, transports[one.lane].name) for one, sighting in sightings]
        editions.finish_settled(conn)
    return sum(settled)


def _settle(conn: Connection, one: Doubtful, sighting: Sighting, provider: str) -> bool:
    happening = after_look_up(sighting, kind=one.edition_kind, severity=one.severity)
    if happening is None:
        return False
    outcome = Outcome(
        delivery_id=one.id, fence=one.fence, happening=happening, provider=provider, text=_SAID[happening]
    )
    deliveries.record(conn, [outcome])
    leases.reschedule(conn, one.edition_id, one.batch_no)
    return True
