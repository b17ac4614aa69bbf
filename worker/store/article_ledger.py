"""The statements that look up an article's moments, and those of the copies that it led to. Reads only.

`intake.run_ledger` arranges them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row

from worker.model import ArticleId, EditionKind, StoryId
from worker.store.schema import Article, ContentStory, Delivery, Edition, Match, TopicStory


def article(conn: Connection, article_id: ArticleId) -> Row[Any] | None:
    """Return when an article was published, seen, and first matched; with its story's number of articles and first one.

    A change has an article matched anew: its first match with a topic is that of its story, if it was there by then.
    """
    first_met = (
        sa.select(sa.func.min(TopicStory.matched_at))
        .join(Match, sa.and_(Match.topic_id == TopicStory.topic_id, Match.article_id == Article.id))
        .where(TopicStory.story_id == Article.story_id, TopicStory.matched_at >= Article.seen_at)
        .correlate(Article)
        .scalar_subquery()
    )
    other = sa.orm.aliased(Article)
    told, first = (
        sa.select(what).where(other.story_id == Article.story_id).correlate(Article).scalar_subquery()
        for what in (sa.func.count(other.id), sa.func.min(other.id))
    )
    query = sa.select(
        Article.story_id,
        Article.published_at,
        Article.dated,
        Article.seen_at,
        Article.matched_at,
        first_met.label("met_at"),
        told.label("articles"),
        first.label("first_article"),
    )
    return conn.execute(query.where(Article.id == article_id)).first()


def copies(conn: Connection, story_id: StoryId, *, since: datetime) -> list[dict[str, Any]]:
    """Return by kind what became of the copies that show a story and were planned since a moment."""
    query = (
        sa.select(
            Edition.kind,
            sa.func.count().label("deliveries"),
            sa.func.count(Delivery.accepted_at).label("accepted"),
            sa.func.min(Delivery.matched_at).label("matched_at"),
            sa.func.min(Delivery.planned_at).label("planned_at"),
            sa.func.min(Delivery.committed_at).label("committed_at"),
            sa.func.min(Delivery.accepted_at).label("accepted_at"),
            sa.func.max(Delivery.accepted_at).label("last_accepted_at"),
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(*_showing(story_id, since))
        .group_by(Edition.kind)
    )
    return [dict(row._mapping) for row in conn.execute(query.order_by(sa.func.min(Delivery.planned_at)))]  # noqa: SLF001  Row's documented view


def median_accepted_at(
    conn: Connection, story_id: StoryId, *, kind: EditionKind, since: datetime, accepted: int
) -> datetime | None:
    """Return when the middle one of these copies was accepted, of which there are `accepted`."""
    query = (
        sa.select(Delivery.accepted_at)
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(*_showing(story_id, since), Edition.kind == kind, Delivery.accepted_at.is_not(None))
    )
    return conn.execute(query.order_by(Delivery.accepted_at).offset((accepted - 1) // 2).limit(1)).scalar()


def _showing(story_id: StoryId, since: datetime) -> tuple[ColumnElement[bool], ...]:
    showing = sa.select(ContentStory.content_id).where(ContentStory.story_id == story_id)
    return (Delivery.content_id.in_(showing), Delivery.planned_at >= since)
