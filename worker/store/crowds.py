"""The statements over thousands of readers at once: found by their addresses' hashes, added, changed.

Never decides: the import does, and hands in what it has made of them. On PostgreSQL, readers are locked in order of
their hashes, and added and changed in one order too, so that two who write many of them never wait in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects import postgresql

from worker.hearsay import Cause
from worker.model import SubscriberStatus
from worker.store import bulk
from worker.store.database import insert_for
from worker.store.schema import Event, Subscriber, Subscription, Suppression, Topic, TopicStory
from worker.store.suppressions import LIFTED

READER: Final = (
    "id",
    "address_hash",
    "email",
    "status",
    "name",
    "locale",
    "timezone",
    "consent",
    "confirmations",
    "confirmation_due_at",
    "paused_until",
    "paused_at",
    "confirmed_at",
    "left_at",
)
"""The columns of a reader that a list can change, and those by which they are known."""

SUBSCRIPTION: Final = (
    "id",
    "subscriber_id",
    "topic_id",
    "newsletter_id",
    "cadence",
    "times",
    "weekday",
    "cursor",
    "next_due_at",
    "ended_at",
)

RHYTHM: Final = ("id", "cadence", "times", "weekday", "next_due_at")

_EXPORTED_AT_ONCE: Final = 5_000
_EXPORTED: Final = tuple(
    getattr(Subscriber, name) for name in ("id", "email", "name", "locale", "timezone", "status", "paused_until")
)
_EXPORTED_FOLLOW: Final = tuple(
    getattr(Subscription, name) for name in ("subscriber_id", "topic_id", "newsletter_id", "cadence")
)
_READER: Final = tuple(getattr(Subscriber, name) for name in READER)
_SUBSCRIPTION: Final = tuple(getattr(Subscription, name) for name in SUBSCRIPTION)


def readers(conn: Connection, hashes: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Return the readers of these addresses by their hashes, as rows of `READER`, locked until the transaction ends."""
    query = sa.select(*_READER).where(_among(conn, Subscriber.address_hash, hashes))
    locked = query.order_by(Subscriber.address_hash).with_for_update(key_share=True)
    return {row.address_hash: row for row in conn.execute(locked)}


def subscriptions(conn: Connection, readers: Collection[int]) -> Iterator[sa.Row[Any]]:
    """Yield all subscriptions of these readers, ended ones too, as rows of `SUBSCRIPTION`, oldest first."""
    if not readers:
        return iter(())
    query = sa.select(*_SUBSCRIPTION).where(_among(conn, Subscription.subscriber_id, readers))
    return iter(conn.execute(query.order_by(Subscription.id)))


def suppressed(conn: Connection, hashes: Collection[str]) -> set[str]:
    """Return which of these addresses must get nothing."""
    query = sa.select(Suppression.address_hash).where(_among(conn, Suppression.address_hash, hashes))
    return set(conn.execute(query).scalars())


def shared_topics(conn: Connection) -> dict[str, int]:
    """Return the ids of all shared topics by slug."""
    query = sa.select(Topic.slug, Topic.id).where(Topic.slug.is_not(None))
    return {slug: number for slug, number in conn.execute(query) if slug is not None}


def before_alerts(conn: Connection, topic_id: int, *, head: int) -> int:
    """Return the cursor before which nothing of a topic waits to be alerted: the head where nothing does."""
    pending = sa.select(sa.func.min(TopicStory.match_seq)).where(
        TopicStory.topic_id == topic_id, TopicStory.alert_due_at.is_not(None)
    )
    first: int | None = conn.execute(pending).scalar()
    return head if first is None else first - 1


def new_ids(conn: Connection, count: int) -> Sequence[int]:
    """Take as many numbers for new readers, in ascending order."""
    if not count:
        return ()
    if conn.dialect.name == "sqlite":  # whoever writes is alone, and rows of readers are never deleted
        last = conn.exec_driver_sql("SELECT coalesce(max(id), 0) FROM subscriber").scalar_one()
        return range(last + 1, last + 1 + count)
    drawn = "SELECT nextval(pg_get_serial_sequence('subscriber', 'id')) FROM generate_series(1, %s)"
    return sorted(conn.exec_driver_sql(drawn, (count,)).scalars())


def add_readers(conn: Connection, rows: Iterable[Sequence[Any]], *, at: datetime) -> int:
    """Add readers, each with the values of `READER`. Their hashes must be new (IntegrityError otherwise)."""
    ordered = sorted(rows, key=lambda row: row[1])
    return bulk.insert(conn, Subscriber, (*READER, "created_at"), ((*row, at) for row in ordered))


def add_subscriptions(conn: Connection, rows: Iterable[Sequence[Any]], *, at: datetime) -> int:
    """Add running subscriptions, each with the values of `SUBSCRIPTION` but its id and its end."""
    return bulk.insert(conn, Subscription, (*SUBSCRIPTION[1:-1], "created_at"), ((*row, at) for row in rows))


