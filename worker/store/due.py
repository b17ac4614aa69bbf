"""The statements over digests that are due: when, whose, what is new to them, and when they are due next.

Never decides and never sends. `match_seq` numbers become visible in their own order: whoever reads the head first and
then all stories up to it misses none. Called by the planning of digests.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from worker.facts import Followed
from worker.model import Cadence, EditionId, EditionKind, EditionStatus, StoryId, SubscriptionId
from worker.store.database import now
from worker.store.editions import still_planning
from worker.store.followings import as_followed, followed
from worker.store.schema import (
    ContentStory,
    Delivery,
    DeliverySubscription,
    Edition,
    Story,
    Subscriber,
    Subscription,
    TopicStory,
)
from worker.store.seen import GIVEN_BACK, SEEN_FOR, seen


def due_slots(conn: Connection, *, limit: int) -> list[tuple[datetime, str]]:
    """Return (due instant, locale) of digests that are due, the oldest first, and of those left unfinished."""
    unfinished = sa.select(Edition.due_at, Edition.locale).where(
        Edition.kind == EditionKind.DIGEST, Edition.status == EditionStatus.PLANNING
    )
    due = (
        sa.select(Subscription.next_due_at, Subscriber.locale)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Subscription.next_due_at <= now(conn), Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None)
        )
        .distinct()
        .order_by(Subscription.next_due_at, Subscriber.locale)
        .limit(limit)
    )
    slots = [(due_at, locale) for due_at, locale in conn.execute(due) if due_at is not None]
    return list(dict.fromkeys([*slots, *((due_at, locale) for due_at, locale in conn.execute(unfinished))]))


def due_followings(conn: Connection, *, due_at: datetime, locale: str, limit: int) -> list[Followed]:
    """Return the subscriptions due at an instant of up to `limit` readers, locked until the transaction ends."""
    due = (Subscription.next_due_at == due_at, Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None))
    readers = (
        sa.select(Subscriber.id)
        .where(Subscriber.locale == locale)
        .where(sa.exists().where(Subscription.subscriber_id == Subscriber.id, *due))
        .order_by(Subscriber.id)
        .limit(limit)
    )
    query = followed(now(conn)).where(*due, Subscriber.id.in_(readers)).order_by(Subscriber.id, Subscription.id)
    return [as_followed(row) for row in conn.execute(query.with_for_update(of=Subscription))]


def fresh_stories(
    conn: Connection, subscriptions: Collection[SubscriptionId], *, head: int
) -> dict[SubscriptionId, list[StoryId]]:
    """Return for each subscription the stories after its cursor, up to `head`, that its reader has not seen.

    Stories before the cursor are among them when the delivery that was to show them never left the house.
    """
    at = now(conn)
    unseen = (
        sa.select(Subscription.id, TopicStory.story_id, TopicStory.match_seq)
        .join(TopicStory, TopicStory.topic_id == Subscription.topic_id)
        .join(Story, Story.id == TopicStory.story_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.id.in_(list(subscriptions)), Story.killed_at.is_(None))
        .where(~seen(story_id=TopicStory.story_id, at=at))
    )
    new = unseen.where(TopicStory.match_seq > Subscription.cursor, TopicStory.match_seq <= head)
    unsent, meant = aliased(Delivery), aliased(ContentStory)
    given_back = (
        unseen.join(DeliverySubscription, DeliverySubscription.subscription_id == Subscription.id)
        .join(unsent, unsent.id == DeliverySubscription.delivery_id)
        .join(meant, meant.content_id == unsent.content_id)
        .where(meant.story_id == TopicStory.story_id, TopicStory.match_seq <= Subscription.cursor)
        .where(unsent.state.in_(GIVEN_BACK), unsent.planned_at > at - SEEN_FOR)
    )
    fresh: dict[SubscriptionId, list[StoryId]] = {}
    for subscription_id, story_id, _ in conn.execute(sa.union(new, given_back).order_by(sa.text("match_seq"))):
        fresh.setdefault(SubscriptionId(subscription_id), []).append(StoryId(story_id))
    return fresh


def advance(
    conn: Connection, subscription_id: SubscriptionId, *, next_due_at: datetime | None, cursor: int | None
) -> None:
    """Set when a subscription is next due; move its cursor too, unless its run showed nothing of what is new."""
    values: dict[str, object] = {"next_due_at": next_due_at}
    if cursor is not None:
        values["cursor"] = cursor
    conn.execute(sa.update(Subscription).where(Subscription.id == subscription_id).values(**values))


def open_digests(conn: Connection, *, due_at: datetime, locale: str) -> list[EditionId]:
    """Return the editions of one due instant and locale that still take readers."""
    return still_planning(conn, Edition.kind == EditionKind.DIGEST, Edition.due_at == due_at, Edition.locale == locale)


def make_all_digests_due(conn: Connection) -> int:
    """Make every scheduled subscription due now, as the demo does, and return how many there are."""
    statement = (
        sa.update(Subscription)
        .where(Subscription.cadence != Cadence.IMMEDIATE, Subscription.ended_at.is_(None))
        .where(Subscription.next_due_at.is_not(None), Subscription.topic_id.is_not(None))
        .values(next_due_at=now(conn))
    )
    return conn.execute(statement).rowcount
