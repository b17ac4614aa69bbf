"""The statements by which people steer an edition under way: its status, and the end of what is then unsent.

Never decides what a command means: `delivery.steering` does. The last check before a copy is sent reads the status, so
a change takes effect with the next group that is committed.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import PRE_COMMIT, State
from worker.model import EditionId, EditionStatus
from worker.store.database import now
from worker.store.leases import lock, reschedule
from worker.store.schema import Delivery, DeliveryBatch, Edition
from worker.store.unsettled import IS_UNSETTLED

_BATCHES_AT_ONCE = 10


def standing(conn: Connection, edition_id: EditionId) -> tuple[EditionStatus, EditionStatus | None] | None:
    """Return an edition's status, and what it becomes when its audience is fixed; None where there is none."""
    row = conn.execute(sa.select(Edition.status, Edition.planned_as).where(Edition.id == edition_id)).first()
    return (row.status, row.planned_as) if row else None


def has_readers(conn: Connection, edition_id: EditionId) -> bool:
    """Tell whether an edition's audience is fixed: an issue that its preflight holds has none yet."""
    fixed = sa.select(Edition.id).where(Edition.id == edition_id, Edition.planned_at.is_not(None))
    return conn.execute(fixed).first() is not None


def stopped(conn: Connection) -> list[tuple[EditionId, EditionStatus, str]]:
    """Return the editions that wait for a person, with the reasons."""
    query = sa.select(Edition.id, Edition.status, Edition.reason).where(
        Edition.status.in_((EditionStatus.HELD, EditionStatus.PAUSED))
    )
    return [(EditionId(row.id), row.status, row.reason) for row in conn.execute(query.order_by(Edition.id))]


def change_status(
    conn: Connection, edition_id: EditionId, *, was: EditionStatus, to: EditionStatus, reason: str
) -> bool:
    """Change the status by compare-and-set; False when it is not `was` any more.

    One whose audience is not fixed yet takes the new status with the last chunk of readers.
    """
    values = {"planned_as": to} if was is EditionStatus.PLANNING else {"status": to}
    changed = conn.execute(
        sa.update(Edition).where(Edition.id == edition_id, Edition.status == was).values(reason=reason, **values)
    )
    return changed.rowcount == 1


def cancelled(conn: Connection) -> list[EditionId]:
    """Return cancelled editions that have copies which are neither ended nor on the wire."""
    unsent = sa.exists().where(Delivery.edition_id == Edition.id, IS_UNSETTLED, Delivery.state.in_(PRE_COMMIT))
    query = sa.select(Edition.id).where(
        Edition.status == EditionStatus.CANCELLED, Edition.finished_at.is_(None), unsent
    )
    return [EditionId(edition_id) for edition_id in conn.execute(query).scalars()]


def next_batches(conn: Connection, edition_id: EditionId, *, after: int) -> list[int]:
    """Return the numbers of the next few batches of an edition, which one transaction may change."""
    query = sa.select(DeliveryBatch.batch_no).where(
        DeliveryBatch.edition_id == edition_id, DeliveryBatch.batch_no > after
    )
    return list(conn.execute(query.order_by(DeliveryBatch.batch_no).limit(_BATCHES_AT_ONCE)).scalars())


def cancel_unsent(conn: Connection, edition_id: EditionId, batches: Sequence[int]) -> int:
    """End all copies of a cancelled edition in these batches that are not on the wire, and return how many."""
    reason = conn.execute(
        sa.select(Edition.reason).where(Edition.id == edition_id, Edition.status == EditionStatus.CANCELLED)
    ).scalar()
    if reason is None:
        return 0
    ended = 0
    for batch_no in batches:
        lock(conn, edition_id, batch_no)
        ended += conn.execute(
            sa.update(Delivery)
            .where(Delivery.edition_id == edition_id, Delivery.batch_no == batch_no)
            .where(Delivery.state.in_(PRE_COMMIT))
            .values(state=State.CANCELLED, next_attempt_at=None, reason=reason, ended_at=now(conn))
        ).rowcount
        reschedule(conn, edition_id, batch_no)
    return ended
