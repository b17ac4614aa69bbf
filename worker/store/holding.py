"""The statements over what a held feed has kept back from alerts.

Never decides what is too old. Called by intake.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, SourceId
from worker.store.database import now
from worker.store.schema import Article, Match, TopicStory


class KeptBack(NamedTuple):
    """An article that may not alert."""

    article_id: ArticleId
    published_at: datetime
    seen_at: datetime


def kept_back(conn: Connection, source_id: SourceId, *, since: datetime) -> list[KeptBack]:
    """Return what has come from a source since then and may not alert."""
    query = (
        sa.select(Article.id, Article.published_at, Article.seen_at)
        .where(Article.source_id == source_id, Article.seen_at >= since)
        .where(Article.may_alert.is_(False), Article.killed_at.is_(None))
        .order_by(Article.id)
    )
    return [
        KeptBack(ArticleId(article), published_at, seen_at) for article, published_at, seen_at in conn.execute(query)
    ]


def let_alert(conn: Connection, articles: Collection[ArticleId]) -> None:
    """Let articles alert after all: at once, those that are matched, and the others when they are."""
    if not articles:
        return
    chosen = Article.id.in_(list(articles))
    conn.execute(sa.update(Article).where(chosen).values(may_alert=True))
    concerned = sa.exists().where(
        Match.article_id.in_(list(articles)),
        Match.topic_id == TopicStory.topic_id,
        Match.story_id == TopicStory.story_id,
    )
    never = (TopicStory.alert_due_at.is_(None), TopicStory.alerted_at.is_(None))
    conn.execute(sa.update(TopicStory).where(*never, concerned).values(alert_due_at=now(conn)))
