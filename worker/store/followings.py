"""Subscriptions with their readers, as planning sees them: the query that alerts and digests have in common.

Decides nothing. Called by the statements over what is due, and over copies and the subscriptions that they serve.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from worker.facts import Followed
from worker.model import SubscriberStatus
from worker.store.schema import Delivery, Subscriber, Subscription


def awake(at: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a reader may get mail: active, with an address, and not paused."""
    unpaused = sa.or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= at)
    return sa.and_(Subscriber.status == SubscriberStatus.ACTIVE, Subscriber.email.is_not(None), unpaused)


def followed(at: datetime) -> Any:  # noqa: ANN401  a Select of nine columns, whose type says nothing to its two readers
    """Return the query for subscriptions with their readers, whose rows `as_followed` reads."""
    return sa.select(
        Subscriber.id.label("subscriber_id"),
        Subscriber.email.label("recipient"),
        Subscriber.locale,
        Subscriber.timezone,
        awake(at).label("awake"),
        Subscription.id.label("subscription_id"),
        Subscription.topic_id,
        Subscription.cadence,
        Subscription.times,
        Subscription.weekday,
    ).join(Subscription, Subscription.subscriber_id == Subscriber.id)


def as_followed(row: sa.Row[Any]) -> Followed:
    """Read a row of the query."""
    return Followed(**row._mapping)  # noqa: SLF001  Row's documented view


def is_served(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a subscription is one of those that a delivery of the enclosing query serves."""
    if dialect == "sqlite":
        served = sa.func.json_each(Delivery.serves).table_valued("value")
        return Subscription.id.in_(sa.select(served.c.value).correlate(Delivery))
    return Subscription.id == sa.any_(Delivery.serves)


def serves_nothing(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a delivery is for no subscription at all, as a confirmation is."""
    count = sa.func.json_array_length(Delivery.serves) if dialect == "sqlite" else sa.func.cardinality(Delivery.serves)
    return sa.func.coalesce(count, 0) == 0
