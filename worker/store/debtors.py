"""The statements over readers who are owed stories, or come back from a pause: their terms, digests and subscriptions.

Decides nothing. Called by the planning of what is owed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import BelowFloor, Cadence, StoryId, SubscriberId, SubscriberStatus, SubscriptionId, TopicId
from worker.store.followings import awake
from worker.store.mutes import passed
from worker.store.schema import Subscriber, Subscription


@dataclass(frozen=True, kw_only=True, slots=True)
class Debtor:
    """One reader's terms. `is_gone`: they get no mail any more, whatever becomes of a pause."""

    subscriber_id: SubscriberId
    recipient: str | None
    locale: str
    timezone: str
    awake: bool
    is_gone: bool
    paused_at: datetime | None
    paused_until: datetime | None
    quiet_from: str | None
    quiet_to: str | None
    floor: int
    below_floor: BelowFloor


class Follows(NamedTuple):
    """One running subscription to a topic."""

    subscription_id: SubscriptionId
    subscriber_id: SubscriberId
    topic_id: TopicId
    cursor: int
    cadence: Cadence
    next_due_at: datetime | None


def terms(conn: Connection, readers: Collection[SubscriberId], *, at: datetime) -> dict[SubscriberId, Debtor]:
    """Return the readers' terms."""
    gone = sa.or_(
        Subscriber.email.is_(None), Subscriber.status.not_in([SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED])
    )
    query = sa.select(
        Subscriber.id.label("subscriber_id"),
        Subscriber.email.label("recipient"),
        Subscriber.locale,
        Subscriber.timezone,
        awake(at).label("awake"),
        gone.label("is_gone"),
        Subscriber.paused_at,
        Subscriber.paused_until,
        Subscriber.quiet_from,
        Subscriber.quiet_to,
        Subscriber.digest_floor.label("floor"),
        Subscriber.below_floor,
    ).where(Subscriber.id.in_(list(readers)))
    return {row.subscriber_id: Debtor(**row._mapping) for row in conn.execute(query)}  # noqa: SLF001  Row's documented view


def follows(conn: Connection, readers: Collection[SubscriberId]) -> dict[SubscriberId, list[Follows]]:
    """Return all running subscriptions of readers to topics, in order of the topics."""
    query = (
        sa.select(
            Subscription.id,
            Subscription.subscriber_id,
            Subscription.topic_id,
            passed(),
            Subscription.cadence,
            Subscription.next_due_at,
        )
        .where(Subscription.subscriber_id.in_(list(readers)), Subscription.ended_at.is_(None))
        .where(Subscription.topic_id.is_not(None))
        .order_by(Subscription.subscriber_id, Subscription.topic_id)
    )
    found: dict[SubscriberId, list[Follows]] = {}
    for row in conn.execute(query):
        found.setdefault(SubscriberId(row.subscriber_id), []).append(Follows._make(row))
    return found


def back_without_digest(conn: Connection, *, at: datetime, limit: int) -> list[SubscriberId]:
    """Return readers whose pause is over and was not told of, and who have no digest that would do it."""
    digest = sa.exists().where(
        Subscription.subscriber_id == Subscriber.id,
        Subscription.ended_at.is_(None),
        Subscription.topic_id.is_not(None),
        Subscription.next_due_at.is_not(None),
    )
    query = (
        sa.select(Subscriber.id)
        .where(Subscriber.paused_at.is_not(None), awake(at), ~digest)
        .order_by(Subscriber.id + 0)  # "+ 0": by their index, not all readers in this order, on SQLite
        .limit(limit)
    )
    return [SubscriberId(reader) for reader in conn.execute(query).scalars()]


def digests_due(mine: Sequence[Follows]) -> list[datetime]:
    """Return when a reader's digests are due next."""
    return [one.next_due_at for one in mine if one.next_due_at is not None]


def told_of(mine: Sequence[Follows], story: StoryId, pairs: Collection[tuple[StoryId, TopicId]]) -> list[Follows]:
    """Return those of a reader's subscriptions whose topic a story concerns."""
    return [one for one in mine if (story, one.topic_id) in pairs]
