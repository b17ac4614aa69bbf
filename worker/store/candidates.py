"""The statements that read what a newsletter may choose from: which stories concern its topics, and what ranks them.

Plain rows, without texts: most candidates are not chosen. Decides nothing. Called by the planning of newsletters.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import Severity, StoryId, TopicId
from worker.store.schema import Article, Match, Source, Story, Topic, TopicStory


class Matched(NamedTuple):
    """A story that concerns a topic, under the number of its match."""

    topic_id: TopicId
    seq: int
    story_id: StoryId
    matched_at: datetime


class Told(NamedTuple):
    """One telling of a story, with the story's own facts."""

    story_id: StoryId
    created_at: datetime
    boost: int
    update_no: int
    outlet: str
    source: str
    section: str
    lang: str
    severity: Severity
    published_at: datetime


def shared_topics(conn: Connection, slugs: Collection[str]) -> list[TopicId]:
    """Return the shared topics of these slugs, all of them where there are none."""
    query = sa.select(Topic.id).where(Topic.slug.is_not(None)).order_by(Topic.id)
    if slugs:
        query = query.where(Topic.slug.in_(list(slugs)))
    return [TopicId(topic_id) for topic_id in conn.execute(query).scalars()]


def matched(conn: Connection, topics: Collection[TopicId], *, after: int, head: int, since: datetime) -> list[Matched]:
    """Return the topics' stories after one number up to another, not matched before `since`, by topic and number."""
    query = (
        sa.select(TopicStory.topic_id, TopicStory.match_seq, TopicStory.story_id, TopicStory.matched_at)
        .join(Story, Story.id == TopicStory.story_id)
        .where(TopicStory.topic_id.in_(list(topics)), Story.killed_at.is_(None))
        .where(TopicStory.match_seq > after, TopicStory.match_seq <= head, TopicStory.matched_at > since)
        .order_by(TopicStory.topic_id, TopicStory.match_seq)
    )
    return [Matched._make(row) for row in conn.execute(query)]


def strengths(
    conn: Connection, stories: Collection[StoryId], topics: Collection[TopicId]
) -> dict[tuple[StoryId, TopicId], int]:
    """Return how strongly stories concern topics; a pair that does not match any more is left out."""
    query = (
        sa.select(Match.story_id, Match.topic_id, sa.func.max(Match.strength))
        .join(Article, Article.id == Match.article_id)
        .where(Article.killed_at.is_(None), Match.story_id.in_(list(stories)), Match.topic_id.in_(list(topics)))
        .group_by(Match.story_id, Match.topic_id)
    )
    return {(StoryId(story), TopicId(topic)): strength for story, topic, strength in conn.execute(query)}


def told(conn: Connection, stories: Collection[StoryId]) -> list[Told]:
    """Return the stories' tellings, each story's first one first: house copy, then originals, then by time."""
    query = (
        sa.select(
            Article.story_id,
            Story.created_at,
            Story.boost,
            Story.update_no,
            Article.outlet,
            Source.name,
            Article.section,
            Article.lang,
            Article.severity,
            Article.published_at,
        )
        .join(Source, Source.id == Article.source_id)
        .join(Story, Story.id == Article.story_id)
        .where(Article.story_id.in_(list(stories)), Article.killed_at.is_(None), Story.killed_at.is_(None))
        .order_by(Article.story_id, Source.house.desc(), Article.copy_of_id.is_not(None), Article.id)
    )
    return [Told._make(row) for row in conn.execute(query)]
