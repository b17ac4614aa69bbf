"""The statements over looks: what messages are made with, interned by its hash, and which message was made with which.

Decides nothing. A mail worker interns its own once, when it starts; whoever makes a message again reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import DeliveryId, EditionId
from worker.store.database import insert_for, now
from worker.store.schema import Delivery, Look


def intern(conn: Connection, *, hash_: str, version: str, body: bytes) -> int:
    """Return the number of a look. Safe to repeat: equal ones have one number."""
    known = sa.select(Look.id).where(Look.hash == hash_)
    found = conn.execute(known).scalar()
    if found is not None:
        return found
    new = insert_for(conn, Look).values(hash=hash_, version=version, body=body, created_at=now(conn))
    conn.execute(new.on_conflict_do_nothing())
    return conn.execute(known).scalar_one()


def body_of(conn: Connection, look_id: int) -> bytes | None:
    """Return a look as it was packed; None for a number that there is not."""
    return conn.execute(sa.select(Look.body).where(Look.id == look_id)).scalar()


class SentCopy(NamedTuple):
    """A copy that was handed over, or may have been. `look_id` None: it was before looks were noted."""

    id: DeliveryId
    look_id: int | None
    provider: str
    message_id: str


def sent(
    conn: Connection,
    edition_id: EditionId,
    *,
    delivery: DeliveryId | None = None,
    recipient: str | None = None,
    message_id: str | None = None,
    after: int = 0,
    limit: int,
) -> list[SentCopy]:
    """Return copies of an edition that were handed over, in order of id: one, those to an address, or all."""
    columns = (Delivery.id, Delivery.look_id, Delivery.provider, Delivery.message_id)
    query = sa.select(*columns).where(Delivery.edition_id == edition_id, Delivery.committed_at.is_not(None))
    if delivery is not None:
        query = query.where(Delivery.id == delivery)
    if recipient is not None:
        query = query.where(sa.func.lower(Delivery.recipient) == recipient.lower())
    if message_id is not None:
        query = query.where(Delivery.message_id == message_id)
    rows = conn.execute(query.where(Delivery.id > after).order_by(Delivery.id).limit(limit))
    return [SentCopy._make(row) for row in rows]


def of(conn: Connection, ids: Iterable[DeliveryId]) -> dict[DeliveryId, int | None]:
    """Return with which look each of these messages was made."""
    rows = conn.execute(sa.select(Delivery.id, Delivery.look_id).where(Delivery.id.in_(list(ids))))
    return {DeliveryId(row.id): row.look_id for row in rows}


def made_again(conn: Connection, ids: Iterable[DeliveryId], look_id: int | None) -> None:
    """Note that messages that may have gone out before were made again, and handed over, with a look."""
    conn.execute(sa.update(Delivery).where(Delivery.id.in_(list(ids))).values(look_id=look_id))
