"""The statements that list readers, in order of id, for programs. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.model import SubscriberStatus
from worker.store.schema import Newsletter, Subscriber, Subscription, Topic


def listed(
    conn: Connection,
    *,
    at: datetime,
    after: int,
    limit: int,
    standing: SubscriberStatus | None = None,
    address_hash: str | None = None,
    topic: str | None = None,
    newsletter: str | None = None,
) -> list[dict[str, Any]]:
    """Return readers who are not erased; `topic` and `newsletter` are slugs of what they follow."""
    columns = sa.select(
        Subscriber.id,
        Subscriber.email,
        Subscriber.name,
        Subscriber.locale,
        Subscriber.timezone,
        Subscriber.status,
        Subscriber.paused_until,
        Subscriber.created_at,
        Subscriber.confirmed_at,
        Subscriber.left_at,
    )
    query = columns.where(Subscriber.id > after, Subscriber.status != SubscriberStatus.ERASED)
    if standing is not None:
        query = query.where(_stands(standing, at))
    if address_hash is not None:
        query = query.where(Subscriber.address_hash == address_hash)
    if topic is not None:
        query = query.where(_follows(Topic, Subscription.topic_id, topic))
    if newsletter is not None:
        query = query.where(_follows(Newsletter, Subscription.newsletter_id, newsletter))
    rows = conn.execute(query.order_by(Subscriber.id).limit(limit))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def _stands(standing: SubscriberStatus, at: datetime) -> ColumnElement[bool]:
    """Return the condition that a reader stands there: a pause with an end is a date beside "active"."""
    rests = sa.and_(Subscriber.status == SubscriberStatus.ACTIVE, Subscriber.paused_until > at)
    if standing is SubscriberStatus.PAUSED:
        return sa.or_(Subscriber.status == standing, rests)
    if standing is SubscriberStatus.ACTIVE:
        return sa.and_(
            Subscriber.status == standing, sa.or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= at)
        )
    return Subscriber.status == standing


def _follows(table: type[Topic | Newsletter], column: Any, slug: str) -> ColumnElement[bool]:  # noqa: ANN401  a column of Subscription
    wanted = sa.select(table.id).where(table.slug == slug).scalar_subquery()
    return sa.exists().where(
        Subscription.subscriber_id == Subscriber.id, Subscription.ended_at.is_(None), column == wanted
    )
