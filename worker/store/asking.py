"""The statements over who was asked for consent lately: one mailbox's day, and the last hour of all together.

Never decides: signup does, with the limits it is given. Rows last a day; `upkeep.let_go` has them deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import SubscriberId
from worker.store.database import now
from worker.store.schema import Asking

KEPT_FOR: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lately:
    """How many questions are under way, and how many sign-ups led to none, all readers together."""

    asked: int  # in the last hour, not answered yet
    waiting: int  # whose turn is still to come
    refused: int  # in the last hour


def alone_with(conn: Connection, mailbox_hash: str) -> None:
    """Wait until nobody else asks this mailbox; the first lock of a transaction, before any row's.

    SQLite has one writer at a time anyway.
    """
    if conn.dialect.name != "sqlite":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(mailbox_hash))))


def asked_lately(conn: Connection, mailbox_hash: str, *, at: datetime) -> int:
    """Count the unanswered questions that a mailbox was sent within a day, whatever addresses lead to it."""
    mine = (Asking.mailbox_hash == mailbox_hash, Asking.at > at - KEPT_FOR)
    return conn.execute(sa.select(sa.func.count()).select_from(Asking).where(*mine)).scalar_one()


def next_turn(conn: Connection, *, an_hour: int, at: datetime) -> datetime:
    """Return when the next question may go, if so many go in any hour: now, or an hour after the last but so many."""
    if not an_hour:
        return at
    latest = (
        sa.select(Asking.due_at)
        .where(Asking.due_at > at - HOUR)
        .order_by(Asking.due_at.desc())
        .limit(1)
        .offset(an_hour - 1)
    )
    before = conn.execute(latest).scalar()
    return at if before is None else max(at, before + HOUR)


def note(
    conn: Connection,
    *,
    at: datetime,
    subscriber_id: SubscriberId | None = None,
    mailbox_hash: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Write a sign-up down: whom it asks, or that it asks nobody."""
    values = {"at": at, "subscriber_id": subscriber_id, "mailbox_hash": mailbox_hash, "due_at": due_at}
    conn.execute(sa.insert(Asking).values(values))


def forget(conn: Connection, *readers: SubscriberId) -> None:
    """Delete these readers' rows: who answers is nobody's victim."""
    if readers:
        conn.execute(sa.delete(Asking).where(Asking.subscriber_id.in_(readers)))


def lately(conn: Connection) -> Lately:
    """Count what doctors and monitors look at."""
    at = now(conn)
    asked = sa.func.count().filter(Asking.due_at <= at, Asking.due_at > at - HOUR)
    waiting = sa.func.count().filter(Asking.due_at > at)
    refused = sa.func.count().filter(Asking.due_at.is_(None), Asking.at > at - HOUR)
    row = conn.execute(sa.select(asked, waiting, refused)).one()
    return Lately(asked=row[0], waiting=row[1], refused=row[2])


def _lock_number(mailbox_hash: str) -> int:
    """Return a 63-bit number of a hash. Two mailboxes with the same one would only wait for each other.

    >>> _lock_number("8f" * 32)
    5172322357922482119
    """
    return int(mailbox_hash[:16], 16) >> 1 & 0x7FFFFFFFFFFFFFFF
