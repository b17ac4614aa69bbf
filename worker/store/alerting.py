"""The statements over alerts that are due: of which stories, and who follows them immediately and has not seen them.

Never decides and never sends. Called by the planning of alerts.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import DueStory, Followed
from worker.model import Cadence, EditionId, EditionKind, StoryId, TopicId
from worker.store.database import now
from worker.store.editions import still_planning
from worker.store.followings import as_followed, awake, followed
from worker.store.schema import Delivery, Edition, Subscriber, Subscription, TopicStory
from worker.store.seen import seen


def due_stories(conn: Connection, *, limit: int) -> list[StoryId]:
    """Return stories that are due to be alerted, the longest waiting first."""
    query = (
        sa.select(TopicStory.story_id)
        .where(TopicStory.alert_due_at <= now(conn))
        .group_by(TopicStory.story_id)
        .order_by(sa.func.min(TopicStory.match_seq))
        .limit(limit)
    )
    return [StoryId(story_id) for story_id in conn.execute(query).scalars()]


def due_story(conn: Connection, story_id: StoryId) -> DueStory | None:
    """Return the topics for which a story is due to be alerted now, None when it is not any more."""
    query = sa.select(TopicStory.topic_id, TopicStory.match_seq).where(
        TopicStory.story_id == story_id, TopicStory.alert_due_at <= now(conn)
    )
    topics = {TopicId(topic_id): match_seq for topic_id, match_seq in conn.execute(query)}
    return DueStory(story_id=story_id, topics=topics) if topics else None


def alerted(conn: Connection, story: DueStory) -> None:
    """Note that nobody is left to be alerted of these pairs."""
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.story_id == story.story_id, TopicStory.topic_id.in_(list(story.topics)))
        .values(alert_due_at=None)
    )


def alert_followers(
    conn: Connection, story: DueStory, *, topics: Collection[TopicId], slot: str, limit: int
) -> list[Followed]:
    """Return immediate subscriptions to `topics` of up to `limit` readers who have no copy of the alert of `slot` yet.

    Whoever has seen the story in any other mail is left out.
    """
    at = now(conn)
    has_copy = sa.exists().where(
        Delivery.subscriber_id == Subscriber.id,
        Edition.id == Delivery.edition_id,
        Edition.kind == EditionKind.ALERT,
        Edition.slot == slot,
    )
    wanted = (
        Subscription.topic_id == TopicStory.topic_id,
        Subscription.cadence == Cadence.IMMEDIATE,
        Subscription.ended_at.is_(None),
        Subscription.cursor < TopicStory.match_seq,
        TopicStory.story_id == story.story_id,
        TopicStory.topic_id.in_(list(topics)),
    )
    readers = (
        sa.select(Subscriber.id)
        .where(awake(at), ~has_copy, ~seen(story_id=sa.literal(story.story_id), at=at))
        .where(sa.exists().where(Subscription.subscriber_id == Subscriber.id, *wanted))
        .order_by(Subscriber.id)
        .limit(limit)
    )
    query = followed(at).join(TopicStory, sa.and_(*wanted)).where(Subscriber.id.in_(readers))
    return [as_followed(row) for row in conn.execute(query.order_by(Subscriber.id, Subscription.id))]


def open_alerts(conn: Connection, story_id: StoryId) -> list[EditionId]:
    """Return a story's alerts that still take readers: one a locale, and what a dead planner may have left."""
    return still_planning(
        conn, Edition.kind == EditionKind.ALERT, Edition.slot.startswith(alert_slots(story_id), autoescape=True)
    )


def alert_slots(story_id: StoryId) -> str:
    """Return what the slots of all alerts of a story begin with.

    >>> alert_slots(StoryId(12))
    'story 12 from '
    """
    return f"story {story_id} from "
