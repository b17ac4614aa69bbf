"""The statements by which a person settles deliveries whose fate nobody knows, each by compare-and-set.

Never asks a relay. Called by the delivery room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import Happening, State
from worker.model import DeliveryId, EditionId
from worker.store.database import now
from worker.store.deliveries import Outcome, record
from worker.store.leases import lock, reschedule
from worker.store.schema import Delivery, Edition


def doubtful(
    conn: Connection, *, ids: Sequence[DeliveryId] = (), edition_id: EditionId | None = None
) -> list[dict[str, Any]]:
    """Return unknown deliveries in order of id: these, or all of an edition, or all there are."""
    query = (
        sa.select(
            Delivery.id,
            Delivery.edition_id.label("edition"),
            Edition.kind,
            Edition.status.label("edition_status"),
            Delivery.recipient,
            Delivery.provider,
            Delivery.message_id,
            Delivery.committed_at,
            Delivery.reason,
            (Edition.expires_at <= now(conn)).label("is_late"),
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.state == State.UNKNOWN)
        .order_by(Delivery.id)
    )
    if ids:
        query = query.where(Delivery.id.in_(ids))
    if edition_id is not None:
        query = query.where(Delivery.edition_id == edition_id)
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def states_of(conn: Connection, ids: Sequence[DeliveryId]) -> dict[DeliveryId, State]:
    """Return where deliveries stand; those that do not exist are left out."""
    query = sa.select(Delivery.id, Delivery.state).where(Delivery.id.in_(ids))
    return {DeliveryId(delivery_id): state for delivery_id, state in conn.execute(query)}


def settle(conn: Connection, ids: Sequence[DeliveryId], happening: Happening, *, text: str) -> list[DeliveryId]:
    """Make what a person says happen to those that are still unknown, with an attempt row each, and return them."""
    which = sa.select(Delivery.id, Delivery.edition_id, Delivery.batch_no).where(Delivery.id.in_(ids))
    for edition_id, batch_no in sorted({(row.edition_id, row.batch_no) for row in conn.execute(which)}):
        lock(conn, edition_id, batch_no)
    still = sa.select(Delivery.id, Delivery.fence, Delivery.edition_id, Delivery.batch_no).where(
        Delivery.id.in_(ids), Delivery.state == State.UNKNOWN
    )
    rows = conn.execute(still.order_by(Delivery.id).with_for_update()).all()
    record(
        conn,
        [
            Outcome(
                delivery_id=DeliveryId(row.id),
                fence=row.fence,
                happening=happening,
                provider="",
                text=text,
                retry_in_s=0.0 if happening is Happening.DEFERRED else None,
            )
            for row in rows
        ],
    )
    for edition_id, batch_no in sorted({(row.edition_id, row.batch_no) for row in rows}):
        reschedule(conn, edition_id, batch_no)
    return [DeliveryId(row.id) for row in rows]