def change_readers(conn: Connection, rows: Iterable[Sequence[Any]]) -> int:
    """Set what a list can change of readers that are there, each with the values of `READER`."""
    ordered = sorted(rows, key=lambda row: row[1])
    return bulk.update(conn, Subscriber, (READER[0], *READER[3:]), ((row[0], *row[3:]) for row in ordered))


def change_rhythms(conn: Connection, rows: Iterable[Sequence[Any]]) -> int:
    """Set the rhythm of subscriptions, each with the values of `RHYTHM`: their cursors are planning's to move."""
    return bulk.update(conn, Subscription, RHYTHM, sorted(rows, key=lambda row: row[0]))


def restart(conn: Connection, rows: Iterable[Sequence[Any]]) -> int:
    """Let subscriptions run, from a cursor on: each has the values of `RHYTHM`, and its cursor."""
    columns = (*RHYTHM, "cursor", "ended_at")
    return bulk.update(conn, Subscription, columns, ((*row, None) for row in sorted(rows, key=lambda row: row[0])))


def unmute(conn: Connection, subscriptions: Collection[int]) -> None:
    """End the mutes of subscriptions that run again, as if they were new."""
    if subscriptions:
        muted = (Subscription.muted_until.is_not(None), _among(conn, Subscription.id, subscriptions))
        conn.execute(sa.update(Subscription).where(*muted).values(muted_until=None))


def exported(conn: Connection) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Yield all readers that have an address, in order of id, some thousands at a time, and what those follow.

    A reader is a tuple of id, address, name, language, zone, status, `paused_until`, and the consent record where it is
    pending. A running subscription is one of reader, topic, newsletter, cadence, times as JSON text, and weekday,
    in order of reader and id.
    """
    last = 0
    pending = sa.case((Subscriber.status == SubscriberStatus.PENDING, Subscriber.consent))
    readers = sa.select(*_EXPORTED, pending).where(Subscriber.email.is_not(None)).order_by(Subscriber.id)
    follows = sa.select(*_EXPORTED_FOLLOW, sa.cast(Subscription.times, sa.Text), Subscription.weekday)
    follows = follows.where(Subscription.ended_at.is_(None)).order_by(Subscription.subscriber_id, Subscription.id)
    while found := conn.execute(readers.where(Subscriber.id > last).limit(_EXPORTED_AT_ONCE)).all():
        first, last = found[0][0], found[-1][0]
        yield found, conn.execute(follows.where(Subscription.subscriber_id.between(first, last))).all()


def sayings_since(conn: Connection, hashes: Collection[str]) -> dict[str, datetime]:
    """Return when an address was last let off a suppression by hand, or its reader said yes, whichever is later."""
    lifted = sa.select(Event.address_hash, sa.func.max(Event.occurred_at)).where(
        Event.kind == LIFTED, _among(conn, Event.address_hash, hashes)
    )
    confirmed = sa.select(Subscriber.address_hash, Subscriber.confirmed_at).where(
        _among(conn, Subscriber.address_hash, hashes)
    )
    later: dict[str, datetime] = {}
    for address_hash, at in (*conn.execute(lifted.group_by(Event.address_hash)), *conn.execute(confirmed)):
        if address_hash is not None and at is not None:
            later[address_hash] = max(at, later.get(address_hash, at))
    return later


def bar(conn: Connection, barred: Mapping[str, tuple[Cause, str]], *, at: datetime) -> None:
    """Suppress addresses by what another house knows of them; a stronger cause stands."""
    for address_hash, (cause, reason) in sorted(barred.items()):
        row = {"cause": cause, "reason": reason, "event_id": None, "created_at": at}
        weaker = list(Cause)[: list(Cause).index(cause)]
        statement = insert_for(conn, Suppression).values(address_hash=address_hash, **row)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["address_hash"], set_=row, where=Suppression.cause.in_(weaker)
            )
        )


def _among(conn: Connection, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:  # noqa: ANN401  a mapped column of any type
    """Return the condition that a column has one of thousands of values, which are hashes or numbers."""
    if conn.dialect.name == "sqlite":
        listed = sa.func.json_each(sa.literal(json.dumps(list(values)), sa.Text)).table_valued("value")
        among: ColumnElement[bool] = column.in_(sa.select(listed.c.value))
        return among
    # As one text: psycopg would write an array element by element. Unnested, or PostgreSQL reads it anew for every row.
    array = sa.cast(sa.literal(f"{{{','.join(map(str, values))}}}", sa.Text), postgresql.ARRAY(column.type))
    unnested: ColumnElement[bool] = column.in_(sa.select(sa.func.unnest(array)))
    return unnested
