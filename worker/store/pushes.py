"""The statements over what hubs have pushed and nobody has read yet. Never reads a push: intake does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from worker.store.database import insert_for, now
from worker.store.schema import HubPush


def keep(conn: Connection, websub_id: int, body: bytes, *, content_type: str, most: int) -> bool:
    """Keep a push until it is read; False where so many of its subscription wait. The same once more is one."""
    waiting = sa.select(sa.func.count()).where(HubPush.websub_id == websub_id)
    if conn.execute(waiting).scalar_one() >= most:
        return False
    values = {"websub_id": websub_id, "received_at": now(conn), "content_type": content_type, "body": body}
    statement = insert_for(conn, HubPush).values(**values, body_hash=sha256(body).hexdigest())
    conn.execute(statement.on_conflict_do_nothing(index_elements=["websub_id", "body_hash"]))
    return True


def claim(conn: Connection, *, limit: int, claim_s: float) -> Sequence[Row[Any]]:
    """Claim pushes, the oldest first, so that no other worker reads them meanwhile; each claim is an attempt."""
    at = now(conn)
    free = sa.or_(HubPush.claimed_until.is_(None), HubPush.claimed_until <= at)
    first = sa.select(HubPush.id).where(free).order_by(HubPush.id).limit(limit).with_for_update(skip_locked=True)
    claimed = (
        sa.update(HubPush)
        .where(HubPush.id.in_(first.scalar_subquery()))
        .values(claimed_until=at + timedelta(seconds=claim_s), attempts=HubPush.attempts + 1)
        .returning(HubPush.__table__)
    )
    return sorted(conn.execute(claimed).all(), key=lambda row: int(row.id))


def drop(conn: Connection, push_id: int) -> None:
    """Let go of a push that has been read, or cannot be."""
    conn.execute(sa.delete(HubPush).where(HubPush.id == push_id))


def waiting(conn: Connection) -> int:
    """Return how many pushes wait to be read."""
    return conn.execute(sa.select(sa.func.count()).select_from(HubPush)).scalar_one()


def unclaimed(conn: Connection) -> bool:
    """Return whether a push waits that nobody reads at the moment."""
    free = sa.or_(HubPush.claimed_until.is_(None), HubPush.claimed_until <= now(conn))
    return conn.execute(sa.select(sa.exists().where(free))).scalar_one()


def oldest_s(conn: Connection) -> float:
    """Return for how long the oldest push has waited, 0 where none does."""
    since = conn.execute(sa.select(HubPush.received_at).order_by(HubPush.id).limit(1)).scalar()
    return (now(conn) - since).total_seconds() if since else 0.0
