"""Crowds for drills and benchmarks: readers, and editions for them, made inside the database by the million.

Fills the tables as sign-ups and planning would have left them, in one statement a table. Decides nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.content import AlertContent, DigestContent
from worker.facts import EditionPlan
from worker.lifecycle import State
from worker.model import Cadence, EditionId, EditionKind, Lane, SubscriberStatus, TopicId
from worker.store import editions
from worker.store.database import Database, now
from worker.store.schema import (
    Base,
    Delivery,
    DeliveryBatch,
    Subscriber,
    Subscription,
    Topic,
)

BATCH: Final = 500
_MESSAGE_DOMAIN: Final = "courier.example"


def add_readers(database: Database, count: int, *, topic: str, cadence: Cadence, name: str = "crowd") -> None:
    """Add confirmed readers that follow a topic, by its slug; their addresses begin with `name`."""
    with database.write() as conn:
        at, number = now(conn), _counting(count)
        address = sa.literal(f"{name}.") + sa.cast(number.c.i, sa.Text) + "@reader.example"
        readers = {
            "email": address,
            "address_hash": address,  # as good as any hash: unique, and not suppressed
            "name": sa.literal("Reader ") + sa.cast(number.c.i, sa.Text),
            "status": sa.literal(SubscriberStatus.ACTIVE, Subscriber.status.type),
            "created_at": _at(at),
            "confirmed_at": _at(at),
        }
        _fill(conn, Subscriber, readers, sa.select(*readers.values()).select_from(number))
        topic_id = TopicId(conn.execute(sa.select(Topic.id).where(Topic.slug == topic)).scalar_one())
        followed = {
            "subscriber_id": Subscriber.id,
            "topic_id": sa.literal(topic_id),
            "cadence": sa.literal(cadence, Subscription.cadence.type),
            "created_at": _at(at),
        }
        mine = sa.select(*followed.values()).where(Subscriber.email.startswith(f"{name}.", autoescape=True))
        _fill(conn, Subscription, followed, mine)
    _analyse(database)


def plan_edition(
    database: Database,
    content: AlertContent | DigestContent,
    *,
    lane: Lane,
    count: int,
    name: str = "crowd",
    expires_in: timedelta = timedelta(hours=12),
) -> EditionId:
    """Plan an edition for the first `count` readers called `name`, as planning would: batches, rows, audience."""
    with database.write() as conn:
        at = now(conn)
        kind = EditionKind.ALERT if isinstance(content, AlertContent) else EditionKind.DIGEST
        plan = EditionPlan(
            kind=kind, slot=f"crowd {uuid4()}", locale="en", lane=lane, due_at=at, expires_at=at + expires_in
        )
        edition_id = editions.open_edition(conn, plan)
        assert edition_id is not None
        _batches(conn, edition_id, count=count, lane=lane)
        _copies(conn, edition_id, editions.intern(conn, content), count=count, lane=lane, name=name)
        editions.close_edition(conn, edition_id)
    _analyse(database)
    return edition_id


def _batches(conn: Connection, edition_id: EditionId, *, count: int, lane: Lane) -> None:
    number = _counting(-(-count // BATCH))
    values = {
        "edition_id": sa.literal(edition_id),
        "batch_no": number.c.i,
        "lane": sa.literal(lane, DeliveryBatch.lane.type),
        "next_attempt_at": _at(now(conn)),
    }
    _fill(conn, DeliveryBatch, values, sa.select(*values.values()).select_from(number))


def _copies(conn: Connection, edition_id: EditionId, content_id: int, *, count: int, lane: Lane, name: str) -> None:
    at = now(conn)
    place = sa.func.row_number().over(order_by=Subscriber.id)
    readers = (
        sa.select(Subscriber.id, Subscriber.email, place.label("place"))
        .where(Subscriber.email.startswith(f"{name}.", autoescape=True))
        .order_by(Subscriber.id)
        .limit(count)
        .subquery()
    )
    subscriber = sa.cast(readers.c.id, sa.Text)
    all_of = sa.func.json_group_array if conn.dialect.name == "sqlite" else sa.func.array_agg
    served = sa.select(all_of(Subscription.id)).where(Subscription.subscriber_id == readers.c.id)
    values = {
        "edition_id": sa.literal(edition_id),
        "subscriber_id": readers.c.id,
        "batch_no": (readers.c.place - 1) // BATCH + 1,
        "content_id": sa.literal(content_id),
        "recipient": readers.c.email,
        "domain": sa.literal("reader.example"),
        "lane": sa.literal(lane, Delivery.lane.type),
        "state": sa.literal(State.PLANNED, Delivery.state.type),
        "next_attempt_at": _at(at),
        "planned_at": _at(at),
        "serves": served.scalar_subquery(),
        "message_id": sa.literal(f"{edition_id}.") + subscriber + f".{int(at.timestamp())}@{_MESSAGE_DOMAIN}",
    }
    _fill(conn, Delivery, values, sa.select(*values.values()))


def _counting(count: int) -> sa.CTE:
    """Return the numbers from 1 to `count`, as a table with the column i."""
    numbers = sa.select(sa.literal(1).label("i")).cte("numbers", recursive=True)
    return numbers.union_all(sa.select(numbers.c.i + 1).where(numbers.c.i < count))


def _at(at: Any) -> Any:
    return sa.literal(at, Delivery.planned_at.type)


def _fill(conn: Connection, table: type[Base], columns: dict[str, Any], rows: Any) -> None:
    conn.execute(sa.insert(table).from_select(list(columns), rows))


def _analyse(database: Database) -> None:
    """Let the database know how much there is now, as it would have learnt by itself on the way."""
    with database.write() as conn:
        conn.exec_driver_sql("ANALYZE")
