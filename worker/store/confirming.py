"""The statement that finds readers who wait for the question whether a sign-up was theirs. Called by planning."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Asked
from worker.model import SubscriberId
from worker.store.database import now
from worker.store.schema import Subscriber


def due_confirmations(conn: Connection, *, limit: int) -> list[Asked]:
    """Return readers who wait for the question whether it was them, locked until the transaction ends."""
    query = (
        sa.select(Subscriber.id, Subscriber.email, Subscriber.locale, Subscriber.confirmations)
        .where(Subscriber.confirmation_due_at <= now(conn))
        .order_by(Subscriber.confirmation_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Asked(subscriber_id=SubscriberId(subscriber_id), recipient=email, locale=locale, question=confirmations)
        for subscriber_id, email, locale, confirmations in conn.execute(query)
        if email is not None
    ]
