"""The statements by which a reader's own query takes what it has found, and not told yet, along into a narrower one.

Never holds a query against an article. Called by signup.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, Cadence, StoryId, SubscriptionId, TopicId
from worker.store.mutes import lets_through, passed
from worker.store.schema import Article, Match, Subscription, Topic, TopicStory


def waiting(conn: Connection, subscription_id: SubscriptionId, *, limit: int) -> list[ArticleId]:
    """Return the latest articles whose stories wait for a subscription's next mail, be it a digest or an alert."""
    at_once = sa.and_(Subscription.cadence == Cadence.IMMEDIATE, TopicStory.alert_due_at.is_not(None))
    later = sa.and_(Subscription.cadence != Cadence.IMMEDIATE, TopicStory.match_seq > passed())
    query = (
        sa.select(Match.article_id)
        .join(TopicStory, sa.and_(TopicStory.topic_id == Match.topic_id, TopicStory.story_id == Match.story_id))
        .join(Subscription, Subscription.topic_id == Match.topic_id)
        .join(Article, Article.id == Match.article_id)
        .where(Subscription.id == subscription_id, TopicStory.match_seq > Subscription.cursor)
        .where(sa.or_(at_once, later), lets_through(), Article.killed_at.is_(None))
        .order_by(Match.article_id.desc())
        .limit(limit)
    )
    return [ArticleId(article) for article in conn.execute(query).scalars()]


def query_of(conn: Connection, topic_id: TopicId) -> str:
    """Return a topic's query as it is stored: of readers who ask the same, the first one's spelling."""
    return conn.execute(sa.select(Topic.query).where(Topic.id == topic_id)).scalar_one()


def alert_as(conn: Connection, new: TopicId, old: TopicId, stories: Collection[StoryId]) -> None:
    """Let stories be alerted for one topic when they were to be for another."""
    other = sa.orm.aliased(TopicStory)
    due = sa.select(other.alert_due_at).where(other.topic_id == old, other.story_id == TopicStory.story_id)
    mine = (TopicStory.topic_id == new, TopicStory.story_id.in_(list(stories)), TopicStory.alert_due_at.is_(None))
    conn.execute(
        sa.update(TopicStory)
        .where(*mine)
        .values(alert_due_at=due.scalar_subquery())
        .execution_options(synchronize_session=False)
    )
