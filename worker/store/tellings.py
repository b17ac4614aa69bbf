"""The statements that read what there is to say of stories: the articles that tell them, and why they concern topics.

Decides nothing but the order. Called by planning and the topics' pages.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Concern, Telling
from worker.model import StoryId, TopicId
from worker.store.schema import Article, Match, Source, Story, Topic


def tellings(conn: Connection, stories: Collection[StoryId]) -> list[Telling]:
    """Return the articles that tell the stories, house copy first, then originals, then by time; killed ones do not."""
    query = (
        sa.select(
            Article.id.label("article_id"),
            Article.story_id,
            Article.revision,
            Article.title,
            Article.summary,
            Article.body,
            Article.url,
            Article.outlet,
            Source.house,
            Article.lang,
            Article.author,
            Article.section,
            Article.severity,
            Article.published_at,
            Article.seen_at,
            Article.copy_of_id.is_not(None).label("is_copy"),
            Article.image,
        )
        .join(Source, Source.id == Article.source_id)
        .join(Story, Story.id == Article.story_id)
        .where(Article.story_id.in_(list(stories)), Article.killed_at.is_(None), Story.killed_at.is_(None))
        .order_by(Source.house.desc(), Article.copy_of_id.is_not(None), Article.id)
    )
    return [Telling(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def concerns(conn: Connection, stories: Collection[StoryId], topics: Collection[TopicId]) -> list[Concern]:
    """Return why the stories' articles concern the topics, strongest first."""
    query = (
        sa.select(
            Match.article_id,
            Match.story_id,
            Match.topic_id,
            Topic.slug,
            Topic.name.label("names"),
            Topic.query,
            Match.strength,
            Match.evidence,
            Match.matched_at,
        )
        .join(Topic, Topic.id == Match.topic_id)
        .join(Article, Article.id == Match.article_id)
        .where(Article.killed_at.is_(None))
        .where(Match.story_id.in_(list(stories)), Match.topic_id.in_(list(topics)))
        .order_by(Match.strength.desc(), Match.topic_id, Match.article_id)
    )
    return [Concern(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def updates(conn: Connection, stories: Collection[StoryId]) -> dict[StoryId, tuple[str, datetime]]:
    """Return what editors say is new in the stories that they have updated materially, and since when."""
    query = sa.select(Story.id, Story.update_note, Story.updated_at).where(
        Story.id.in_(list(stories)), Story.update_no > 0, Story.updated_at.is_not(None)
    )
    return {StoryId(story): (note, at) for story, note, at in conn.execute(query) if at is not None}
