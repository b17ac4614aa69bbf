"""The questions that a trace asks: what a reader follows and was sent, what an article's story concerns.

Reads only, one reader at a time. Called by the delivery room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, EditionKind, StoryId, SubscriberId
from worker.store.mutes import lets_through
from worker.store.schema import (
    Article,
    Attempt,
    Burst,
    ContentStory,
    Delivery,
    DeliveryBatch,
    Edition,
    EditionContent,
    Event,
    Match,
    Newsletter,
    Omission,
    OwedStory,
    Story,
    StoryMute,
    Subscription,
    Suppression,
    Topic,
    TopicStory,
)

_LATEST = 50


def suppression(conn: Connection, address_hash: str) -> dict[str, Any] | None:
    """Return why an address gets nothing, and since when."""
    query = sa.select(Suppression.reason, Suppression.created_at).where(Suppression.address_hash == address_hash)
    return next(iter(_rows(conn, query)), None)


def article(conn: Connection, article_id: ArticleId) -> dict[str, Any] | None:
    """Find an article with its story; `killed_at` is the story's too."""
    query = (
        sa.select(
            Article.id,
            Article.story_id,
            Article.title,
            Article.outlet,
            Article.published_at,
            Article.seen_at,
            Article.matched_at,
            Article.may_alert,
            sa.func.coalesce(Article.killed_at, Story.killed_at, type_=Article.killed_at.type).label("killed_at"),
        )
        .join(Story, Story.id == Article.story_id)
        .where(Article.id == article_id)
    )
    return next(iter(_rows(conn, query)), None)


def topics_of(conn: Connection, story_id: StoryId) -> list[dict[str, str]]:
    """Return the names, by locale, of the shared topics that a story concerns."""
    query = (
        sa.select(Topic.name)
        .join(TopicStory, TopicStory.topic_id == Topic.id)
        .where(TopicStory.story_id == story_id, Topic.slug.is_not(None))
        .order_by(TopicStory.match_seq)
    )
    return list(conn.execute(query).scalars())


def subscriptions(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId | None) -> list[dict[str, Any]]:
    """Return all that a reader follows or has followed, and what a story is to each of it."""
    met = sa.and_(TopicStory.topic_id == Subscription.topic_id, TopicStory.story_id == story_id)
    query = (
        sa.select(
            Subscription.id,
            Subscription.topic_id,
            Topic.name.label("topic_name"),
            Newsletter.name.label("newsletter_name"),
            Subscription.query,
            Subscription.cadence,
            Subscription.created_at,
            Subscription.ended_at,
            Subscription.next_due_at,
            Topic.disabled_reason,
            TopicStory.matched_at,
            TopicStory.alert_due_at,
            TopicStory.alerted_at,
            TopicStory.rolls,
            Burst.summary_due_at,
            (Subscription.cursor >= TopicStory.match_seq).label("is_past"),
            Subscription.muted_until,
            (~lets_through()).label("is_muted"),
        )
        .outerjoin(Topic, Topic.id == Subscription.topic_id)
        .outerjoin(Newsletter, Newsletter.id == Subscription.newsletter_id)
        .outerjoin(TopicStory, met)
        .outerjoin(Burst, Burst.topic_id == Subscription.topic_id)
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(Subscription.id)
    )
    return _rows(conn, query)


def evidence(conn: Connection, story_id: StoryId) -> dict[int, list[str]]:
    """Return by topic the words by which a story's articles met it, as they stand there, each once."""
    words: dict[int, list[str]] = {}
    query = sa.select(Match.topic_id, Match.evidence).where(Match.story_id == story_id).order_by(Match.article_id)
    for topic_id, spans in conn.execute(query):
        found = words.setdefault(topic_id, [])
        found += [word for word in dict.fromkeys(str(span["alias"]) for span in spans) if word not in found]
    return words


