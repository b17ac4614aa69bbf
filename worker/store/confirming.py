"""The statement that finds readers who wait for the question whether a sign-up was theirs; each question's own slot.

Called by planning; `copies` reads a question's number out of its slot.
"""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Asked
from worker.model import SubscriberId
from worker.store.database import now
from worker.store.schema import Subscriber

_SLOT: Final = re.compile(r"reader \d+ question (\d+)")


def slot_of(subscriber_id: SubscriberId, question: int) -> str:
    """Return the slot of the edition that asks a reader a question of theirs.

    >>> slot_of(SubscriberId(7), 2)
    'reader 7 question 2'
    """
    return f"reader {subscriber_id} question {question}"


def question_of(slot: str) -> int | None:
    """Return the number of the question that a slot is for; None for another slot.

    >>> question_of("reader 7 question 2"), question_of("story 12 from 40")
    (2, None)
    """
    found = _SLOT.fullmatch(slot)
    return int(found[1]) if found else None


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