def copies(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId | None) -> list[dict[str, Any]]:
    """Return a reader's latest copies in the order of planning, or all that show a story."""
    query = (
        sa.select(
            Delivery.id,
            Delivery.edition_id,
            Edition.kind,
            Edition.status.label("edition_status"),
            Edition.reason.label("edition_reason"),
            DeliveryBatch.held.label("waits_for_canary"),
            Delivery.state,
            Delivery.reason,
            Delivery.provider,
            Delivery.planned_at,
            Delivery.next_attempt_at,
            Delivery.accepted_at,
            Delivery.ended_at,
            Delivery.quiet_until,
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .join(
            DeliveryBatch,
            sa.and_(DeliveryBatch.edition_id == Delivery.edition_id, DeliveryBatch.batch_no == Delivery.batch_no),
        )
        .where(Delivery.subscriber_id == subscriber_id)
    )
    if story_id is not None:
        shown = sa.exists().where(ContentStory.content_id == Delivery.content_id, ContentStory.story_id == story_id)
        query = query.where(shown)
    latest = _rows(conn, query.order_by(Delivery.planned_at.desc(), Delivery.id.desc()).limit(_LATEST))
    return latest[::-1]


def owed(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId) -> dict[str, Any] | None:
    """Return why a story comes to a reader later, and when; None when it is not owed."""
    query = sa.select(OwedStory.why, OwedStory.owed_at, OwedStory.due_at).where(
        OwedStory.subscriber_id == subscriber_id, OwedStory.story_id == story_id
    )
    return next(iter(_rows(conn, query)), None)


def story_mute(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId) -> dict[str, Any] | None:
    """Return since when, and until when, a reader has muted a story; None when they have not."""
    query = sa.select(StoryMute.muted_at, StoryMute.muted_until).where(
        StoryMute.subscriber_id == subscriber_id, StoryMute.story_id == story_id
    )
    return next(iter(_rows(conn, query)), None)


def omissions(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId) -> list[dict[str, Any]]:
    """Return when and why a reader was not given a story, in order."""
    query = sa.select(Omission.at, Omission.why, Omission.edition_id, Omission.stories)
    found = _rows(conn, query.where(Omission.subscriber_id == subscriber_id).order_by(Omission.at))
    return [row for row in found if story_id in row.pop("stories")]


def copies_with_sections(conn: Connection, subscriber_id: SubscriberId, *, since: datetime) -> list[dict[str, Any]]:
    """Return a reader's first copies since then that have topics' sections, with what they say, in order."""
    query = (
        sa.select(Delivery.planned_at, Delivery.edition_id, Edition.kind, EditionContent.body)
        .join(Edition, Edition.id == Delivery.edition_id)
        .join(EditionContent, EditionContent.id == Delivery.content_id)
        .where(Delivery.subscriber_id == subscriber_id, Delivery.planned_at >= since)
        .where(Edition.kind.in_([EditionKind.DIGEST, EditionKind.ROLLING]))
    )
    return _rows(conn, query.order_by(Delivery.planned_at, Delivery.id).limit(_LATEST))


def attempts(conn: Connection, deliveries: Sequence[int]) -> list[dict[str, Any]]:
    """Return the tries of deliveries, in order."""
    query = sa.select(
        Attempt.delivery_id,
        Attempt.ended_at,
        Attempt.outcome,
        Attempt.provider,
        Attempt.code,
        Attempt.enhanced,
        Attempt.text,
    ).where(Attempt.delivery_id.in_(deliveries))
    return _rows(conn, query.order_by(Attempt.id))


def events(conn: Connection, deliveries: Sequence[int]) -> list[dict[str, Any]]:
    """Return what was told about deliveries later, in order."""
    query = sa.select(Event.delivery_id, Event.occurred_at, Event.kind, Event.provider, Event.normalised)
    return _rows(conn, query.where(Event.delivery_id.in_(deliveries)).order_by(Event.occurred_at, Event.id))


def _rows(conn: Connection, query: sa.Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view
